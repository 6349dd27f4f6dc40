/**
 * McNemar's exact test of two classifiers' accuracies on the same images.
 *
 *   p = min(1, 2 P(X <= min(b, c))),  X ~ Binomial(b + c, 1/2)
 *
 * b and c count the images that only the first, or only the second, classifies correctly.
 */
export function mcnemarExact(b: number, c: number): number {
  if (!Number.isInteger(b) || !Number.isInteger(c) || b < 0 || c < 0) {
    throw new RangeError(`mcnemarExact: needs two counts, got ${b} and ${c}.`);
  }
  const trials = b + c;
  // Terms relative to the largest one kept, so that 2^-trials cannot underflow to a p of 0.
  const least = Math.min(b, c);
  let term = 1;
  let total = 1;
  for (let k = least; k > 0; k--) {
    term *= k / (trials - k + 1);
    total += term;
  }
  let logTerm = -trials * Math.LN2;
  for (let k = 1; k <= least; k++) logTerm += Math.log((trials - k + 1) / k);
  return Math.min(1, 2 * total * Math.exp(logTerm));
}
