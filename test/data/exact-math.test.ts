/** The engine's own functions are within an ulp or so of the truth: good enough to judge ours to 1e-12. */
import { describe, expect, it } from 'vitest';
import { cos, exp, log, power, sin } from '../../src/data/exact-math.ts';

/** `count` values spread evenly over [low, high]. */
function spread(low: number, high: number, count = 4001): number[] {
  return Array.from({ length: count }, (_, i) => low + ((high - low) * i) / (count - 1));
}

function worstRelative(values: number[], ours: (x: number) => number, theirs: (x: number) => number): number {
  return Math.max(...values.map((x) => Math.abs(ours(x) - theirs(x)) / Math.abs(theirs(x))));
}

function worstAbsolute(values: number[], ours: (x: number) => number, theirs: (x: number) => number): number {
  return Math.max(...values.map((x) => Math.abs(ours(x) - theirs(x))));
}

describe('exact-math', () => {
  it('agrees with Math.exp from the smallest to the largest results', () => {
    expect(worstRelative(spread(-700, 709.7), exp, Math.exp)).toBeLessThan(1e-14);
    expect(worstRelative(spread(-1, 1), exp, Math.exp)).toBeLessThan(1e-15);
  });

  it('agrees with Math.log over the exponent range and near 1', () => {
    const wide = spread(-1000, 1000).map((e) => 1.3 * 2 ** e);
    expect(worstRelative(wide, log, Math.log)).toBeLessThan(1e-14);
    expect(worstAbsolute(spread(0.5, 2), log, Math.log)).toBeLessThan(1e-15);
  });

  it('agrees with Math.sin and Math.cos over thousands of turns', () => {
    for (const reach of [1, 10, 1e4]) {
      expect(worstAbsolute(spread(-reach, reach), sin, Math.sin)).toBeLessThan(1e-14);
      expect(worstAbsolute(spread(-reach, reach), cos, Math.cos)).toBeLessThan(1e-14);
    }
  });

  it('agrees with Math.pow for bases of an exposure curve', () => {
    for (const y of [0.5, 0.9, 1.15, 2.4]) {
      const ours = (x: number) => power(x, y);
      expect(worstRelative(spread(1e-6, 2), ours, (x) => x ** y)).toBeLessThan(1e-13);
    }
  });

  it('knows the ends', () => {
    expect([exp(0), exp(-1e4), exp(1e4)]).toEqual([1, 0, Number.POSITIVE_INFINITY]);
    expect([log(1), log(0), log(-1)]).toEqual([0, Number.NEGATIVE_INFINITY, Number.NaN]);
    expect([power(0, 2), power(0, 0), power(3, 0)]).toEqual([0, 1, 1]);
    expect([sin(0), cos(0)]).toEqual([0, 1]);
  });
});
