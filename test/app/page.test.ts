/** What the page computes by itself: the URL, the links of the circle, the files, the recording. */
import { expect, it } from 'vitest';
import { toCsv } from '../../src/app/files.ts';
import { links, untilShown } from '../../src/app/links.ts';
import type { EpochRow, StepRow } from '../../src/app/live/protocol.ts';
import { CHOICES, type Choice, initialSettings, type Settings } from '../../src/app/live/settings.ts';
import recorded from '../../src/app/public/recorded.json' with { type: 'json' };
import { packMap, type Recording, unpackMap } from '../../src/app/recorded.ts';
import type { State } from '../../src/app/store.ts';
import { fromHash, SEEDS, toHash, whole } from '../../src/app/url.ts';

it('settings go to the URL and come back', () => {
  for (const scheme of Object.keys(CHOICES) as Choice[]) {
    const settings: Settings = {
      seed: 7,
      train: 24,
      size: 'large',
      dropout: 0.5,
      runs: [
        { scheme, optimizer: 'sgd', learningRate: 0.02, sigmaRate: 10 },
        { scheme: 'sum', optimizer: 'rmsprop', learningRate: 1e-4, sigmaRate: 1 },
      ],
    };
    expect(fromHash(toHash(settings))).toEqual(settings);
  }
});

it('a URL that makes no sense gives the defaults', () => {
  expect(fromHash('#seed=-1&train=1e9&size=huge&dropout=2&a=magic~adam~0&b=')).toEqual(initialSettings);
});

it('a URL that is broken, or cut off, gives what can be read of it', () => {
  for (const hash of ['#', '#seed', '#%E0%A4%A', '#a=constructor~__proto__~NaN~Infinity', '#circle', '#seed=&&&=a~']) {
    expect(fromHash(hash)).toEqual(initialSettings);
  }
  expect(fromHash('#seed=12.9&a=dwa~sg')).toEqual({
    ...initialSettings,
    seed: 12,
    runs: [{ ...initialSettings.runs[0], scheme: 'dwa' }, initialSettings.runs[1]],
  });
});

it('brings a seed within its bounds, so that it survives the URL', () => {
  for (const [text, seed] of [
    ['12345', 9999],
    ['-3', 0],
    ['7.9', 7],
    ['', 0],
    ['NaN', 0],
  ] as const) {
    expect(whole(text, SEEDS)).toBe(seed);
    expect(fromHash(toHash({ ...initialSettings, seed })).seed).toBe(seed);
  }
});

/** Twelve epochs of two steps, whose training loss, sigma and validation loss go as told. */
function story({ train, sigma, valid }: Record<'train' | 'sigma' | 'valid', (t: number) => number>) {
  const of = (value: number) => ({ saliency: value, diagnosis: 1 });
  const epochs: EpochRow[] = [];
  const rows: StepRow[] = [];
  for (let epoch = 1; epoch <= 12; epoch++) {
    for (const step of [2 * epoch - 1, 2 * epoch]) {
      const s = sigma(epoch);
      rows.push({ step, epoch, loss: 1, raw: of(train(epoch)), sigma: of(s), weight: of(1 / s ** 2), rate: 0.01 });
    }
    epochs.push({
      epoch,
      step: 2 * epoch,
      train: of(train(epoch)),
      valid: of(valid(epoch)),
      validLoss: 1,
      accuracy: null,
    });
  }
  return { rows: [rows, []] as [StepRow[], StepRow[]], epochs: [epochs, []] as [EpochRow[], EpochRow[]] };
}

it('the circle closes when all four links hold, and not when one is missing', () => {
  const closed = { train: (t: number) => 1 / t, sigma: (t: number) => 1 - t / 24, valid: (t: number) => 1 + t / 10 };
  expect(links(story(closed))).toMatchObject({ task: 'saliency', closed: true });
  expect(links(story({ ...closed, sigma: () => 1 }))).toMatchObject({ sigma: false, closed: false });
  expect(links(story({ ...closed, valid: (t) => 1 / t }))).toMatchObject({ gap: false, closed: false });
  expect(links({ rows: [[], []], epochs: [[], []] }).closed).toBe(false);
});

it('the recorded run, which is the provoked one, closes the circle for both tasks', () => {
  const { epochs, rows } = recorded as unknown as Recording;
  const closed = epochs[0].flatMap(({ step }) => {
    const held = links(untilShown({ epochs, rows, shown: step } as unknown as State));
    return held.closed ? [held.task] : [];
  });
  expect(new Set(closed)).toEqual(new Set(['saliency', 'diagnosis']));
});

it('writes one line of CSV a step and run', () => {
  const { rows } = story({ train: () => 0.5, sigma: () => 2, valid: () => 1 });
  const lines = toCsv({ rows }).trim().split('\n');
  expect(lines).toHaveLength(25);
  expect(lines[1]).toBe('A,1,1,1,0.5,1,2,1,0.25,1,0.01');
});

it('maps survive a recording to half a byte', () => {
  const map = Float32Array.from({ length: 50 }, (_, i) => i / 1000);
  unpackMap(packMap(map)).forEach((value, i) => {
    expect(Math.abs(value - map[i])).toBeLessThanOrEqual(0.049 / 255 / 2 + 1e-6);
  });
});
