/**
 * Probability maps: a grid of any shape, flattened row-major, whose values are non-negative and sum to 1.
 *
 *   prediction  p = exp(lp),  lp_i = z_i - max z - ln sum_j exp(z_j - max z)     (log-softmax over all H W pixels)
 *   target      q = gaze / sum gaze
 *
 * Source: the released code, which adds no epsilon anywhere: an all-zero gaze map has no distribution and gives NaN.
 * Everything is accumulated in float64, whatever the input holds.
 */

/** Float32Array, Float64Array or a plain array. */
export type Values = ArrayLike<number>;

/** Throws a RangeError unless both hold the same number of values, and at least one. */
export function checkSameLength(what: string, first: Values, second: Values): void {
  if (first.length !== second.length || first.length === 0) {
    throw new RangeError(
      `${what}: needs two non-empty arrays of one length, got ${first.length} and ${second.length} values.`,
    );
  }
}

/** H W logits -> H W natural logarithms of probabilities. Unchanged by adding a constant to all logits. */
export function logSoftmax(logits: Values): Float64Array {
  let peak = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < logits.length; i++) {
    if (Number.isNaN(logits[i])) return new Float64Array(logits.length).fill(Number.NaN);
    peak = Math.max(peak, logits[i]);
  }
  let total = 0;
  for (let i = 0; i < logits.length; i++) total += Math.exp(logits[i] - peak);
  const logTotal = Math.log(total);
  // (z - peak) first: z - (peak + logTotal) would round logTotal away for logits of 1e4 and more.
  return Float64Array.from(logits, (logit) => logit - peak - logTotal);
}

/** H W log-probabilities -> H W probabilities. */
export function exponential(logProbabilities: Values): Float64Array {
  return Float64Array.from(logProbabilities, (value) => Math.exp(value));
}

/** Sum in float64. */
export function sum(values: Values): number {
  let total = 0;
  for (let i = 0; i < values.length; i++) total += values[i];
  return total;
}

/** H W non-negative values of any scale -> the same values divided by their sum; NaN everywhere for an all-zero map. */
export function normalize(density: Values): Float64Array {
  const total = sum(density);
  return Float64Array.from(density, (value) => value / total);
}
