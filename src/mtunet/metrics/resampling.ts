/**
 * Bootstrap intervals. A statistic is a function of how often each image counts, so that one sorting serves every resample.
 *
 *   percentile   [q_(alpha/2), q_(1-alpha/2)] of the resampled statistics
 *   BCa          the quantiles at Phi(z0 + (z0 + z) / (1 - a (z0 + z))), z0 from the share below the estimate, a from the jackknife
 *   crossed      of paired runs: draw trainings and, at the same time, images; the mean over the drawn trainings of the difference
 *
 * Draws are stratified when classes are given: each class keeps its number of images.
 * Source: Efron & Tibshirani 1993, An Introduction to the Bootstrap, 13.3 and 14.3; Owen 2007, Ann. Appl. Stat. 1, 386-411 (crossed).
 */
import type { Values } from './probability.ts';
import { normalQuantile, normalTail } from './special-functions.ts';

/** @param weights how often each image counts */
export type Statistic = (weights: Values) => number;

export interface Interval {
  readonly estimate: number;
  readonly low: number;
  readonly high: number;
}

export interface BootstrapOptions {
  readonly resamples?: number;
  /** Share that the interval covers. */
  readonly level?: number;
  readonly seed?: number;
  /** One class index an image. */
  readonly strata?: Values;
  readonly method?: 'percentile' | 'bca';
}

/** Numbers in [0, 1) that depend on the seed alone (mulberry32). */
export function randomNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Of one statistic over `images` images; NaN throughout where the estimate is NaN. */
export function bootstrap(statistic: Statistic, images: number, options: BootstrapOptions = {}): Interval {
  const { resamples = 2000, level = 0.95, seed = 1, strata, method = 'percentile' } = options;
  const whole = new Float64Array(images).fill(1);
  const estimate = statistic(whole);
  const draw = drawer(images, strata, randomNumbers(seed));
  const values = Float64Array.from({ length: resamples }, () => statistic(draw())).sort();
  const tail = (1 - level) / 2;
  if (method === 'percentile') return { estimate, low: quantile(values, tail), high: quantile(values, 1 - tail) };
  const below =
    values.filter((value) => value < estimate).length + values.filter((value) => value === estimate).length / 2;
  const bias = normalQuantile(below / resamples);
  const acceleration = accelerationOf(statistic, whole);
  const at = (share: number) => {
    const z = bias + normalQuantile(share);
    return quantile(values, lowerTail(bias + z / (1 - acceleration * z)));
  };
  return { estimate, low: at(tail), high: at(1 - tail) };
}

/** Of the mean difference a - b between runs that are paired by seed and measured on the same images. */
export function crossedBootstrap(
  pairs: readonly (readonly [Statistic, Statistic])[],
  images: number,
  { resamples = 2000, level = 0.95, seed = 1, strata }: Omit<BootstrapOptions, 'method'> = {},
): Interval {
  const random = randomNumbers(seed);
  const draw = drawer(images, strata, random);
  const whole = new Float64Array(images).fill(1);
  const difference = ([a, b]: readonly [Statistic, Statistic], weights: Values) => a(weights) - b(weights);
  const meanOver = (chosen: readonly (readonly [Statistic, Statistic])[], weights: Values) =>
    chosen.reduce((total, pair) => total + difference(pair, weights), 0) / chosen.length;
  const values = Float64Array.from({ length: resamples }, () => {
    const weights = draw();
    return meanOver(
      pairs.map(() => pairs[Math.floor(random() * pairs.length)]),
      weights,
    );
  }).sort();
  const tail = (1 - level) / 2;
  return { estimate: meanOver(pairs, whole), low: quantile(values, tail), high: quantile(values, 1 - tail) };
}

/** The mean of one value an image. */
export function meanStatistic(values: Values): Statistic {
  return (weights) => {
    let [total, count] = [0, 0];
    for (let i = 0; i < values.length; i++) {
      if (weights[i] === 0) continue;
      total += weights[i] * values[i];
      count += weights[i];
    }
    return total / count;
  };
}

/** Two-class AUC, ties 1/2; `classes` is 1 for a positive, 0 for a negative, anything else has no part. */
export function aucStatistic(classes: Values, scores: Values): Statistic {
  const order = Array.from(scores, (_, i) => i)
    .filter((i) => classes[i] === 0 || classes[i] === 1)
    .sort((i, j) => scores[i] - scores[j]);
  const isNan = order.some((i) => Number.isNaN(scores[i]));
  return (weights) => {
    if (isNan) return Number.NaN;
    let [area, positives, negatives] = [0, 0, 0];
    for (let start = 0; start < order.length; ) {
      let end = start;
      let [up, down] = [0, 0];
      for (; end < order.length && scores[order[end]] === scores[order[start]]; end++) {
        if (classes[order[end]] === 1) up += weights[order[end]];
        else down += weights[order[end]];
      }
      area += up * (negatives + down / 2);
      positives += up;
      negatives += down;
      start = end;
    }
    return area / (positives * negatives);
  };
}

function drawer(images: number, strata: Values | undefined, random: () => number): () => Float64Array {
  const groups = new Map<number, number[]>();
  for (let i = 0; i < images; i++) {
    const group = strata?.[i] ?? 0;
    groups.set(group, [...(groups.get(group) ?? []), i]);
  }
  return () => {
    const weights = new Float64Array(images);
    for (const members of groups.values())
      for (let k = 0; k < members.length; k++) weights[members[Math.floor(random() * members.length)]]++;
    return weights;
  };
}

/** Linear between order statistics, as numpy's default; NaN when a resample was NaN. */
function quantile(sorted: Float64Array, share: number): number {
  if (sorted.length === 0 || Number.isNaN(sorted[sorted.length - 1]) || Number.isNaN(share)) return Number.NaN;
  const place = share * (sorted.length - 1);
  const low = Math.floor(place);
  const high = Math.min(low + 1, sorted.length - 1);
  return sorted[low] + (place - low) * (sorted[high] - sorted[low]);
}

function accelerationOf(statistic: Statistic, whole: Float64Array): number {
  const left = Array.from(whole, (_, i) => {
    const weights = whole.slice();
    weights[i] = 0;
    return statistic(weights);
  });
  const mean = left.reduce((total, value) => total + value, 0) / left.length;
  const [squares, cubes] = left.reduce(([s, c], value) => [s + (mean - value) ** 2, c + (mean - value) ** 3], [0, 0]);
  return squares === 0 ? 0 : cubes / (6 * squares ** 1.5);
}

function lowerTail(z: number): number {
  return z < 0 ? normalTail(z) / 2 : 1 - normalTail(z) / 2;
}
