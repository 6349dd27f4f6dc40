/**
 * Pearson's correlation coefficient over the pixels of two maps; 1 is perfect, higher is better ("CC" in the code).
 *
 *   PCC(p, q) = sum_i (p_i - mean p)(q_i - mean q) / (|p - mean p| |q - mean q|)
 *
 * Two passes: probabilities of a large map are about 3e-6, and E[pq] - E[p] E[q] would cancel.
 * A constant map has no correlation: NaN, as scipy.stats.pearsonr gives and the released code therefore reports.
 */
import { checkSameLength, sum, type Values } from './probability.ts';

/** Whether every value equals the first one. Compared exactly: a rounded mean would give noise a correlation. */
export function isConstant(map: Values): boolean {
  for (let i = 1; i < map.length; i++) if (map[i] !== map[0]) return false;
  return true;
}

/**
 * @param first H W values of any scale
 * @param second H W values of any scale
 * @returns a number in [-1, 1], or NaN when a map is constant or holds NaN
 * @throws RangeError when the maps differ in length
 */
export function pcc(first: Values, second: Values): number {
  checkSameLength('pcc', first, second);
  if (isConstant(first) || isConstant(second)) return Number.NaN;
  const firstMean = sum(first) / first.length;
  const secondMean = sum(second) / second.length;
  let firstSquares = 0;
  let secondSquares = 0;
  for (let i = 0; i < first.length; i++) {
    firstSquares += (first[i] - firstMean) ** 2;
    secondSquares += (second[i] - secondMean) ** 2;
  }
  const firstNorm = Math.sqrt(firstSquares);
  const secondNorm = Math.sqrt(secondSquares);
  let product = 0;
  for (let i = 0; i < first.length; i++) {
    product += ((first[i] - firstMean) / firstNorm) * ((second[i] - secondMean) / secondNorm);
  }
  return Math.max(-1, Math.min(1, product));
}
