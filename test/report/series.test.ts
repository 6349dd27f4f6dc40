import { describe, expect, test } from 'vitest';
import * as series from '../../src/report/series.ts';
import { fakeRun } from './fake-runs.ts';

describe('lines over epochs', () => {
  test('a step lies within its epoch, the last one at its end', () => {
    const run = fakeRun({ epochs: 2, stepsPerEpoch: 4 });
    const { saliencyRate } = series.rates(run, 'step');
    expect(saliencyRate.map(({ x }) => x)).toEqual([0.25, 0.5, 0.75, 1, 1.25, 1.5, 1.75, 2]);
    expect(saliencyRate.map(({ y }) => y)).toEqual(run.steps.map((step) => step.effectiveSaliencyRate));
  });

  test('without steps the effective rate is r / sigma^2 of each epoch', () => {
    const run = { ...fakeRun({ epochs: 3 }), steps: [] };
    const { classRate } = series.rates(run, 'step');
    for (const [i, { learningRate, classSigma }] of run.epochs.entries()) {
      expect(classRate[i].y).toBeCloseTo(learningRate / classSigma! ** 2, 15);
    }
  });

  test('many steps are thinned, the first and the last kept', () => {
    const items = Array.from({ length: 1001 }, (_, i) => i);
    const thinned = series.thin(items, 101);
    expect(thinned).toHaveLength(101);
    expect([thinned[0], thinned[50], thinned[100]]).toEqual([0, 500, 1000]);
  });

  test('a median ends where the shortest run does', () => {
    const line = (...values: number[]) => values.map((y, i) => ({ x: i + 1, y }));
    expect(series.medianLine([line(1, 5, 9), line(2, 6), line(3, 4, 1)])).toEqual(line(2, 5));
    expect(series.medianLine([line(1, Number.NaN), line(3, 4)])).toEqual(line(2));
  });

  test('a missing head is a line of gaps', () => {
    const run = fakeRun({ heads: 'class', epochs: 3 });
    expect(series.hasValues([series.lossLine(run, 'train', 'saliencyLoss')])).toBe(false);
    expect(series.hasValues([series.lossLine(run, 'train', 'classLoss')])).toBe(true);
    expect(series.extent([[{ x: 1, y: Number.NaN }]])).toBeNull();
  });

  test('the best epoch is the last one marked so', () => {
    const run = fakeRun({ epochs: 20 });
    expect(series.bestEpoch(run)).toBe(Math.max(...run.epochs.filter(({ best }) => best).map(({ epoch }) => epoch)));
    expect(series.resetEpochs(run)).toEqual([16]);
    expect(series.bestEpoch({ ...run, epochs: [] })).toBeNull();
  });
});
