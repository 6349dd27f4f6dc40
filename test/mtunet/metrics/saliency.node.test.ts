import { describe, expect, it } from 'vitest';
import {
  entropy,
  exponential,
  hs,
  kld,
  logSoftmax,
  mitKld,
  mitSimilarity,
  normalize,
  pcc,
  pysaliencyCc,
  pysaliencyKld,
  pysaliencySimilarity,
  saliencyMetrics,
  summarize,
} from '../../../src/mtunet/metrics/index.ts';
import { expectClose, readGolden } from '../../support/oracle.ts';

const { cases, raw, aggregation } = readGolden('oracle/saliency_metrics.json');
const double = { absolute: 1e-12, relative: 1e-12 };

describe.each(cases as { name: string }[])('recorded image $name', (row) => {
  const { logits, gaze, original, other } = row as unknown as {
    logits: number[];
    gaze: number[];
    original: Record<string, number>;
    other: Record<string, number> | null;
  };
  const logPrediction = logSoftmax(logits);
  const p = exponential(logPrediction);
  const q = normalize(gaze);

  it('has the metrics of the released code', () => {
    const got = saliencyMetrics(Float32Array.from(logits), Float32Array.from(gaze));
    expectClose(got.kld, original.KLD, double, 'KLD');
    expectClose(got.pcc, original.CC, double, 'CC');
    expectClose(got.hs, original.HS, double, 'HS');
    expectClose(entropy(q), original.entropy_target, double, 'H(q)');
    expectClose(kld(logPrediction, q) + entropy(q), original.cross_entropy, double, 'H(q, p)');
  });

  it('has the metrics of the benchmarks, or no target at all', () => {
    if (other === null) return expect(q.every(Number.isNaN)).toBe(true);
    expectClose(mitKld(p, q), other.MIT_KLdiv, double, 'MIT KLD');
    expectClose(pysaliencyKld(p, q), other.pysaliency_KLDiv, double, 'pysaliency KLD');
    expectClose(pysaliencyCc(p, q), other.pysaliency_CC, double, 'pysaliency CC');
    expectClose(pysaliencyCc(q, p), other.pysaliency_CC_swapped, double, 'pysaliency CC swapped');
    expectClose(mitSimilarity(p, q), other.MIT_similarity_minmax, double, 'MIT similarity');
    expectClose(pysaliencySimilarity(p, q), other.pysaliency_SIM, double, 'pysaliency SIM');
  });
});

it.each(raw as { name: string }[])('recorded densities $name have the metrics of the benchmarks', (row) => {
  const { pred, target, ...want } = row as unknown as { pred: number[]; target: number[] } & Record<string, number>;
  expectClose(mitKld(pred, target), want.MIT_KLdiv, double, 'MIT KLD');
  expectClose(pysaliencyKld(pred, target), want.pysaliency_KLDiv, double, 'pysaliency KLD');
  expectClose(pysaliencyCc(pred, target), want.pysaliency_CC, double, 'pysaliency CC');
  expectClose(mitSimilarity(pred, target), want.MIT_similarity_minmax, double, 'MIT similarity');
  expectClose(pysaliencySimilarity(pred, target), want.pysaliency_SIM, double, 'pysaliency SIM');
});

it('recorded values have the recorded summary', () => {
  const got = summarize(aggregation.values);
  expectClose(got.mean, aggregation.mean, double, 'mean');
  expectClose(got.median, aggregation.median, double, 'median');
  expectClose(got.stdPopulation, aggregation.std_population, double, 'population deviation');
  expectClose(got.stdSample, aggregation.std_sample, double, 'sample deviation');
  const even = aggregation.values.slice(0, aggregation.values.length - 1);
  expect(even.length % 2).toBe(0);
  expectClose(summarize(even).median, aggregation.median_even, double, 'median of an even count');
});

it('found the recorded tables', () => {
  expect(cases.length).toBeGreaterThan(0);
  expect(raw.length).toBeGreaterThan(0);
});

it('does not mind a constant added to all logits, at the size of the paper', () => {
  const logits = Float64Array.from({ length: 640 * 512 }, (_, i) => ((i * 37) % 101) / 16);
  const gaze = Float64Array.from({ length: 640 * 512 }, (_, i) => (i * 53) % 97);
  const shifted = logits.map((value) => value + 2 ** 20);
  const [first, second] = [saliencyMetrics(logits, gaze), saliencyMetrics(shifted, gaze)];
  for (const key of ['kld', 'pcc', 'hs'] as const) expectClose(second[key], first[key], double, key);
});

it('keeps a NaN visible', () => {
  const map = [0.25, Number.NaN, 0.25, 0.25];
  const uniform = [0.25, 0.25, 0.25, 0.25];
  expect(kld(logSoftmax([1, 2, 3, 4]), map)).toBeNaN();
  expect(kld(logSoftmax(map), uniform)).toBeNaN();
  expect(pcc(map, [1, 2, 3, 4])).toBeNaN();
  expect(hs(map, uniform)).toBeNaN();
  expect(summarize([1, Number.NaN, 2])).toEqual({
    count: 3,
    mean: Number.NaN,
    median: Number.NaN,
    stdPopulation: Number.NaN,
    stdSample: Number.NaN,
  });
  expect(summarize([]).mean).toBeNaN();
  expect(summarize([1])).toEqual({ count: 1, mean: 1, median: 1, stdPopulation: 0, stdSample: Number.NaN });
});

it('refuses maps of different sizes', () => {
  expect(() => hs([1], [0.5, 0.5])).toThrow('hs: needs two non-empty arrays of one length, got 1 and 2 values.');
  expect(() => saliencyMetrics([], [])).toThrow(RangeError);
});
