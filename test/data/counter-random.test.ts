import { describe, expect, it } from 'vitest';
import { randomStream, shuffledIndices } from '../../src/data/counter-random.ts';

function draws(seed: number, name: string, count: number): number[] {
  const random = randomStream(seed, name);
  return Array.from({ length: count }, () => random.next());
}

describe('randomStream', () => {
  it('depends on seed and name and on nothing else', () => {
    expect(draws(1, 'a', 50)).toEqual(draws(1, 'a', 50));
    for (const other of [draws(2, 'a', 50), draws(1, 'b', 50)]) {
      const same = draws(1, 'a', 50).filter((value, i) => value === other[i]);
      expect(same).toEqual([]);
    }
  });

  it('gives these bits, on every engine', () => {
    expect(draws(7, 'recorded', 4).map((value) => value * 2 ** 32)).toEqual([
      3707789661, 854525114, 761918277, 304031027,
    ]);
  });

  it('is uniform: mean, variance and each tenth of the range', () => {
    const values = draws(3, 'uniform', 100_000);
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
    expect(Math.abs(mean - 0.5)).toBeLessThan(0.004); // standard error 0.0009
    expect(Math.abs(variance - 1 / 12)).toBeLessThan(0.002);
    const tenths = new Array(10).fill(0);
    for (const value of values) tenths[Math.floor(value * 10)]++;
    for (const count of tenths) expect(Math.abs(count - 10_000)).toBeLessThan(450); // standard error 95
  });

  it('does not repeat one value in the next, nor one stream in the neighbour', () => {
    const correlation = (a: number[], b: number[]): number =>
      (12 * a.reduce((sum, value, i) => sum + (value - 0.5) * (b[i] - 0.5), 0)) / a.length;
    const values = draws(3, 'correlation', 50_001);
    expect(Math.abs(correlation(values.slice(0, -1), values.slice(1)))).toBeLessThan(0.02);
    expect(Math.abs(correlation(values, draws(4, 'correlation', 50_001)))).toBeLessThan(0.02);
  });

  it('draws Gaussians of mean 0, standard deviation 1 and the right tails', () => {
    const random = randomStream(5, 'normal');
    const values = Array.from({ length: 50_000 }, () => random.normal());
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const variance = values.reduce((sum, value) => sum + value * value, 0) / values.length;
    expect(Math.abs(mean)).toBeLessThan(0.02);
    expect(Math.abs(variance - 1)).toBeLessThan(0.03);
    const beyondTwo = values.filter((value) => Math.abs(value) > 2).length / values.length;
    expect(Math.abs(beyondTwo - 0.0455)).toBeLessThan(0.005);
  });

  it.each([-1, 1.5, 2 ** 32, Number.NaN])('refuses the seed %s by its value', (seed) => {
    expect(() => randomStream(seed, 'a')).toThrow(String(seed));
  });
});

describe('shuffledIndices', () => {
  it('is a permutation, and every item reaches every place', () => {
    const seen = new Set<string>();
    for (let seed = 0; seed < 300; seed++) {
      const order = [...shuffledIndices(5, randomStream(seed, 'shuffle'))];
      expect([...order].sort()).toEqual([0, 1, 2, 3, 4]);
      for (const [place, item] of order.entries()) seen.add(`${item}@${place}`);
    }
    expect(seen.size).toBe(25);
  });
});
