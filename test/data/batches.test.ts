import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Batch, type BatchOptions, batches, gazeProbability } from '../../src/data/batches.ts';
import type { ChestSample } from '../../src/data/dataset.ts';

/** Samples of 6 pixels whose every value tells which sample it is. */
function samples(count: number): ChestSample[] {
  return Array.from({ length: count }, (_, n) => ({
    id: `film-${n}`,
    patient: `person-${n}`,
    label: n % 3,
    image: Float32Array.from({ length: 6 }, (_, i) => n + i / 8),
    gaze: Float32Array.from({ length: 6 }, (_, i) => (i === n % 6 ? 1 : 0.25 * (i % 2))),
  }));
}

const options: BatchOptions = { batchSize: 4, seed: 1, epoch: 0 };
const ids = (list: Iterable<Batch>) => [...list].flatMap((batch) => batch.ids);

describe('batches', () => {
  it('covers each sample once, in batches that are full but for the last', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 40 }),
        fc.integer({ min: 1, max: 9 }),
        fc.boolean(),
        (count, batchSize, shuffle) => {
          const list = [...batches(samples(count), { ...options, batchSize, shuffle })];
          expect(ids(list).sort()).toEqual(
            samples(count)
              .map(({ id }) => id)
              .sort(),
          );
          expect(list.length).toBe(Math.ceil(count / batchSize));
          for (const batch of list.slice(0, -1)) expect(batch.ids.length).toBe(batchSize);
        },
      ),
      { numRuns: 50 },
    );
  });

  it('keeps image, gaze, label and id of a sample together', () => {
    const all = new Map(samples(10).map((sample) => [sample.id, sample]));
    for (const { images, gaze, labels, ids: names } of batches([...all.values()], options)) {
      expect([images.length, gaze.length, labels.length]).toEqual([6 * names.length, 6 * names.length, names.length]);
      for (const [n, id] of names.entries()) {
        const sample = all.get(id) as ChestSample;
        expect(images.slice(6 * n, 6 * n + 6)).toEqual(sample.image);
        expect(gaze.slice(6 * n, 6 * n + 6)).toEqual(gazeProbability(sample));
        expect(labels[n]).toBe(sample.label);
      }
    }
  });

  it('repeats the order of a seed and an epoch, and changes it with either', () => {
    const order = (change: Partial<BatchOptions>) => ids(batches(samples(30), { ...options, ...change })).join();
    expect(order({})).toBe(order({}));
    expect(order({ batchSize: 7 })).toBe(order({}));
    const orders = [order({}), order({ epoch: 1 }), order({ epoch: 2 }), order({ seed: 2 }), order({ shuffle: false })];
    expect(new Set(orders).size).toBe(5);
    expect(order({ shuffle: false })).toBe(
      samples(30)
        .map(({ id }) => id)
        .join(),
    );
  });

  it('leaves the samples as they were', () => {
    const list = samples(5);
    ids(batches(list, options));
    expect(list).toEqual(samples(5));
  });

  it('names the sample whose gaze cannot become a probability', () => {
    const list = samples(5);
    list[3].gaze.fill(0);
    expect(() => ids(batches(list, options))).toThrow('film-3');
    list[3].gaze.fill(Number.NaN);
    expect(() => ids(batches(list, options))).toThrow('film-3');
  });

  it('refuses samples of different sizes with both numbers', () => {
    const list = samples(2);
    const odd = { ...list[1], image: new Float32Array(5) };
    expect(() => ids(batches([list[0], odd], { ...options, shuffle: false }))).toThrow(/film-1 has 5 .* film-0 has 6/);
  });

  it.each([0, -1, 1.5])('refuses the batch size %s', (batchSize) => {
    expect(() => ids(batches(samples(3), { ...options, batchSize }))).toThrow(`got ${batchSize}`);
  });

  it('refuses an epoch that is not a count', () => {
    expect(() => ids(batches(samples(3), { ...options, epoch: -1 }))).toThrow('got -1');
  });
});

describe('gazeProbability', () => {
  it('divides by the sum in float64 and rounds once', () => {
    const gaze = Float32Array.from([0.1, 0.7, 1, 0]);
    const sum = gaze[0] + gaze[1] + gaze[2];
    const probability = gazeProbability({ ...samples(1)[0], gaze });
    expect([...probability]).toEqual([...gaze].map((value) => Math.fround(value / sum)));
    expect(probability.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 6);
  });
});
