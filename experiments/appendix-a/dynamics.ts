/** How sigma gets to its rest: recorded paths, and the number of steps under each optimizer. */
import { readFileSync } from 'node:fs';
import { equilibriumSigma } from '../../src/mtunet/equilibrium.ts';
import { sigmaPath } from '../../src/mtunet/sigma-dynamics.ts';
import { settling } from './config.ts';

interface Recorded {
  readonly param: 'sigma' | 'log';
  readonly opt: 'sgd' | 'adam' | 'rmsprop';
  readonly lr: number;
  readonly half: number;
  readonly L0: number;
  readonly decay: number;
  readonly T: number;
  readonly trace: readonly (readonly [number, number])[];
}

/** Largest |got - recorded| / (1 + recorded) by optimizer and parameter, over the whole path and over its first 100 steps. */
export function againstRecording() {
  const { cases } = JSON.parse(readFileSync('test/golden/oracle/sigma_dynamics.json', 'utf8')) as { cases: Recorded[] };
  const worst: Record<string, { cases: number; whole: number; first100: number }> = {};
  for (const { param, opt, lr, half, L0, decay, T, trace } of cases) {
    const parameter = param === 'log' ? 'log' : 'direct';
    const loss = (t: number) => L0 * Math.exp(-decay * t);
    const path = sigmaPath({ parameter, optimizer: opt, learningRate: lr, half: half === 1, loss, steps: T });
    const error = (until: number) =>
      Math.max(...trace.filter(([t]) => t <= until).map(([t, sigma]) => Math.abs(path[t] - sigma) / (1 + sigma)));
    const name = `${opt} ${parameter}`;
    const before = worst[name] ?? { cases: 0, whole: 0, first100: 0 };
    worst[name] = {
      cases: before.cases + 1,
      whole: Math.max(before.whole, error(T)),
      first100: Math.max(before.first100, error(100)),
    };
  }
  return worst;
}

/** Steps from sigma = 1 until sigma stays within 1 % of its rest, at the released rate 1e-4 and at 1e-2; null when it does not within the limit. */
export function settlingSteps() {
  return settling.losses.flatMap((L) =>
    (['sgd', 'adam'] as const).flatMap((optimizer) =>
      (['log', 'direct'] as const).flatMap((parameter) =>
        [1e-4, 1e-2].map((learningRate) => {
          const rest = equilibriumSigma(L);
          const path = sigmaPath({ parameter, optimizer, learningRate, loss: () => L, steps: settling.most });
          const outside = path.findLastIndex((sigma) => Math.abs(sigma / rest - 1) > settling.within);
          const steps = outside === settling.most ? null : outside + 1;
          const mostAnEpoch = Math.max(
            ...Array.from({ length: 20 }, (_, e) => {
              const [from, to] = [path[e * settling.stepsPerEpoch], path[(e + 1) * settling.stepsPerEpoch]];
              return Math.abs(to / from - 1);
            }),
          );
          return { L, rest, optimizer, parameter, learningRate, steps, mostAnEpoch };
        }),
      ),
    ),
  );
}

/** A loss that decays by e^(-rate t): the largest ln(sigma / rest), which is how far Adam falls behind. */
export function lagUnderDecay() {
  return [1e-5, 5e-5, 1e-4, 2e-4, 4e-4].map((decay) => {
    const loss = (t: number) => 0.7 * Math.exp(-decay * t);
    const steps = 20_000;
    const start = equilibriumSigma(loss(0));
    const path = sigmaPath({ parameter: 'log', optimizer: 'adam', learningRate: 1e-4, loss, steps, start });
    const lag = Math.log(path[steps] / equilibriumSigma(loss(steps)));
    return { decay, steps, finalLoss: loss(steps), sigma: path[steps], rest: equilibriumSigma(loss(steps)), lag };
  });
}
