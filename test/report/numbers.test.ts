import { describe, expect, test } from 'vitest';
import { integerTicks, logTicks, scientific } from '../../src/report/axis.ts';
import { count, duration, enumerate, fixed, median, percent, sampleStd } from '../../src/report/numbers.ts';

describe('medians and spreads', () => {
  test('of an odd and of an even number of values, in any order', () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 3, 2])).toBe(2.5);
    expect(sampleStd([2, 4, 4, 4, 5, 5, 7, 9])).toBeCloseTo(Math.sqrt(32 / 7), 14);
  });

  test('pass over what is not a finite number', () => {
    expect(median([Number.NaN, null, 5, undefined, Number.POSITIVE_INFINITY])).toBe(5);
    expect(median([null, Number.NaN])).toBeNull();
    expect(sampleStd([5, Number.NaN])).toBeNull();
    expect(sampleStd([5])).toBeNull();
  });
});

describe('how numbers are written', () => {
  test('three digits, a true minus, no negative zero, n/a for the rest', () => {
    expect([0.7264, -0.5, -0.0001].map((value) => fixed(value))).toEqual(['0.726', '\u22120.500', '0.000']);
    expect([Number.NaN, Number.POSITIVE_INFINITY, null, undefined].map((value) => fixed(value))).toEqual(
      Array(4).fill('n/a'),
    );
    expect([percent(0.333), percent(Number.NaN)]).toEqual(['33 %', 'n/a']);
  });

  test('times and lists as one says them', () => {
    expect([4.04, 95, 601, 7380].map(duration)).toEqual(['4.0 s', '95 s', '10 min', '2 h 3 min']);
    expect([[], ['a'], ['a', 'b'], ['a', 'b', 'c']].map(enumerate)).toEqual(['', 'a', 'a and b', 'a, b and c']);
    expect([count(1, 'seed'), count(3, 'seed')]).toEqual(['1 seed', '3 seeds']);
  });
});

describe('ticks', () => {
  test('epochs are whole', () => {
    expect(integerTicks(1)).toEqual([0, 1]);
    expect(integerTicks(3)).toEqual([0, 1, 2, 3]);
    expect(integerTicks(24)).toEqual([0, 5, 10, 15, 20]);
    expect(integerTicks(0)).toEqual([0]);
  });

  test.each([
    [6.5e-4, 1.05e-3],
    [6e-5, 1.1e-3],
    [1e-8, 1e-3],
    [1e-30, 1],
  ])('rates from %d to %d have two to six places, all inside', (low, high) => {
    const ticks = logTicks(low, high);
    expect(ticks.length).toBeGreaterThanOrEqual(2);
    expect(ticks.length).toBeLessThanOrEqual(6);
    expect(ticks.every((tick) => tick >= low * 0.999 && tick <= high * 1.001)).toBe(true);
  });

  test('powers of ten', () => {
    expect([1e-3, 2e-4, 1, 3e12].map(scientific)).toEqual([
      '10\u207b\u00b3',
      '2\u00b710\u207b\u2074',
      '10\u2070',
      '3\u00b710\u00b9\u00b2',
    ]);
  });
});
