import { describe, expect, it } from 'vitest';
import { centreBiasMap, constantMap, mostFrequentClass } from '../../src/data/baselines.ts';
import type { ChestSample } from '../../src/data/dataset.ts';

function sample(label: number, gaze: number[]): ChestSample {
  return {
    id: `film-${label}`,
    patient: 'p',
    label,
    image: new Float32Array(gaze.length),
    gaze: Float32Array.from(gaze),
  };
}

describe('constantMap', () => {
  it('is one over the number of pixels', () => {
    expect([...constantMap(2, 4)]).toEqual(new Array(8).fill(0.125));
  });
});

describe('centreBiasMap', () => {
  it('averages probabilities, not raw maps, together with one constant map', () => {
    const map = centreBiasMap([sample(0, [1, 0, 0, 0]), sample(1, [0, 1, 1, 0])]);
    const expected = [1 + 0.25, 0.5 + 0.25, 0.5 + 0.25, 0.25].map((value) => value / 3);
    for (const [i, value] of expected.entries()) expect(map[i]).toBeCloseTo(value, 12);
  });

  it('sums to 1 and is never 0', () => {
    const map = centreBiasMap([sample(0, [0, 0, 3]), sample(0, [0, 0, 1])]);
    expect(map.reduce((sum, value) => sum + value, 0)).toBeCloseTo(1, 14);
    expect(Math.min(...map)).toBeGreaterThan(0);
  });

  it('refuses no samples, and samples of different sizes', () => {
    expect(() => centreBiasMap([])).toThrow('at least one sample');
    expect(() => centreBiasMap([sample(0, [1, 2]), sample(1, [1, 2, 3])])).toThrow(/film-1 has 3 .* film-0 has 2/);
  });
});

describe('mostFrequentClass', () => {
  it('counts labels, and takes the lowest of equals', () => {
    const of = (...labels: number[]) => mostFrequentClass(labels.map((label) => sample(label, [1])));
    expect(of(0, 2, 1, 2)).toBe(2);
    expect(of(2, 1, 2, 1)).toBe(1);
    expect(of(1, 0, 0, 1)).toBe(0);
    expect(of(2)).toBe(2);
    expect(() => mostFrequentClass([])).toThrow('at least one sample');
  });
});
