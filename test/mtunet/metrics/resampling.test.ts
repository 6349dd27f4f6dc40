/** Corrections, permutations, bootstrap intervals and fixation metrics, against values that can be worked out by hand. */
import { expect, it } from 'vitest';
import {
  aucJudd,
  aucStatistic,
  binaryAuc,
  bootstrap,
  crossedBootstrap,
  holm,
  informationGain,
  meanStatistic,
  nss,
  pairedPermutation,
} from '../../../src/mtunet/metrics/index.ts';
import { normalQuantile } from '../../../src/mtunet/metrics/special-functions.ts';

it('corrects as Holm does', () => {
  expect(holm([0.01, 0.04, 0.03, 0.005])).toEqual([0.03, 0.06, 0.06, 0.02]);
  expect(holm([0.5, Number.NaN, 0.6])).toEqual([1, Number.NaN, 1]);
});

it('permutes signs: five trainings cannot go below 1/16', () => {
  expect(pairedPermutation([2, 3, 4, 5, 6], [1, 1, 1, 1, 1]).p).toBe(1 / 16);
  expect(pairedPermutation([1, 0], [0, 1]).p).toBe(1);
});

it('bootstraps the mean within a normal interval, and areas as they are', () => {
  expect(normalQuantile(0.975)).toBeCloseTo(1.959963984540054, 10);
  const values = Float64Array.from({ length: 200 }, (_, i) => Math.sin(i));
  const deviation = Math.sqrt(values.reduce((total, value) => total + value ** 2, 0) / 200);
  for (const method of ['percentile', 'bca'] as const) {
    const { estimate, low, high } = bootstrap(meanStatistic(values), 200, { method });
    expect((high - low) / (2 * 1.96 * (deviation / Math.sqrt(200)))).toBeCloseTo(1, 1);
    expect(low < estimate && estimate < high).toBe(true);
  }
  const scores = [0.1, 0.4, 0.4, 0.8, 0.7];
  const area = aucStatistic([0, 0, 1, 1, 0], scores)(new Float64Array(5).fill(1));
  expect(area).toBeCloseTo(binaryAuc([0.4, 0.8], [0.1, 0.4, 0.7])!, 15);
  const shifted = meanStatistic(values.map((value) => value - 1));
  const { low, high } = crossedBootstrap([[meanStatistic(values), shifted]], 200);
  expect([low, high].map((value) => value.toFixed(9))).toEqual(['1.000000000', '1.000000000']);
});

it('measures maps at fixations', () => {
  expect(nss([0, 0, 0, 4], [3])).toBeCloseTo(Math.sqrt(3), 14);
  expect(aucJudd([0, 1, 2, 3], [3])).toBe(1);
  // The curve has points at fixated values alone, so the lowest pixel gives one straight line from (0, 0) to (1, 1).
  expect(aucJudd([0, 1, 2, 3], [0])).toBe(0.5);
  expect(aucJudd([0, 1, 2, 3], [1, 3])).toBe(0.875); // by (0, 1/2), (1/2, 1), (1, 1): 3/8 + 1/2
  expect(aucJudd([1, 1, 1, 1], [0])).toBe(0.5);
  expect(informationGain([1, 1, 2], [1, 1, 1], [2])).toBeCloseTo(Math.log2(1.5), 14);
  expect(() => nss([1, 2], [2])).toThrow(/pixel 2.*pixels 0 to 1/);
});
