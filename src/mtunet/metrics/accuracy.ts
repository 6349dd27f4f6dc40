/**
 * Accuracy and confusion of a classifier that answers with the largest score.
 *
 *   prediction_n = the first c with s_nc = max_k s_nk,   accuracy = #(prediction = label) / N
 *
 * Scores are N C, row-major: logits or probabilities, which have the same largest entry.
 */
import type { Values } from './probability.ts';

/** Throws a RangeError unless there are N C scores for N labels, and every label is a class index. */
export function checkScores(what: string, labels: Values, scores: Values, classes: number): void {
  if (scores.length !== labels.length * classes) {
    throw new RangeError(
      `${what}: ${labels.length} labels and ${classes} classes need ${labels.length * classes} scores, got ${scores.length}.`,
    );
  }
  for (let n = 0; n < labels.length; n++) {
    if (!Number.isInteger(labels[n]) || labels[n] < 0 || labels[n] >= classes) {
      throw new RangeError(`${what}: label ${n} is ${labels[n]}, expected a class from 0 to ${classes - 1}.`);
    }
  }
}

/** N C scores -> N class indices. The first maximum wins; a NaN counts as the maximum, as in torch.argmax. */
export function predictions(scores: Values, classes: number): Uint32Array {
  const chosen = new Uint32Array(scores.length / classes);
  for (let n = 0; n < chosen.length; n++) {
    let best = 0;
    for (let c = 0; c < classes; c++) {
      const score = scores[n * classes + c];
      if (Number.isNaN(score)) {
        best = c;
        break;
      }
      if (score > scores[n * classes + best]) best = c;
    }
    chosen[n] = best;
  }
  return chosen;
}

/** Fraction of the N images whose label has the largest score; NaN for no images. */
export function accuracy(labels: Values, scores: Values, classes: number): number {
  checkScores('accuracy', labels, scores, classes);
  const chosen = predictions(scores, classes);
  let correct = 0;
  for (let n = 0; n < chosen.length; n++) if (chosen[n] === labels[n]) correct++;
  return correct / chosen.length;
}

/** Counts by confusion[truth][predicted], C C. */
export function confusion(labels: Values, scores: Values, classes: number): number[][] {
  checkScores('confusion', labels, scores, classes);
  const counts = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  predictions(scores, classes).forEach((predicted, n) => {
    counts[labels[n]][predicted]++;
  });
  return counts;
}
