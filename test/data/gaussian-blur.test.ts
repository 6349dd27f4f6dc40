import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { gaussianBlur, gaussianKernel, reflect101 } from '../../src/data/gaussian-blur.ts';

/** The definition: every output pixel a double sum, borders walked one step at a time. */
function plainBlur(source: number[], height: number, width: number, kernel: Float64Array): number[] {
  const radius = (kernel.length - 1) / 2;
  const walk = (start: number, steps: number, count: number): number => {
    let at = start;
    let direction = Math.sign(steps);
    for (let left = Math.abs(steps); left > 0 && count > 1; left--) {
      if (at + direction < 0 || at + direction >= count) direction = -direction;
      at += direction;
    }
    return at;
  };
  return source.map((_, i) => {
    let sum = 0;
    for (let dy = -radius; dy <= radius; dy++) {
      for (let dx = -radius; dx <= radius; dx++) {
        const row = walk(Math.floor(i / width), dy, height);
        const column = walk(i % width, dx, width);
        sum += kernel[dy + radius] * kernel[dx + radius] * source[row * width + column];
      }
    }
    return sum;
  });
}

describe('gaussianKernel', () => {
  it('sums to 1, is symmetric and falls off from the middle', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 40 }), fc.double({ min: 0.3, max: 20, noNaN: true }), (radius, sigma) => {
        const kernel = gaussianKernel(2 * radius + 1, sigma);
        expect(kernel.reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(1, 12);
        for (let i = 0; i < radius; i++) {
          expect(kernel[i]).toBe(kernel[2 * radius - i]);
          expect(kernel[i]).toBeLessThanOrEqual(kernel[i + 1]);
        }
      }),
    );
  });

  it('takes the ratio of neighbours from sigma', () => {
    const kernel = gaussianKernel(9, 1.7);
    expect(kernel[5] / kernel[4]).toBeCloseTo(Math.exp(-1 / (2 * 1.7 * 1.7)), 14);
  });

  it('leaves the fixed tables for a sigma that is given', () => {
    expect([...gaussianKernel(3, 0)]).toEqual([0.25, 0.5, 0.25]);
    expect(gaussianKernel(3, 0.8)[1]).not.toBe(0.5);
  });

  it.each([0, 4, -3, 2.5])('refuses the size %s', (size) => {
    expect(() => gaussianKernel(size, 1)).toThrow(`got ${size}`);
  });
});

describe('reflect101', () => {
  it('does not repeat the edge, and reflects again and again', () => {
    expect([-5, -4, -3, -2, -1, 0, 1, 2, 3, 4, 5, 6].map((i) => reflect101(i, 3))).toEqual([
      1, 0, 1, 2, 1, 0, 1, 2, 1, 0, 1, 2,
    ]);
    expect([-2, 0, 7].map((i) => reflect101(i, 1))).toEqual([0, 0, 0]);
  });
});

describe('gaussianBlur', () => {
  it('equals the double sum, also where the kernel is larger than the image', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 6 }),
        fc.integer({ min: 1, max: 6 }),
        fc.integer({ min: 0, max: 9 }),
        fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 36, maxLength: 36 }),
        (height, width, radius, values) => {
          const source = values.slice(0, height * width);
          const options = { height, width, size: 2 * radius + 1, sigma: 1.5 };
          const expected = plainBlur(source, height, width, gaussianKernel(options.size, options.sigma));
          const blurred = gaussianBlur(source, options);
          for (let i = 0; i < expected.length; i++) expect(blurred[i]).toBeCloseTo(expected[i], 11);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('keeps a constant image', () => {
    const blurred = gaussianBlur(new Float32Array(35).fill(0.5), { height: 5, width: 7, size: 21, sigma: 0 });
    for (const value of blurred) expect(value).toBeCloseTo(0.5, 14);
  });

  it('refuses a size that does not fit, with both numbers', () => {
    expect(() => gaussianBlur([1, 2, 3], { height: 2, width: 2, size: 3, sigma: 0 })).toThrow(/3 values.*2 x 2/);
  });
});
