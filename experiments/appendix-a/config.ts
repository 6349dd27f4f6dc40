/** What the experiment runs; everything else is fixed by preset tiny. */
import { type ConfigOverrides, resolveConfig } from '../../src/mtunet/config.ts';

export const seeds = [1, 2];
export const schemes = ['mtls1', 'mtls2', 'mtls3', 'sum'] as const;

/**
 * Adam as in the paper; SGD, for which alone the appendix's r / sigma^2 holds literally; and Adam with sigma at ten times the rate of the weights,
 * so that it can follow the falling loss as the appendix takes for granted.
 */
export const optimizers = {
  adam: { name: 'adam', learningRate: 3e-3 },
  sgd: { name: 'sgd', learningRate: 5e-2 },
  'adam, sigma x 10': { name: 'adam', learningRate: 3e-3, rates: { scheme: 10 } },
} as const satisfies Record<string, ConfigOverrides['optimizer']>;

/** Long enough that the training loss falls below 1/4, where the rest of sigma is 1. */
const LONG = 150;

/**
 * A training that overfits: 18 small films, no dropout, a constant rate, many epochs. The last network counts, so the early stop is out of reach.
 */
export const closedLoop = (scheme: (typeof schemes)[number], optimizer: keyof typeof optimizers, seed: number) =>
  resolveConfig('tiny', {
    height: 32,
    width: 32,
    network: { base: 4, dropout: 0 },
    scheme: { name: scheme },
    optimizer: optimizers[optimizer],
    schedule: { name: 'constant', earlyStop: 1000 },
    epochs: 'rates' in optimizers[optimizer] ? LONG : 50,
    seed,
    synthetic: { train: 18, valid: 18, test: 3 },
  });

/** When a run counts as showing the vicious circle in the diagnosis; set before the runs. All conditions must hold. */
export const circle = {
  /** The class task's effective rate at the end, over the plain rate. */
  rateRises: 1.5,
  /** The raw training loss at the end, as a share of the first epoch's. */
  trainingFalls: 0.5,
  /** The raw validation loss at the end (mean of the last five epochs), over its smallest value. */
  validationRises: 1.2,
};

/** For the dynamics: how long sigma takes from 1 to within 1 % of its rest. */
export const settling = { losses: [0.02, 0.3, 1.1, 3.375], within: 0.01, most: 200_000, stepsPerEpoch: 127 };
