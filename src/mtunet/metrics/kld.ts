/**
 * Kullback-Leibler divergence of a predicted map from a target map, in nats; 0 is perfect, lower is better.
 *
 *   KLD(q || p) = sum_i q_i (ln q_i - lp_i),   0 ln 0 = 0
 *
 * Target first, as in Eq. 2: L_s = H(q, p) - H(q). The prediction enters as a logarithm, so a pixel whose probability
 * underflows to 0 still counts. The released code calls kl_div(reduction='batchmean') on a (1, H, W) tensor: it divides
 * by the channel count, which is 1.
 */
import { checkSameLength, type Values } from './probability.ts';

/**
 * @param logPrediction lp, H W natural logarithms of probabilities
 * @param target q, H W probabilities
 * @returns nats; can be about -1e-16 for identical maps by rounding; NaN when either map holds NaN where q > 0
 * @throws RangeError when the maps differ in length
 */
export function kld(logPrediction: Values, target: Values): number {
  checkSameLength('kld', logPrediction, target);
  let total = 0;
  for (let i = 0; i < target.length; i++) {
    const q = target[i];
    if (q !== 0) total += q * (Math.log(q) - logPrediction[i]);
  }
  return total;
}

/** Shannon entropy H(q) = - sum_i q_i ln q_i, in nats: the part of the cross-entropy that no prediction can remove. */
export function entropy(target: Values): number {
  let total = 0;
  for (let i = 0; i < target.length; i++) if (target[i] !== 0) total -= target[i] * Math.log(target[i]);
  return total;
}
