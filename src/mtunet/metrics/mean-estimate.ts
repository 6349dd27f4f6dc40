/**
 * An estimated mean with its standard error and degrees of freedom: what a test or an interval of a mean needs, whatever the design.
 *
 *   independent  d_1 .. d_n:                       se^2 = s^2 / n,  n - 1 degrees of freedom
 *   crossed      d_ij = mu + A_i + B_j + E_ij:     I levels of one factor (data seeds) by J of the other (weight seeds), one value each
 *                MS_A, MS_B, MS_E of the two-way table;  var E = MS_E,  var A = (MS_A - MS_E) / J,  var B likewise;
 *                a factor whose mean square is not above MS_E has variance 0 and is pooled into E
 *                se^2 = var A / I + var B / J + var E / (I J),  degrees of freedom by Satterthwaite
 *   interval     mean +- t_(1 - alpha/2) se
 *
 * In a balanced table these equal the REML estimates of a mixed model with both factors random.
 * Source: Searle, Casella & McCulloch 1992, Variance Components, chapter 4; Satterthwaite 1946, Biometrics Bulletin 2, 110-114.
 */
import type { Values } from './probability.ts';
import type { Interval } from './resampling.ts';
import { studentQuantile, studentTail } from './special-functions.ts';
import { mean, median } from './summary.ts';

export interface MeanEstimate {
  readonly mean: number;
  readonly standardError: number;
  readonly degrees: number;
}

export interface CrossedEstimate extends MeanEstimate {
  /** Variances of the rows' effects, the columns' effects and the rest. */
  readonly components: { readonly rows: number; readonly columns: number; readonly residual: number };
}

/** Throws a RangeError with fewer than two values; NaN values make everything NaN. */
export function independentMean(values: Values): MeanEstimate {
  const n = values.length;
  if (n < 2) throw new RangeError(`independentMean: a standard error needs at least 2 values, got ${n}.`);
  const center = mean(values);
  let squares = 0;
  for (let i = 0; i < n; i++) squares += (values[i] - center) ** 2;
  return { mean: center, standardError: Math.sqrt(squares / (n - 1) / n), degrees: n - 1 };
}

/** @param table I rows of J values; throws a RangeError unless it is rectangular and at least 2 by 2 */
export function crossedMean(table: readonly Values[]): CrossedEstimate {
  const [I, J] = [table.length, table[0]?.length ?? 0];
  const ragged = table.findIndex((row) => row.length !== J);
  if (ragged >= 0)
    throw new RangeError(
      `crossedMean: row ${ragged} has ${table[ragged].length} values, row 0 has ${J}; fill the table.`,
    );
  if (I < 2 || J < 2) throw new RangeError(`crossedMean: needs at least 2 x 2 values, got ${I} x ${J}.`);
  const rowMeans = table.map(mean);
  const columnMeans = Array.from({ length: J }, (_, j) => mean(table.map((row) => row[j])));
  const center = mean(rowMeans);
  let residual = 0;
  for (let i = 0; i < I; i++)
    for (let j = 0; j < J; j++) residual += (table[i][j] - rowMeans[i] - columnMeans[j] + center) ** 2;
  const squares = (means: readonly number[]) => means.reduce((total, value) => total + (value - center) ** 2, 0);
  const rows = { squares: J * squares(rowMeans), degrees: I - 1, each: J };
  const columns = { squares: I * squares(columnMeans), degrees: J - 1, each: I };
  const rest = { squares: residual, degrees: (I - 1) * (J - 1) };
  const meanSquare = (part: { squares: number; degrees: number }) => part.squares / part.degrees;
  const kept: (typeof rows)[] = [];
  // The smaller first: what is pooled changes the residual that the larger is held against.
  for (const factor of [rows, columns].sort((a, b) => meanSquare(a) - meanSquare(b))) {
    if (meanSquare(factor) > meanSquare(rest)) kept.push(factor);
    else {
      rest.squares += factor.squares;
      rest.degrees += factor.degrees;
    }
  }
  const terms = [
    ...kept.map((factor) => ({ value: meanSquare(factor), degrees: factor.degrees })),
    { value: (1 - kept.length) * meanSquare(rest), degrees: rest.degrees },
  ];
  const total = terms.reduce((sum, { value }) => sum + value, 0);
  const spread = terms.reduce((sum, { value, degrees }) => sum + value ** 2 / degrees, 0);
  const component = (factor: typeof rows) =>
    kept.includes(factor) ? (meanSquare(factor) - meanSquare(rest)) / factor.each : 0;
  return {
    mean: center,
    standardError: Math.sqrt(total / (I * J)),
    degrees: total > 0 ? total ** 2 / spread : rest.degrees,
    components: { rows: component(rows), columns: component(columns), residual: meanSquare(rest) },
  };
}

/** Two-sided interval that covers `level` of repetitions. */
export function meanInterval({ mean: estimate, standardError, degrees }: MeanEstimate, level = 0.95): Interval {
  const half = studentQuantile((1 + level) / 2, degrees) * standardError;
  return { estimate, low: estimate - half, high: estimate + half };
}

/**
 * Two one-sided tests: p of the hypothesis that the mean is at least `margin` away from 0; small p means equivalent.
 * Source: Schuirmann 1987, J. Pharmacokinet. Biopharm. 15, 657-680.
 */
export function tost({ mean: estimate, standardError, degrees }: MeanEstimate, margin: number): number {
  if (!(margin > 0)) throw new RangeError(`tost: the margin must be above 0, got ${margin}.`);
  if (standardError === 0) return Math.abs(estimate) < margin ? 0 : 1;
  const above = (t: number) => (t < 0 ? 1 - studentTail(t, degrees) / 2 : studentTail(t, degrees) / 2);
  return Math.max(above((estimate + margin) / standardError), above((margin - estimate) / standardError));
}

/** Median of all pairwise means (i <= j): a centre that outliers hardly move. Source: Hodges & Lehmann 1963. */
export function hodgesLehmann(values: Values): number {
  const means: number[] = [];
  for (let i = 0; i < values.length; i++)
    for (let j = i; j < values.length; j++) means.push((values[i] + values[j]) / 2);
  return median(means);
}
