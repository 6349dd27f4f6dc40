/**
 * Paired permutation test: under the null hypothesis the sign of each difference is a coin's.
 *
 *   p = #(|sum s_i d_i| >= |sum d_i|) / 2^n over all signs s;  for n > 20, (1 + #) / (1 + draws) over random signs
 *
 * With n pairs p cannot go below 2^(1-n): 1/16 for five trainings. Source: Fisher 1935, The Design of Experiments, section 21.
 */
import { checkSameLength, type Values } from './probability.ts';
import { randomNumbers } from './resampling.ts';
import type { TestResult } from './run-comparison.ts';
import { mean } from './summary.ts';

const EXACT_UP_TO = 20;

/** The statistic is the mean difference a - b; NaN for no pairs, or when one is NaN. */
export function pairedPermutation(
  a: Values,
  b: Values,
  { draws = 9999, seed = 1 }: { draws?: number; seed?: number } = {},
): TestResult {
  checkSameLength('pairedPermutation', a, b);
  const differences = Array.from(a, (value, i) => value - b[i]);
  const statistic = mean(differences);
  if (Number.isNaN(statistic)) return { statistic, p: Number.NaN };
  const observed = Math.abs(differences.reduce((total, d) => total + d, 0));
  // Sums of the same numbers in another order differ in their last digits.
  const least = observed * (1 - 1e-12);
  const n = differences.length;
  const total = (sign: (i: number) => boolean) =>
    Math.abs(differences.reduce((sum, d, i) => (sign(i) ? sum + d : sum - d), 0));
  let extreme = 0;
  if (n <= EXACT_UP_TO) {
    for (let signs = 0; signs < 2 ** n; signs++) if (total((i) => ((signs >> i) & 1) === 1) >= least) extreme++;
    return { statistic, p: extreme / 2 ** n };
  }
  const random = randomNumbers(seed);
  for (let draw = 0; draw < draws; draw++) if (total(() => random() < 0.5) >= least) extreme++;
  return { statistic, p: (1 + extreme) / (1 + draws) };
}
