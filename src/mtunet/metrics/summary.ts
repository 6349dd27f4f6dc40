/**
 * Summary of per-image or per-run values.
 *
 *   mean = sum x / n,  std = sqrt(sum (x - mean)^2 / (n - d)),  d = 0 population, d = 1 sample
 *
 * The released code reports mean, median and the population deviation over images; a table over runs wants the sample
 * deviation. A NaN among the values makes every statistic NaN: leaving it out would hide a failed image.
 */
import { sum, type Values } from './probability.ts';

export interface Summary {
  readonly count: number;
  readonly mean: number;
  readonly median: number;
  /** ddof 0, as numpy.std. */
  readonly stdPopulation: number;
  /** ddof 1; NaN for a single value. */
  readonly stdSample: number;
}

/** Values of one unit -> statistics of that unit; all NaN for no values. */
export function summarize(values: Values): Summary {
  const count = values.length;
  const center = mean(values);
  let squares = 0;
  for (let i = 0; i < count; i++) squares += (values[i] - center) ** 2;
  return {
    count,
    mean: center,
    median: median(values),
    stdPopulation: Math.sqrt(squares / count),
    stdSample: count > 1 ? Math.sqrt(squares / (count - 1)) : Number.NaN,
  };
}

/** Arithmetic mean; NaN for no values. */
export function mean(values: Values): number {
  return sum(values) / values.length;
}

/** Middle value, or the mean of the two middle ones; NaN for no values. */
export function median(values: Values): number {
  const sorted = Float64Array.from(values).sort();
  const half = sorted.length >> 1;
  // Float64Array sorts NaN last: one is there exactly when the last value is NaN.
  if (sorted.length === 0 || Number.isNaN(sorted[sorted.length - 1])) return Number.NaN;
  return sorted.length % 2 === 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}
