/**
 * Histogram similarity (histogram intersection) of two probability maps; 1 is perfect, 0 is disjoint.
 *
 *   HS(p, q) = sum_i min(p_i, q_i)
 *
 * The released code silently leaves out images whose HS exceeds 1 + 1e-5. Probability maps in float64 cannot get there,
 * so nothing is left out here: a larger value means that a map was not normalised, and should be seen.
 */
import { checkSameLength, type Values } from './probability.ts';

/**
 * @param prediction p, H W probabilities
 * @param target q, H W probabilities
 * @returns a number in [0, 1] up to rounding, or NaN when a map holds NaN
 * @throws RangeError when the maps differ in length
 */
export function hs(prediction: Values, target: Values): number {
  checkSameLength('hs', prediction, target);
  let total = 0;
  for (let i = 0; i < target.length; i++) total += Math.min(prediction[i], target[i]);
  return total;
}
