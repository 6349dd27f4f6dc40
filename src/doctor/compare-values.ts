/** The error measure of all checks: in units of the tolerance, so that 1 is the largest error that passes. */

export interface Worst {
  error: number;
  where: string;
}

/** Keeps the larger error; NaN counts as infinite. */
export function keepWorst(worst: Worst, error: number, where: string): void {
  const measured = Number.isNaN(error) ? Number.POSITIVE_INFINITY : error;
  if (measured > worst.error || worst.where === '') Object.assign(worst, { error: measured, where });
}

/**
 * max |got - expected| / (tolerance max |expected|). Where NaN or an infinity is expected, the same is demanded. `floor` is the least size
 * that the error is compared with.
 */
export function errorOf(got: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number, floor: number): number {
  if (got.length !== expected.length) return Number.POSITIVE_INFINITY;
  let [largest, error] = [floor, 0];
  for (let i = 0; i < expected.length; i++) {
    if (Number.isFinite(expected[i])) {
      largest = Math.max(largest, Math.abs(expected[i]));
      const distance = Math.abs(got[i] - expected[i]);
      if (!(distance <= error)) error = Number.isFinite(distance) ? distance : Number.POSITIVE_INFINITY;
    } else if (!Object.is(got[i], expected[i])) return Number.POSITIVE_INFINITY;
  }
  return error / (tolerance * largest);
}

/** A scalar of a step arrives as a number. */
export const listOf = (values: ArrayLike<number> | number): ArrayLike<number> =>
  typeof values === 'number' ? [values] : values;
