/**
 * The way of sigma under each optimizer against golden/oracle/sigma_dynamics.json, to 1e-10.
 *
 * One thing no other program can repeat: under RMSProp with ln sigma, once sigma rests, the gradient is the rounding of exp(u), whose last bit
 * differs between libraries, and RMSProp turns such noise into steps of up to r / sqrt(1 - 0.99) = 10 r. There the recorded sigma and ours are held to that.
 */
import { describe, expect, it } from 'vitest';
import { equilibriumSigma } from '../../src/mtunet/equilibrium.ts';
import { sigmaPath } from '../../src/mtunet/sigma-dynamics.ts';
import { expectClose, readGolden } from '../support/oracle.ts';

interface Case {
  readonly param: 'sigma' | 'log';
  readonly opt: 'sgd' | 'adam' | 'rmsprop';
  readonly lr: number;
  readonly half: number;
  readonly L0: number;
  readonly decay: number;
  readonly T: number;
  readonly trace: readonly (readonly [number, number])[];
}

const cases = readGolden('oracle/sigma_dynamics.json').cases as Case[];

/** e^x for -4 <= x <= 0, correctly rounded: RMSProp makes 1e-9 of a last bit on the way of a falling loss. */
function exactExp(x: number): number {
  const BITS = 160n;
  const exponent = BigInt(x * 2 ** 80) << (BITS - 80n);
  let [term, total] = [1n << BITS, 0n];
  for (let n = 1n; term !== 0n; n++) {
    total += term;
    term = (term * exponent) / n / (1n << BITS);
  }
  return Number(total) / 2 ** 160;
}

it('found cases', () => expect(cases.length).toBeGreaterThan(0));

describe('sigma moves as recorded', () => {
  it.each(cases)(
    '$param $opt at $lr, half $half, L = $L0 exp(-$decay t)',
    ({ param, opt, lr, half, L0, decay, T, trace }) => {
      const path = sigmaPath({
        parameter: param === 'log' ? 'log' : 'direct',
        optimizer: opt,
        learningRate: lr,
        half: half === 1,
        loss: (t) => L0 * exactExp(-decay * t),
        steps: T,
      });
      const rest = equilibriumSigma(half === 1 ? L0 / 2 : L0);
      const kicked = param === 'log' && opt === 'rmsprop' && decay === 0;
      const rests = kicked ? path.findIndex((sigma) => Math.abs(sigma / rest - 1) < 1e-8) : -1;
      for (const [t, sigma] of trace) {
        const atRest = rests >= 0 && t > rests;
        if (atRest) expectClose(sigma / rest, 1, { absolute: 10 * lr }, `recorded, step ${t}`);
        expectClose(
          path[t],
          atRest ? rest : sigma,
          atRest ? { relative: 10 * lr } : { relative: 1e-10, absolute: 1e-10 },
          `step ${t}`,
        );
      }
    },
  );
});

it('stays at rest when it begins there', () => {
  const start = equilibriumSigma(0.5);
  for (const parameter of ['log', 'direct'] as const) {
    const path = sigmaPath({ parameter, optimizer: 'sgd', learningRate: 0.1, loss: () => 0.5, steps: 50, start });
    expectClose(path[50], start, { relative: 1e-14 }, parameter);
  }
});
