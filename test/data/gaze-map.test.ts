import { describe, expect, it } from 'vitest';
import { gazeBlur, gazeDots, gazeMap } from '../../src/data/gaze-map.ts';

const size = { height: 96, width: 64 };

describe('gazeBlur', () => {
  it('is the released blur, 75.5 px of 3200 rows cut at 250 px, at one fifth of the size', () => {
    expect(gazeBlur(640)).toEqual({ sigma: 15.1, size: 101 });
    expect(gazeBlur(3200)).toEqual({ sigma: 75.5, size: 501 });
    expect(gazeBlur(96).sigma).toBeCloseTo(2.265, 12);
  });
});

describe('gazeDots', () => {
  it('counts repeated looks and drops those beside the film', () => {
    const points = Float64Array.from([3.2, 1.9, 3.7, 1.1, -0.1, 5, 64, 5, 5, -1e-9, 5, 96, 63.99, 95.99]);
    const dots = gazeDots(points, size);
    expect(dots[1 * 64 + 3]).toBe(2);
    expect(dots[95 * 64 + 63]).toBe(1);
    expect(dots.reduce((sum, count) => sum + count, 0)).toBe(3);
  });
});

describe('gazeMap', () => {
  it('peaks at 1 where the eyes rested, falls off as the Gaussian, and has minimum 0', () => {
    const map = gazeMap(Float64Array.from([20.5, 40.5]), size);
    expect(map.indexOf(1)).toBe(40 * 64 + 20);
    expect(Math.min(...map)).toBe(0);
    expect(map[40 * 64 + 22]).toBeCloseTo(Math.exp(-4 / (2 * 2.265 ** 2)), 6);
    expect(map[42 * 64 + 20]).toBe(map[40 * 64 + 22]);
  });

  it('weighs places by the time spent there', () => {
    const points = Float64Array.from([10.5, 20.5, 10.5, 20.5, 10.5, 20.5, 10.5, 20.5, 50.5, 80.5]);
    const map = gazeMap(points, size);
    expect(map[20 * 64 + 10]).toBe(1);
    expect(map[80 * 64 + 50]).toBeCloseTo(0.25, 6);
  });

  it('refuses a reading that never met the film', () => {
    expect(() => gazeMap(Float64Array.from([-5, 3]), size)).toThrow('at least one gaze sample');
  });
});
