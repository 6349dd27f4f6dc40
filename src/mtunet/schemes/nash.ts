/**
 * Nash-MTL (Navon et al. 2022): the Nash bargaining solution, in which the product of what the tasks gain is largest,
 *
 *     d = sum_t a_t g_t,  G a = 1 / a,  a > 0.      Two tasks: a_t = 1 / (|g_t| sqrt(1 + cos))
 *
 * a is the minimum of the convex function a' G a / 2 - sum_t ln a_t, found by damped Newton steps (the function is self-concordant). Then
 * |d|^2 = a' G a = T. Where some combination of the gradients with positive weights is 0 there is no solution and nothing to gain: a = 0.
 * The training step cuts d to a norm of at most 1, as the authors' code does.
 */
import { dot, type Gram, type Solver, solve, squaredNorm, times } from './gram.ts';
import { mgdaWeights } from './mgda.ts';

const STEPS = 200;

export function nashCoefficients(gram: Gram): number[] {
  const norms = gram.map((row, t) => Math.sqrt(row[t]));
  const nothing = norms.map(() => 0);
  if (norms.includes(0)) return nothing;
  // In units of each gradient: G becomes the matrix of cosines, and a_t = b_t / |g_t|.
  const cosines = gram.map((row, i) => row.map((value, j) => value / norms[i] / norms[j]));
  if (squaredNorm(cosines, mgdaWeights(cosines)) < 1e-14) return nothing;
  let b = norms.map(() => 1 / Math.sqrt(norms.length));
  for (let step = 0; step < STEPS; step++) {
    const slope = times(cosines, b).map((value, t) => value - 1 / b[t]);
    const curvature = cosines.map((row, i) => row.map((value, j) => value + (i === j ? 1 / b[i] ** 2 : 0)));
    const move = solve(curvature, slope)!;
    const decrement = Math.sqrt(Math.max(0, dot(slope, move)));
    b = b.map((value, t) => value - move[t] / (1 + (decrement > 0.25 ? decrement : 0)));
    if (decrement < 1e-14) break;
  }
  return b.map((value, t) => value / norms[t]);
}

/** @param longest largest norm of d */
export const nashSolver =
  (longest = 1): Solver =>
  (gram) => {
    const coefficients = nashCoefficients(gram);
    const norm = Math.sqrt(squaredNorm(gram, coefficients));
    return norm > longest ? coefficients.map((a) => (a * longest) / norm) : coefficients;
  };
