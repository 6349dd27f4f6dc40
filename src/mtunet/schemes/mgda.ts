/**
 * MGDA (Desideri 2012; Sener & Koltun 2018): the shortest vector in the convex hull of the task gradients,
 *
 *     min_w |sum_t w_t g_t|^2,  w_t >= 0,  sum_t w_t = 1.      Two tasks: w_1 = clip((g_2 - g_1) . g_2 / |g_1 - g_2|^2, 0, 1)
 *
 * It is 0 where no direction helps all tasks, else a descent direction for every one of them. The task with the smallest gradient dominates,
 * which the authors' normalisations are meant to cure: the weights are then those of g_t / n_t, n_t = |g_t|, L_t, or both.
 * The solution is exact: for each subset of tasks the shortest vector of its affine hull, of those with w >= 0 the shortest. T is small.
 */
import { type Gram, type Solver, solve, squaredNorm } from './gram.ts';

export type Normalization = 'none' | 'l2' | 'loss' | 'loss+';

export function mgdaWeights(gram: Gram): number[] {
  const tasks = gram.length;
  let best: { weights: number[]; norm: number } | null = null;
  for (let subset = 1; subset < 2 ** tasks; subset++) {
    const members = gram.map((_, t) => t).filter((t) => subset & (1 << t));
    const inside = shortestOfAffineHull(gram, members);
    if (!inside?.every((w) => w >= 0)) continue;
    const weights = Array<number>(tasks).fill(0);
    members.forEach((t, i) => {
      weights[t] = inside[i];
    });
    const norm = squaredNorm(gram, weights);
    if (!best || norm < best.norm) best = { weights, norm };
  }
  return best!.weights;
}

/** w of sum 1 for which G w is the same for all members: the bordered system [G 1; 1' 0] [w; m] = [0; 1]. */
function shortestOfAffineHull(gram: Gram, members: readonly number[]): number[] | null {
  if (members.length === 1) return [1];
  // In units of the largest gradient, so that the border is neither tiny nor huge beside G.
  const unit = Math.max(...members.map((t) => gram[t][t])) || 1;
  const rows = members.map((i) => [...members.map((j) => gram[i][j] / unit), 1]);
  const border = [...members.map(() => 1), 0];
  return solve([...rows, border], [...members.map(() => 0), 1])?.slice(0, -1) ?? null;
}

/** n_t of a normalisation, given |g_t| and L_t. */
export function normalizer(kind: Normalization, norm: number, loss: number): number {
  if (kind === 'none') return 1;
  const n = { l2: norm, loss, 'loss+': loss * norm }[kind];
  return n > 0 ? n : 1;
}

/** As in the authors' code, the normalised gradients choose the weights, and the plain ones are combined with them. */
export function mgdaSolver(kind: Normalization): Solver {
  return (gram, { losses }) => {
    const scales = losses.map((loss, t) => normalizer(kind, Math.sqrt(gram[t][t]), loss));
    return mgdaWeights(gram.map((row, i) => row.map((value, j) => value / scales[i] / scales[j])));
  };
}
