/** The error measure of the recorded values: |got - expected| <= absolute + relative * max |expected| over the tensor. */
import { expect } from 'vitest';

export interface Tolerance {
  readonly absolute: number;
  readonly relative: number;
  /** The expected values are approximations, whose error says nothing of the device: it does not count in largestError. */
  readonly approximate?: boolean;
}

/** Tolerance of the recorded operations (golden/oracle/README.md). */
export const OPERATION: Tolerance = { absolute: 1e-6, relative: 1e-5 };

type Numbers = ArrayLike<number>;

/** The largest error of all comparisons so far, in units of what was allowed: above 1 a test has failed. */
export const largestError = { share: 0, what: '' };

export function noteError(error: number, allowed: number, what: string): void {
  if (allowed > 0 && error / allowed > largestError.share)
    Object.assign(largestError, { share: error / allowed, what });
}

export function expectAllClose(
  got: Numbers | number,
  expected: Numbers | number,
  what: string,
  { absolute, relative, approximate = false }: Tolerance = OPERATION,
): void {
  const a = typeof got === 'number' ? [got] : got;
  const b = typeof expected === 'number' ? [expected] : expected;
  expect(a.length, `${what}: number of elements`).toBe(b.length);
  let largest = 0;
  for (let i = 0; i < b.length; i++) largest = Math.max(largest, Math.abs(b[i]));
  const allowed = absolute + relative * largest;
  let worst = -1;
  let error = 0;
  for (let i = 0; i < b.length; i++) {
    const distance = Object.is(a[i], b[i]) ? 0 : Math.abs(a[i] - b[i]);
    if (!(distance <= error)) {
      error = Number.isNaN(distance) ? Number.POSITIVE_INFINITY : distance;
      worst = i;
    }
  }
  if (!approximate) noteError(error, allowed, what);
  expect(
    error,
    `${what}: element ${worst} is ${a[worst]}, expected ${b[worst]}, allowed error ${allowed}`,
  ).toBeLessThanOrEqual(allowed);
}
