/**
 * PCGrad (Yu et al. 2020): each task's gradient loses its component against every other task that it conflicts with, then all are added.
 *
 *     for each i: g_i' = g_i; for j in random order, if g_i' . g_j < 0: g_i' -= (g_i' . g_j) / |g_j|^2 g_j;      d = sum_i g_i'
 *
 * With two tasks the order has no influence.
 */
import { deriveKey, permutation } from '../../engine/index.ts';
import { type Gram, type Solver, times } from './gram.ts';

/** @param orders for each task, the order in which it meets the others (its own number may occur and is passed over) */
export function pcgradCoefficients(gram: Gram, orders: readonly ArrayLike<number>[]): number[] {
  const total = gram.map(() => 0);
  gram.forEach((_, i) => {
    const own = gram.map((_, t) => (t === i ? 1 : 0));
    for (const j of Array.from(orders[i])) {
      if (j === i) continue;
      const projection = times(gram, own)[j]; // g_i' . g_j
      if (projection < 0) own[j] -= projection / gram[j][j];
    }
    own.forEach((c, t) => {
      total[t] += c;
    });
  });
  return total;
}

export function pcgradSolver(seed: number): Solver {
  return (gram, { step }) =>
    pcgradCoefficients(
      gram,
      gram.map((_, i) => permutation(gram.length, deriveKey(seed, `pcgrad order ${step} ${i}`))),
    );
}
