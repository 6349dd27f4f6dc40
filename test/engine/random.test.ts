import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { normal, normalAt, normalQuantile } from '../../src/engine/normal.ts';
import { deriveKey, permutation, philox, uint32At, uniform, uniform01, uniformAt } from '../../src/engine/random.ts';

const word = fc.integer({ min: 0, max: 0xffffffff });

/** The published definition, with integers of any size. */
function philoxInBigInts(counter: readonly number[], key: readonly number[]): number[] {
  let x = counter.map(BigInt);
  let k = key.map(BigInt);
  for (let round = 0; round < 10; round++) {
    const [a, b] = [0xd2511f53n * x[0], 0xcd9e8d57n * x[2]];
    x = [(b >> 32n) ^ x[1] ^ k[0], b & 0xffffffffn, (a >> 32n) ^ x[3] ^ k[1], a & 0xffffffffn];
    k = [(k[0] + 0x9e3779b9n) & 0xffffffffn, (k[1] + 0xbb67ae85n) & 0xffffffffn];
  }
  return x.map(Number);
}

describe('philox', () => {
  // kat_vectors of Random123, philox4x32 with 10 rounds
  it.each([
    [
      [0, 0, 0, 0],
      [0, 0],
      [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8],
    ],
    [
      [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
      [0xffffffff, 0xffffffff],
      [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
    ],
    [
      [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
      [0xa4093822, 0x299f31d0],
      [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
    ],
  ])('of %j under %j is the published answer', (counter, key, answer) => {
    expect(Array.from(philox(counter, [key[0], key[1]]))).toEqual(answer);
  });

  it('equals the definition for any counter and key', () => {
    fc.assert(
      fc.property(fc.tuple(word, word, word, word), fc.tuple(word, word), (counter, key) => {
        expect(Array.from(philox(counter, key))).toEqual(philoxInBigInts(counter, key));
      }),
      { seed: 11, numRuns: 1000 },
    );
  });
});

describe('numbers by index', () => {
  const key = deriveKey(7, 'numbers');

  it('are the words of consecutive blocks, also beyond 2^32', () => {
    for (const index of [0, 3, 4, 5, 2 ** 32 - 1, 2 ** 34 + 2, Number.MAX_SAFE_INTEGER]) {
      const group = BigInt(index) / 4n;
      const counter = [Number(group & 0xffffffffn), Number(group >> 32n), 9, 0];
      expect(uint32At(key, index, 9)).toBe(philoxInBigInts(counter, key)[index % 4]);
    }
  });

  it('do not depend on how many are drawn', () => {
    const many = uniform(103, -2, 3, key);
    expect(many).toHaveLength(103);
    for (const i of [0, 1, 50, 102]) expect(many[i]).toBe(Math.fround(-2 + 5 * uniformAt(key, i)));
    expect(uniform(3, -2, 3, key)).toEqual(many.slice(0, 3));
    expect(uniform(0, 0, 1, key)).toHaveLength(0);
  });

  it('lie in [0, 1) and float32 holds them exactly', () => {
    expect(uniform01(0xffffffff)).toBe(1 - 2 ** -24);
    expect(uniform01(0xff)).toBe(0);
    fc.assert(
      fc.property(word, (bits) => {
        const value = uniform01(bits);
        expect(value >= 0 && value < 1 && Math.fround(value) === value).toBe(true);
      }),
      { seed: 12 },
    );
  });

  it('are spread evenly', () => {
    // Chi-square over 64 cells, 63 degrees of freedom: mean 63, deviation 11.2; six deviations.
    const count = 65536;
    const cells = new Array<number>(64).fill(0);
    for (const value of uniform(count, 0, 64, key)) cells[Math.floor(value)]++;
    const chiSquare = cells.reduce((total, n) => total + (n - count / 64) ** 2 / (count / 64), 0);
    expect(chiSquare).toBeLessThan(63 + 6 * 11.2);
    expect(chiSquare).toBeGreaterThan(63 - 5 * 11.2);
  });

  it('differ between streams', () => {
    expect(uint32At(key, 0, 1)).not.toBe(uint32At(key, 0, 0));
    expect(uint32At(key, 0)).toBe(uint32At(key, 0, 0));
  });
});

// From an independent implementation of the same definition
const KEYS = [
  [0x6627e8d5, 0xe169c58d],
  [0xf4f74e9d, 0x758c8f18],
  [0xe83d9654, 0x61015bb3],
];

describe('deriveKey', () => {
  it('keeps its values: a change would change every recorded run', () => {
    expect(deriveKey(0, '')).toEqual(KEYS[0]);
    expect(deriveKey(1, 'Conv1.0.weight')).toEqual(KEYS[1]);
    expect(deriveKey(2n ** 64n - 1n, 'Röntgenbild: längerer Name')).toEqual(KEYS[2]);
  });

  it('tells seeds and names apart', () => {
    const names = ['', '\0', '\0\0', 'a', 'b', 'ab', 'Conv1.0.weight', 'Conv1.0.bias', 'x'.repeat(16), 'x'.repeat(17)];
    const seeds = [0, 1, 2, 2 ** 32, 2 ** 32 + 1, Number.MAX_SAFE_INTEGER, 2n ** 63n];
    const keys = seeds.flatMap((seed) => names.map((name) => deriveKey(seed, name).join()));
    expect(new Set(keys).size).toBe(seeds.length * names.length);
    expect(deriveKey(5, 'a')).toEqual(deriveKey(5n, 'a'));
  });

  it.each([-1, 0.5, 2 ** 53, Number.NaN, -1n, 2n ** 64n])('refuses the seed %s', (seed) => {
    expect(() => deriveKey(seed, 'a')).toThrow('A seed must be an integer from 0');
  });
});

describe('permutation', () => {
  it('holds every number once, and differs between keys', () => {
    for (const size of [0, 1, 2, 7, 1000]) {
      expect(Array.from(permutation(size, deriveKey(1, 'p'))).sort((a, b) => a - b)).toEqual(
        Array.from({ length: size }, (_, i) => i),
      );
    }
    expect(permutation(100, deriveKey(1, 'p'))).toEqual(permutation(100, deriveKey(1, 'p')));
    expect(permutation(100, deriveKey(2, 'p'))).not.toEqual(permutation(100, deriveKey(1, 'p')));
  });

  it('draws all orders evenly', () => {
    const draws = 6000;
    const counts = new Map<string, number>();
    for (let seed = 0; seed < draws; seed++) {
      const order = permutation(3, deriveKey(seed, 'orders')).join();
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    expect(counts.size).toBe(6);
    // Binomial deviation 28.9; five of them.
    for (const count of counts.values()) expect(Math.abs(count - draws / 6)).toBeLessThan(5 * 28.9);
  });
});

describe('normal', () => {
  // Quantiles from CPython's statistics.NormalDist and scipy.special.ndtri
  it.each([
    [0.5, 0],
    [0.3, -0.5244005127080408],
    [0.075, -1.4395314709384557],
    [0.0749999, -1.4395321773759007],
    [0.975, 1.9599639845400536],
    [1e-5, -4.2648907939228256],
    [1e-11, -6.706023155495137],
    [2 ** -33, -6.337957754553789],
    [1 - 2 ** -33, 6.337957754553789],
  ])('the quantile of %f is %f', (probability, quantile) => {
    expect(Math.abs(normalQuantile(probability) - quantile)).toBeLessThanOrEqual(1e-15 * (1 + 4 * Math.abs(quantile)));
  });

  it('has no quantile outside (0, 1)', () => {
    for (const probability of [0, 1, -1, Number.NaN]) expect(normalQuantile(probability)).toBeNaN();
  });

  it('has the moments of a Gaussian', () => {
    const count = 40000;
    const values = normal(count, 3, 2, deriveKey(3, 'moments'));
    expect(values[17]).toBe(Math.fround(3 + 2 * normalAt(deriveKey(3, 'moments'), 17)));
    const standard = Array.from(values, (value) => (value - 3) / 2);
    const moment = (power: number) => standard.reduce((total, z) => total + z ** power, 0) / count;
    // Five standard errors: sqrt(1, 2, 15, 96) / sqrt(count)
    for (const [power, want, spread] of [
      [1, 0, 1],
      [2, 1, Math.sqrt(2)],
      [3, 0, Math.sqrt(15)],
      [4, 3, Math.sqrt(96)],
    ]) {
      expect(Math.abs(moment(power) - want)).toBeLessThan((5 * spread) / Math.sqrt(count));
    }
  });
});
