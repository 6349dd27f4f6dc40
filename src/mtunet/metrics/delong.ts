/**
 * DeLong's comparison of two scores' areas under the ROC curve on the same images.
 *
 *   V10_i = mean_j K(x_i, y_j),  V01_j = mean_i K(x_i, y_j),  K = 1, 1/2 or 0 for >, =, <
 *   cov = S10 / m + S01 / n      (sample covariances over the two scores)
 *   z = (AUC_1 - AUC_2) / sqrt(cov_11 + cov_22 - 2 cov_12),   p two-sided normal
 *
 * Source: DeLong, DeLong & Clarke-Pearson 1988, Biometrics 44, 837-845.
 */
import { checkSameLength, type Values } from './probability.ts';
import { normalTail } from './special-functions.ts';
import { mean } from './summary.ts';

export interface DeLong {
  readonly auc: readonly [number, number];
  /** 2 2 covariance of the two areas. */
  readonly covariance: readonly (readonly number[])[];
  /** Variance of the difference. */
  readonly variance: number;
  /** NaN, like p, when the variance is 0: the scores rank the images in the same way. */
  readonly z: number;
  readonly p: number;
}

/**
 * @param labels N values, 1 positive, 0 negative
 * @param first N scores
 * @param second N scores of the same images
 * @returns NaN throughout with fewer than two positives or two negatives
 */
export function delong(labels: Values, first: Values, second: Values): DeLong {
  checkSameLength('delong', labels, first);
  checkSameLength('delong', first, second);
  const placements = [first, second].map((scores) => placementValues(labels, scores));
  const auc = [mean(placements[0].positive), mean(placements[1].positive)] as const;
  const covariance = [0, 1].map((r) =>
    [0, 1].map((s) => {
      const { positive, negative } = placements[r];
      return (
        sampleCovariance(positive, placements[s].positive) / positive.length +
        sampleCovariance(negative, placements[s].negative) / negative.length
      );
    }),
  );
  const variance = covariance[0][0] + covariance[1][1] - 2 * covariance[0][1];
  const z = variance > 0 ? (auc[0] - auc[1]) / Math.sqrt(variance) : Number.NaN;
  return { auc, covariance, variance, z, p: normalTail(z) };
}

// How often each positive beats the negatives, and each negative is beaten by the positives; ties count half.
function placementValues(labels: Values, scores: Values) {
  const positives: number[] = [];
  const negatives: number[] = [];
  for (let n = 0; n < labels.length; n++) (labels[n] === 1 ? positives : negatives).push(scores[n]);
  const kernel = (x: number, y: number) => (x > y ? 1 : x === y ? 0.5 : x < y ? 0 : Number.NaN);
  return {
    positive: positives.map((x) => mean(negatives.map((y) => kernel(x, y)))),
    negative: negatives.map((y) => mean(positives.map((x) => kernel(x, y)))),
  };
}

function sampleCovariance(a: readonly number[], b: readonly number[]): number {
  const [meanA, meanB] = [mean(a), mean(b)];
  let total = 0;
  for (let i = 0; i < a.length; i++) total += (a[i] - meanA) * (b[i] - meanB);
  return total / (a.length - 1);
}
