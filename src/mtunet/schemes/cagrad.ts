/**
 * CAGrad (Liu et al. 2021): near the mean gradient g_0, the direction that most helps the task that it helps least,
 *
 *     max_d min_t g_t . d  with |d - g_0| <= c |g_0|,      d = g_0 + (c |g_0| / |g_w|) g_w,
 *     w = argmin over the simplex of F(w) = g_w . g_0 + c |g_0| |g_w|,   g_w = sum_t w_t g_t
 *
 * F is convex; it is minimised along pairs of tasks, each by bisection of its slope, until no pair moves. c = 0 is the mean, a large c MGDA.
 * The training step divides d by 1 + c^2, as the authors' code does.
 */
import { dot, type Gram, type Solver, squaredNorm, times } from './gram.ts';

const SWEEPS = 1000;

export function cagradWeights(gram: Gram, c: number): number[] {
  const tasks = gram.length;
  const mean = gram.map(() => 1 / tasks);
  const towardsMean = times(gram, mean); // g_t . g_0
  const radius = c * Math.sqrt(squaredNorm(gram, mean));
  let weights = mean;
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    const before = weights;
    for (let i = 0; i < tasks; i++) {
      for (let j = i + 1; j < tasks; j++) weights = alongPair(gram, towardsMean, radius, weights, i, j);
    }
    if (Math.max(...weights.map((w, t) => Math.abs(w - before[t]))) < 1e-15) break;
  }
  return weights;
}

/** Moves weight between tasks i and j to the lowest F. */
function alongPair(gram: Gram, towardsMean: number[], radius: number, weights: number[], i: number, j: number) {
  const both = weights[i] + weights[j];
  const at = (share: number) => weights.map((w, t) => (t === i ? share : t === j ? both - share : w));
  const slope = (share: number) => {
    const w = at(share);
    const along = times(gram, w); // g_t . g_w
    const norm = Math.sqrt(Math.max(0, dot(w, along)));
    const bend = norm > 0 ? (radius * (along[i] - along[j])) / norm : 0;
    return towardsMean[i] - towardsMean[j] + bend;
  };
  let [low, high] = [0, both];
  if (slope(low) >= 0) return at(low);
  if (slope(high) <= 0) return at(high);
  for (let middle = (low + high) / 2; middle > low && middle < high; middle = (low + high) / 2) {
    if (slope(middle) < 0) low = middle;
    else high = middle;
  }
  return at(low);
}

/** d as a combination of the task gradients, before any rescaling. */
export function cagradCoefficients(gram: Gram, c: number): number[] {
  const tasks = gram.length;
  const weights = cagradWeights(gram, c);
  const meanNorm = Math.sqrt(
    squaredNorm(
      gram,
      gram.map(() => 1 / tasks),
    ),
  );
  const norm = Math.sqrt(squaredNorm(gram, weights));
  const pull = norm > 0 ? (c * meanNorm) / norm : 0;
  return weights.map((w) => 1 / tasks + pull * w);
}

export const cagradSolver =
  (c: number): Solver =>
  (gram) =>
    cagradCoefficients(gram, c).map((coefficient) => coefficient / (1 + c * c));
