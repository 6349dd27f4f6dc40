/** The four verdicts, by hand and by simulation: how often each is wrong, and how often a planned number of seeds decides. */
import { describe, expect, it } from 'vitest';
import {
  crossedMean,
  independentMean,
  type MeanEstimate,
  meanInterval,
  randomNumbers,
} from '../../../src/mtunet/metrics/index.ts';
import { decide, decideTogether, type Plan, plannedSeeds, verdictWord } from '../../../src/report/verdicts/decide.ts';

const plan: Plan = { direction: 'higher', smallestEffect: 0.05, alpha: 0.05, power: 0.8 };
const lower: Plan = { ...plan, direction: 'lower' };
const equal: Plan = { ...plan, direction: 'equal' };
const found = (mean: number, standardError: number): MeanEstimate => ({ mean, standardError, degrees: 19 });

/** Box and Muller. */
function normals(seed: number): () => number {
  const random = randomNumbers(seed);
  return () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

/** Shares of each verdict over simulated experiments. */
function shares(one: Plan, n: number, effect: number, deviation: number, repetitions = 4000, comparisons = 1) {
  const normal = normals(7);
  const counts: Record<string, number> = { holds: 0, contradicted: 0, 'no effect larger than x': 0, undecided: 0 };
  for (let k = 0; k < repetitions; k++) {
    const differences = Array.from({ length: n }, () => effect + deviation * normal());
    counts[verdictWord({ ...one, alpha: one.alpha / comparisons }, independentMean(differences))] += 1 / repetitions;
  }
  return counts;
}

it('says what the intervals say', () => {
  // t(0.975, 19) = 2.093, t(0.95, 19) = 1.729
  expect(decide(plan, found(0.1, 0.02), 20).verdict).toBe('holds');
  expect(decide(plan, found(-0.1, 0.02), 20).verdict).toBe('contradicted');
  expect(decide(lower, found(-0.1, 0.02), 20).verdict).toBe('holds');
  expect(decide(lower, found(0.1, 0.02), 20).verdict).toBe('contradicted');
  expect(decide(plan, found(0.01, 0.02), 20)).toMatchObject({ verdict: 'no effect larger than x', x: 0.05 });
  expect(decide(plan, found(0.02, 0.02), 20).verdict).toBe('undecided');
  expect(decide(equal, found(0.01, 0.02), 20).verdict).toBe('holds');
  expect(decide(equal, found(-0.1, 0.02), 20).verdict).toBe('contradicted');
  expect(decide(equal, found(0.08, 0.02), 20).verdict).toBe('undecided');
  const { effect, interval } = decide(lower, found(-0.1, 0.02), 20);
  expect([effect, ...interval].map((value) => value.toFixed(4))).toEqual(['-0.1000', '-0.1419', '-0.0581']);
});

it('calls a certain difference that is too small to matter no effect', () => {
  expect(decide(plan, found(0.01, 0.001), 20).verdict).toBe('no effect larger than x');
  expect(decide(plan, found(-0.01, 0), 20).verdict).toBe('no effect larger than x');
  expect(decide(plan, found(0.06, 0), 20).verdict).toBe('holds');
});

it('corrects for the comparisons of a claim', () => {
  // p = 0.0217 of the t test, and 0.0300 of TOST: each below 0.05 and above 0.05 / 5.
  for (const difference of [found(0.05, 0.02), found(0.01, 0.02)]) {
    expect(decide(plan, difference, 20).verdict).not.toBe('undecided');
    expect(decide(plan, difference, 20, 5).verdict).toBe('undecided');
  }
  const [low, high] = decide(plan, found(0.05, 0.02), 20, 5).interval;
  expect((high - low) / 0.04).toBeCloseTo(2.8609, 4); // t(0.995, 19)
  expect(plannedSeeds(plan, 0.1, 5)).toBeGreaterThan(plannedSeeds(plan, 0.1)!);
});

it('tells how many seeds an open question would take, and they would decide it', () => {
  for (const [one, mean] of [
    [plan, 0.03],
    [plan, 0.005],
    [plan, -0.045],
    [equal, 0.02],
    [equal, 0.09],
  ] as const) {
    const open = decide(one, found(mean, 0.028), 20);
    if (open.verdict !== 'undecided') throw new Error(`${mean} is ${open.verdict}`);
    expect(open.seeds).toBeGreaterThan(20);
    const { undecided } = shares(one, open.seeds!, mean, 0.028 * Math.sqrt(20), 1500);
    expect(1 - undecided).toBeGreaterThan(0.76);
  }
  expect(decide(equal, found(0.05, 0.028), 20)).toMatchObject({ verdict: 'undecided', seeds: null });
});

describe('errors by simulation, 4000 experiments each (standard error of 0.05: 0.0034)', () => {
  it.each([2, 5, 20])('of %i seeds', (n) => {
    const none = shares(plan, n, 0, 0.1);
    expect(none.holds + none.contradicted).toBeLessThan(0.06);
    expect(shares(plan, n, 0.05, 0.1)['no effect larger than x']).toBeLessThan(0.06);
    expect(shares(equal, n, -0.05, 0.02).holds).toBeLessThan(0.06);
    expect(shares(equal, n, 0.05, 0.1).contradicted).toBeLessThan(0.035);
    const corrected = shares(plan, n, 0, 0.1, 4000, 5);
    expect(corrected.holds + corrected.contradicted).toBeLessThan(0.016);
  });

  it('the planned number of seeds has the planned power, for either answer', () => {
    const n = plannedSeeds(plan, 0.07)!;
    expect(shares(plan, n, 0.05, 0.07).holds).toBeGreaterThan(0.78);
    expect(shares(plan, n, 0, 0.07)['no effect larger than x']).toBeGreaterThan(0.78);
    const fewer = shares(plan, n - 4, 0, 0.07)['no effect larger than x'];
    expect(Math.min(fewer, shares(plan, n - 4, 0.05, 0.07).holds)).toBeLessThan(0.8);
  });

  it('intervals of crossed data and weight seeds cover the mean', () => {
    const normal = normals(3);
    for (const [rows, columns] of [
      [0, 0],
      [1, 0],
      [1, 1],
      [3, 0.5],
    ]) {
      let covered = 0;
      for (let k = 0; k < 600; k++) {
        const [a, b] = [5, 4].map((count) => Array.from({ length: count }, normal));
        const { low, high } = meanInterval(crossedMean(a.map((A) => b.map((B) => rows * A + columns * B + normal()))));
        covered += low <= 0 && high >= 0 ? 1 / 600 : 0;
      }
      expect(covered, `${rows}, ${columns}`).toBeGreaterThan(0.92);
    }
  });
});

it('joins the comparisons of a claim', () => {
  const [holds, against, small] = [found(0.1, 0.02), found(-0.1, 0.02), found(0.01, 0.02)].map((one) =>
    decide(plan, one, 20),
  );
  const [near, far] = [found(0.03, 0.02), found(0.024, 0.02)].map((one) => decide(plan, one, 20));
  expect([near.verdict, far.verdict]).toEqual(['undecided', 'undecided']);
  expect(decideTogether([holds, holds]).verdict).toBe('holds');
  expect(decideTogether([holds, small, against, near]).verdict).toBe('contradicted');
  expect(decideTogether([holds, small, near]).verdict).toBe('no effect larger than x');
  const most = Math.max(...[near, far].map((one) => (one as { seeds: number }).seeds));
  expect(decideTogether([near, holds, far])).toMatchObject({ verdict: 'undecided', seeds: most });
  expect(() => decideTogether([])).toThrow('at least one comparison');
});

it('refuses plans and estimates without meaning', () => {
  expect(() => decide({ ...plan, smallestEffect: 0 }, found(0, 1), 20)).toThrow('above 0, got 0');
  expect(() => decide(plan, found(Number.NaN, 1), 20)).toThrow('must be a number, got NaN');
  expect(() => decide(plan, found(0, Number.NaN), 20)).toThrow('standard error must be a number from 0, got NaN');
  expect(() => decide(plan, found(0, 1), 1)).toThrow('at least 2 seeds, got 1');
  expect(() => decide({ ...plan, alpha: 0.5 }, found(0, 1), 20)).toThrow('alpha');
});
