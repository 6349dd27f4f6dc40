/**
 * Tests that compare two lists of per-run values, two-sided.
 *
 *   pairedT       t = mean d / (s_d / sqrt n), n - 1 degrees of freedom, d_i = a_i - b_i      (same seeds)
 *   wilcoxonExact W = min(W+, W-), the sum of the ranks of |d_i| by sign, zeros left out     (same seeds)
 *   welchT        t = (mean a - mean b) / sqrt(s_a^2/n_a + s_b^2/n_b), Welch-Satterthwaite   (independent runs)
 *   mannWhitneyExact  U = R_a - n_a (n_a + 1) / 2                                            (independent runs)
 *
 * The exact tests count every assignment of the mid-ranks that were observed, so ties need no correction. With n = 5
 * pairs Wilcoxon's p cannot go below 1/16. A NaN among the values makes statistic and p NaN.
 */
import { midRanks } from './auc.ts';
import { checkSameLength, type Values } from './probability.ts';
import { studentTail } from './special-functions.ts';
import { summarize } from './summary.ts';

export interface TestResult {
  readonly statistic: number;
  readonly p: number;
}

/** Student's paired test. NaN for fewer than two pairs, or when all differences are 0. */
export function pairedT(a: Values, b: Values): TestResult {
  checkSameLength('pairedT', a, b);
  const { mean, stdSample, count } = summarize(differences(a, b));
  const statistic = mean / (stdSample / Math.sqrt(count));
  return { statistic, p: studentTail(statistic, count - 1) };
}

/** Welch's test, unequal variances. NaN for fewer than two values on a side. */
export function welchT(a: Values, b: Values): TestResult {
  const [first, second] = [summarize(a), summarize(b)];
  const u = first.stdSample ** 2 / first.count;
  const v = second.stdSample ** 2 / second.count;
  const degrees = (u + v) ** 2 / (u ** 2 / (first.count - 1) + v ** 2 / (second.count - 1));
  const statistic = (first.mean - second.mean) / Math.sqrt(u + v);
  return { statistic, p: studentTail(statistic, degrees) };
}

/** Wilcoxon's signed-rank test; the statistic is 0 and p is 1 when all differences are 0. */
export function wilcoxonExact(a: Values, b: Values): TestResult {
  checkSameLength('wilcoxonExact', a, b);
  if (differences(a, b).some(Number.isNaN)) return { statistic: Number.NaN, p: Number.NaN };
  const kept = differences(a, b).filter((difference) => difference !== 0);
  const doubled = doubledRanks(kept.map(Math.abs));
  const total = doubled.reduce((sum, rank) => sum + rank, 0);
  const plus = doubled.reduce((sum, rank, i) => (kept[i] > 0 ? sum + rank : sum), 0);
  // ways[s]: number of the 2^n sign choices whose positive ranks sum to s / 2
  const ways = new Float64Array(total + 1);
  ways[0] = 1;
  for (const rank of doubled) for (let s = total; s >= rank; s--) ways[s] += ways[s - rank];
  return { statistic: Math.min(plus, total - plus) / 2, p: twoSided(ways, plus) };
}

/** Mann-Whitney's test; the statistic is U of the first list. */
export function mannWhitneyExact(a: Values, b: Values): TestResult {
  const values = [...Array.from(a), ...Array.from(b)];
  if (values.some(Number.isNaN)) return { statistic: Number.NaN, p: Number.NaN };
  const doubled = doubledRanks(values);
  const total = doubled.reduce((sum, rank) => sum + rank, 0);
  // ways[k][s]: number of choices of k of the values whose ranks sum to s / 2
  const ways = Array.from({ length: a.length + 1 }, () => new Float64Array(total + 1));
  ways[0][0] = 1;
  for (const rank of doubled) {
    for (let k = a.length; k >= 1; k--) {
      for (let s = total; s >= rank; s--) ways[k][s] += ways[k - 1][s - rank];
    }
  }
  const own = doubled.slice(0, a.length).reduce((sum, rank) => sum + rank, 0);
  return { statistic: own / 2 - (a.length * (a.length + 1)) / 2, p: twoSided(ways[a.length], own) };
}

function differences(a: Values, b: Values): number[] {
  return Array.from(a, (value, i) => value - b[i]);
}

// Mid-ranks are multiples of 1/2; doubled they index an array.
function doubledRanks(values: readonly number[]): number[] {
  return Array.from(midRanks(values), (rank) => 2 * rank);
}

function twoSided(ways: Float64Array, observed: number): number {
  let [all, low, high] = [0, 0, 0];
  for (const [s, count] of ways.entries()) {
    all += count;
    if (s <= observed) low += count;
    if (s >= observed) high += count;
  }
  return Math.min(1, (2 * Math.min(low, high)) / all);
}
