/**
 * What the gradient schemes need to know of T task gradients: their inner products G_ij = g_i . g_j. Every direction that they choose is a
 * combination sum_t c_t g_t, so norms, angles and projections all come from G, in float64, whatever the size of the network.
 */

/** T x T, symmetric. */
export type Gram = readonly (readonly number[])[];

/** c_t of one step, from the Gram matrix and the losses. */
export type Solver = (gram: Gram, at: { readonly losses: readonly number[]; readonly step: number }) => number[];

/** G of gradients that are on the host. */
export function gramOf(gradients: readonly ArrayLike<number>[]): number[][] {
  return gradients.map((a) => gradients.map((b) => Array.from(a).reduce((total, value, i) => total + value * b[i], 0)));
}

/** G w */
export function times(gram: Gram, w: readonly number[]): number[] {
  return gram.map((row) => dot(row, w));
}

/** w' G w = |sum_t w_t g_t|^2, never below 0. */
export function squaredNorm(gram: Gram, w: readonly number[]): number {
  return Math.max(0, dot(w, times(gram, w)));
}

export function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((total, value, i) => total + value * b[i], 0);
}

/** x of A x = b by Gaussian elimination with partial pivoting; null when A is singular to working precision. */
export function solve(matrix: readonly (readonly number[])[], right: readonly number[]): number[] | null {
  const size = right.length;
  const rows = matrix.map((row, i) => [...row, right[i]]);
  const scale = Math.max(...matrix.flat().map(Math.abs));
  for (let k = 0; k < size; k++) {
    const pivot = rows
      .slice(k)
      .reduce((best, row, i) => (Math.abs(row[k]) > Math.abs(rows[best][k]) ? k + i : best), k);
    if (!(Math.abs(rows[pivot][k]) > 1e-14 * scale)) return null;
    [rows[k], rows[pivot]] = [rows[pivot], rows[k]];
    for (let i = k + 1; i < size; i++) {
      const factor = rows[i][k] / rows[k][k];
      for (let j = k; j <= size; j++) rows[i][j] -= factor * rows[k][j];
    }
  }
  const x = Array<number>(size).fill(0);
  for (let i = size - 1; i >= 0; i--) {
    const known = rows[i].slice(i + 1, size).reduce((total, value, j) => total + value * x[i + 1 + j], 0);
    x[i] = (rows[i][size] - known) / rows[i][i];
  }
  return x;
}
