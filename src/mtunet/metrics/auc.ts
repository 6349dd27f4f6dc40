/**
 * Area under the ROC curve, for two classes and its extensions to C classes.
 *
 *   AUC = P(s+ > s-) + 1/2 P(s+ = s-) = (R+ - m (m + 1) / 2) / (m n)
 *
 * over m positives and n negatives, R+ the sum of the positives' mid-ranks (Mann-Whitney). This equals the trapezoid
 * area under the empirical curve. Every value is an exact rational, rounded once.
 *
 *   one-vs-rest  AUC_c: class c against all others, by score column c          (AUC-Y1 .. AUC-Y3 of the paper)
 *   macro        mean of AUC_c;   weighted: mean weighted by class size
 *   micro        one-hot labels and scores ravelled into one two-class problem  (the released code's "AUC")
 *   Hand & Till  M = 2 / (C (C-1)) sum_{i<j} (A(i|j) + A(j|i)) / 2, A(i|j): class i against j only, by column i
 *
 * With equal class sizes M equals the macro average. Scores are N C, row-major, and are ranked as given. A value is null
 * when a class that it needs is absent; NaN when a score is NaN.
 * Source: Hand & Till 2001, Machine Learning 45, 171-186.
 */
import { checkScores } from './accuracy.ts';
import type { Values } from './probability.ts';

/** Two-class AUC; null when there is no positive or no negative. */
export function binaryAuc(positives: Values, negatives: Values): number | null {
  const m = positives.length;
  const n = negatives.length;
  if (m === 0 || n === 0) return null;
  const scores = new Float64Array(m + n);
  scores.set(positives);
  scores.set(negatives, m);
  if (scores.some(Number.isNaN)) return Number.NaN;
  const ranks = midRanks(scores);
  let rankSum = 0;
  for (let i = 0; i < m; i++) rankSum += ranks[i];
  return (rankSum - (m * (m + 1)) / 2) / (m * n);
}

/** Ranks from 1; values that are equal share the mean of their ranks, a multiple of 1/2. */
export function midRanks(values: Values): Float64Array {
  const order = Array.from(values, (_, i) => i).sort((a, b) => values[a] - values[b]);
  const ranks = new Float64Array(values.length);
  for (let start = 0; start < order.length; ) {
    let end = start + 1;
    while (end < order.length && values[order[end]] === values[order[start]]) end++;
    for (let i = start; i < end; i++) ranks[order[i]] = (start + 1 + end) / 2;
    start = end;
  }
  return ranks;
}

/** AUC_c for every class c. */
export function aucPerClass(labels: Values, scores: Values, classes: number): (number | null)[] {
  checkScores('aucPerClass', labels, scores, classes);
  return Array.from({ length: classes }, (_, c) => {
    const positive = column(labels, scores, classes, c, (label) => label === c);
    const negative = column(labels, scores, classes, c, (label) => label !== c);
    return binaryAuc(positive, negative);
  });
}

/** Unweighted mean of the one-vs-rest areas. */
export function aucMacro(labels: Values, scores: Values, classes: number): number | null {
  return weightedMean(
    aucPerClass(labels, scores, classes),
    Array.from({ length: classes }, () => 1),
  );
}

/** Mean of the one-vs-rest areas, weighted by the number of images of the class. */
export function aucWeighted(labels: Values, scores: Values, classes: number): number | null {
  return weightedMean(aucPerClass(labels, scores, classes), classSizes(labels, classes));
}

/** The released code's "AUC": depends on calibration between the columns, unlike the others. */
export function aucMicro(labels: Values, scores: Values, classes: number): number | null {
  checkScores('aucMicro', labels, scores, classes);
  const own: number[] = [];
  const other: number[] = [];
  for (let i = 0; i < scores.length; i++) {
    (labels[Math.floor(i / classes)] === i % classes ? own : other).push(scores[i]);
  }
  return binaryAuc(own, other);
}

/** A(i|j) as [i][j]; null on the diagonal and where a class is absent. */
export function handTillMatrix(labels: Values, scores: Values, classes: number): (number | null)[][] {
  checkScores('handTillMatrix', labels, scores, classes);
  const pair = (i: number, j: number) =>
    binaryAuc(
      column(labels, scores, classes, i, (label) => label === i),
      column(labels, scores, classes, i, (label) => label === j),
    );
  return Array.from({ length: classes }, (_, i) =>
    Array.from({ length: classes }, (_, j) => (i === j ? null : pair(i, j))),
  );
}

/** Hand & Till's M: every pair of classes counts the same. */
export function aucHandTill(labels: Values, scores: Values, classes: number): number | null {
  return pairMean(labels, scores, classes, () => 1);
}

/** One-vs-one mean in which a pair counts by its number of images. Not Hand & Till's M. */
export function aucPairsWeighted(labels: Values, scores: Values, classes: number): number | null {
  const sizes = classSizes(labels, classes);
  return pairMean(labels, scores, classes, (i, j) => sizes[i] + sizes[j]);
}

function pairMean(labels: Values, scores: Values, classes: number, weight: (i: number, j: number) => number) {
  const area = handTillMatrix(labels, scores, classes);
  const areas: (number | null)[] = [];
  const weights: number[] = [];
  for (let i = 0; i < classes; i++) {
    for (let j = i + 1; j < classes; j++) {
      const [forward, backward] = [area[i][j], area[j][i]];
      areas.push(forward === null || backward === null ? null : (forward + backward) / 2);
      weights.push(weight(i, j));
    }
  }
  return weightedMean(areas, weights);
}

function weightedMean(areas: readonly (number | null)[], weights: readonly number[]): number | null {
  let total = 0;
  let weight = 0;
  for (const [i, area] of areas.entries()) {
    if (area === null) return null;
    total += area * weights[i];
    weight += weights[i];
  }
  return areas.length === 0 ? null : total / weight;
}

function column(labels: Values, scores: Values, classes: number, c: number, keep: (label: number) => boolean) {
  const kept: number[] = [];
  for (let n = 0; n < labels.length; n++) if (keep(labels[n])) kept.push(scores[n * classes + c]);
  return kept;
}

function classSizes(labels: Values, classes: number): number[] {
  const sizes = new Array<number>(classes).fill(0);
  for (let n = 0; n < labels.length; n++) sizes[labels[n]]++;
  return sizes;
}
