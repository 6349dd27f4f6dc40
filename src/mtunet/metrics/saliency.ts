/** The three saliency metrics of the paper for one image, from the network's output as it is: raw logits. */
import { hs } from './hs.ts';
import { kld } from './kld.ts';
import { pcc } from './pcc.ts';
import { exponential, logSoftmax, normalize, type Values } from './probability.ts';

/**
 * @param logits H W raw saliency logits
 * @param gaze H W gaze density of any positive scale
 * @returns kld in nats, pcc and hs; all NaN for an all-zero gaze map
 * @throws RangeError when the maps differ in length
 */
export function saliencyMetrics(logits: Values, gaze: Values): { kld: number; pcc: number; hs: number } {
  const logPrediction = logSoftmax(logits);
  const prediction = exponential(logPrediction);
  const target = normalize(gaze);
  return { kld: kld(logPrediction, target), pcc: pcc(prediction, target), hs: hs(prediction, target) };
}
