import { beforeAll, describe, expect, it } from 'vitest';
import { centreBiasMap } from '../../src/data/baselines.ts';
import { gazeProbability } from '../../src/data/batches.ts';
import type { ChestDataset } from '../../src/data/dataset.ts';
import { CLASS_NAMES } from '../../src/data/dataset.ts';
import { type SyntheticOptions, syntheticChests } from '../../src/data/synthetic.ts';

const small: SyntheticOptions = { seed: 42, height: 48, width: 32, train: 31, valid: 10, test: 14 };
/** Of the data set above; a change of one bit in one pixel, on any engine, changes it. */
const RECORDED_HASH = '0666022e37fab598';

describe('syntheticChests', () => {
  let data: ChestDataset;
  beforeAll(() => {
    data = syntheticChests(small);
  });
  const splits = () => [data.train, data.valid, data.test];
  const all = () => splits().flat();

  it('gives the recorded bytes', () => {
    expect(data.hash).toBe(RECORDED_HASH);
  });

  it('gives the same bytes again, and others for another seed', () => {
    const again = syntheticChests(small);
    expect(again.hash).toBe(data.hash);
    expect(again.train[3]).toEqual(data.train[3]);
    const other = syntheticChests({ ...small, seed: 43, train: 3, valid: 3, test: 3 });
    const films = new Set(all().map(({ image }) => image.join()));
    for (const { image } of [...other.train, ...other.test]) expect(films.has(image.join())).toBe(false);
  });

  it('has the counts asked for, balanced as evenly as they divide', () => {
    expect(splits().map((split) => split.length)).toEqual([31, 10, 14]);
    for (const split of splits()) {
      const counts = CLASS_NAMES.map((_, label) => split.filter((sample) => sample.label === label).length);
      expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
    }
    expect([data.height, data.width, data.classNames]).toEqual([48, 32, CLASS_NAMES]);
  });

  it('keeps every person in one split, and shows some of them twice', () => {
    const splitOf = new Map<string, number>();
    for (const [i, split] of splits().entries()) {
      for (const { patient } of split) {
        expect(splitOf.get(patient) ?? i).toBe(i);
        splitOf.set(patient, i);
      }
    }
    expect(splitOf.size).toBeLessThan(all().length);
    expect(splitOf.size).toBeGreaterThan(0.8 * all().length);
  });

  it('repeats no id and no film', () => {
    expect(new Set(all().map(({ id }) => id)).size).toBe(all().length);
    expect(new Set(all().map(({ image }) => image.join())).size).toBe(all().length);
  });

  it('has images in [0, 1] with contrast, and gaze maps from 0 to 1', () => {
    for (const { image, gaze } of all()) {
      expect([image.length, gaze.length]).toEqual([48 * 32, 48 * 32]);
      expect(Math.min(...image)).toBeGreaterThanOrEqual(0);
      expect(Math.max(...image)).toBeLessThanOrEqual(1);
      expect(Math.max(...image) - Math.min(...image)).toBeGreaterThan(0.4);
      expect([Math.min(...gaze), Math.max(...gaze)]).toEqual([0, 1]);
    }
  });

  it('leaves something to learn: the mean gaze of the training films misses each test gaze by far', () => {
    const centre = centreBiasMap(data.train);
    const divergences = data.test.map((sample) =>
      gazeProbability(sample).reduce((sum, p, i) => (p > 0 ? sum + p * Math.log(p / centre[i]) : sum), 0),
    );
    const mean = divergences.reduce((sum, value) => sum + value, 0) / divergences.length;
    expect(mean).toBeGreaterThan(0.4);
    expect(mean).toBeLessThan(1.6);
  });

  it.each([
    ['seed', -1],
    ['seed', 0.5],
    ['height', 31],
    ['width', 16],
    ['width', Number.NaN],
    ['train', 0],
    ['valid', 2.5],
    ['test', -3],
  ] as const)('refuses %s = %s in a sentence that names both', (name, value) => {
    expect(() => syntheticChests({ ...small, [name]: value })).toThrow(
      new RegExp(`${name} must be .* got ${value}\\.`),
    );
  });
});
