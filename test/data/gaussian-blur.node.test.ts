/** Kernels and a blurred image recorded from OpenCV: oracle/gaussian_blur.json in the folder of golden values. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { gaussianBlur, gaussianKernel } from '../../src/data/gaussian-blur.ts';

const golden = process.env.GOLDEN ?? 'test/golden';
const recorded = JSON.parse(readFileSync(join(golden, 'oracle', 'gaussian_blur.json'), 'utf8'));

/** OpenCV computed these in float32 or float64, depending on the call. */
const TOLERANCE = 1e-7;

function expectClose(actual: ArrayLike<number>, expected: readonly number[], tolerance: number): void {
  expect(actual.length).toBe(expected.length);
  for (let i = 0; i < expected.length; i++) expect(Math.abs(actual[i] - expected[i])).toBeLessThanOrEqual(tolerance);
}

describe('gaussian blur against recorded values', () => {
  // kernel31: all weights for size 31; kernel501_center: the middle of those for size 501.
  const kernels = Object.keys(recorded).filter((key) => /^kernel\d+(_center)?$/.test(key));

  it('finds recorded kernels', () => expect(kernels.length).toBeGreaterThan(0));

  it.each(kernels)('%s', (key) => {
    const expected: number[] = recorded[key];
    const size = Number(/\d+/.exec(key)?.[0]);
    const kernel = gaussianKernel(size, 0);
    const start = (size - expected.length) / 2;
    expectClose(kernel.subarray(start, start + expected.length), expected, 1e-12);
  });

  it('an image with sigma from the kernel size', () => {
    const source: number[][] = recorded.src;
    const blurred = gaussianBlur(source.flat(), {
      height: source.length,
      width: source[0].length,
      size: recorded.ksize,
      sigma: 0,
    });
    expectClose(blurred, recorded.cv_sigma0.flat(), TOLERANCE);
  });
});
