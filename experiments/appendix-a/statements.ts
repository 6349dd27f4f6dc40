/** Every statement of Appendix A as a number: against the 50-digit table, and over a dense grid of losses. */
import { readFileSync } from 'node:fs';
import * as rest from '../../src/mtunet/equilibrium.ts';

export interface StatementResult {
  readonly statement: string;
  readonly measured: string;
  readonly holds: boolean;
}

type Row = Readonly<Record<string, string>> & { readonly L: number };

const grid = Array.from({ length: 20_001 }, (_, i) => 10 ** (-12 + i / 1000));
const worst = (values: readonly number[]) => values.reduce((a, b) => Math.max(a, b));
const relative = (got: number, want: number) => Math.abs(got / want - 1);

export function statements(): StatementResult[] {
  const { rows } = JSON.parse(readFileSync('test/golden/oracle/sigma_equilibrium.json', 'utf8')) as { rows: Row[] };
  const all = grid.map(rest.equilibrium);
  const error = (read: (row: Row) => number, column: string) =>
    worst(rows.map((row) => relative(read(row), Number(row[column]))));
  const within = (statement: string, value: number, limit: number): StatementResult => ({
    statement,
    measured: `largest relative error ${value.toExponential(1)} over ${rows.length} recorded losses`,
    holds: value <= limit,
  });
  const always = (statement: string, holds: boolean, measured: string): StatementResult => ({
    statement,
    measured,
    holds,
  });
  const rising = all.every(({ sigma }, i) => i === 0 || sigma > all[i - 1].sigma);
  const slopes = all.map(({ logLogSlope }) => logLogSlope);
  const round = worst(all.map(({ sigma, loss }) => relative(rest.lossAtEquilibrium(sigma), loss)));
  const fRises = all.every(({ sigma }) => rest.lossAtEquilibriumSlope(sigma) > 0);
  const minimum = all.every(({ curvature, logCurvature }) => curvature > 0 && logCurvature > 0 && logCurvature < 2);
  const [small, large] = [rest.equilibrium(1e-12), rest.equilibrium(1e8)];
  return [
    within(
      'sigma* solves sigma^3 - 2 L sigma - 2 L = 0 (Newton)',
      error(({ L }) => rest.equilibriumSigma(L), 'sigma'),
      1e-14,
    ),
    within(
      'sigma* in closed form',
      error(({ L }) => rest.equilibriumSigmaClosedForm(L), 'sigma'),
      1e-14,
    ),
    within(
      'r_e / r = 1 / sigma*^2',
      error(({ L }) => rest.equilibrium(L).weight, 'weight'),
      1e-14,
    ),
    within(
      'the released L / (2 sigma^2): weight',
      error(({ L }) => rest.releasedEquilibrium(L).weight, 'code_weight'),
      1e-14,
    ),
    always(
      'L = f(sigma*) undoes the inverse',
      round <= 1e-14,
      `largest relative error ${round.toExponential(1)} over ${grid.length} losses`,
    ),
    always("f' > 0: f is strictly increasing", fRises, `at ${grid.length} losses from 1e-12 to 1e8`),
    always('sigma* increases strictly with L', rising, `${grid.length} losses, 1000 a decade`),
    always("sigma* is a minimum: l'' > 0, and 0 < d2l/du2 < 2", minimum, `at ${grid.length} losses`),
    always(
      'a falling L raises r_e: -1 < d ln r_e / d ln L < -2/3',
      slopes.every((slope) => slope > 1 / 3 && slope < 1 / 2),
      `d ln r_e / d ln L from ${(-2 * slopes[0]).toFixed(6)} to ${(-2 * slopes[slopes.length - 1]).toFixed(6)}`,
    ),
    always(
      'r_e ~ r (2 L)^(-2/3) for small L',
      relative(small.weight, 2e-12 ** (-2 / 3)) < 1e-3,
      `off by ${relative(small.weight, 2e-12 ** (-2 / 3)).toExponential(1)} at L = 1e-12, by ${relative(rest.equilibrium(0.7).weight, 1.4 ** (-2 / 3)).toFixed(2)} at L = 0.7`,
    ),
    always(
      'r_e ~ r / (2 L) for large L',
      relative(large.weight, 5e-9) < 1e-3,
      `off by ${relative(large.weight, 5e-9).toExponential(1)} at L = 1e8`,
    ),
  ];
}
