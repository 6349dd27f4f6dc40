/**
 * What a person can set about a live run, and the configuration that follows from it: the one that Node would train with, too.
 */
import type { TrainConfig } from '../../mtunet/config.ts';
import type { Task } from '../../mtunet/schemes/scheme.ts';

/** Schemes on offer; the last two leave one head out and train the other alone. */
export const CHOICES = {
  mtls1: 'MTLS1: both sigmas learnt',
  mtls2: 'MTLS2: sigma of saliency learnt',
  mtls3: 'MTLS3: sigma of diagnosis learnt',
  sum: 'Plain sum: both sigmas 1',
  dwa: 'Dynamic weight average',
  pcgrad: 'PCGrad: projected gradients',
  'saliency-alone': 'Single task: saliency',
  'diagnosis-alone': 'Single task: diagnosis',
} as const;
export type Choice = keyof typeof CHOICES;

export const OPTIMIZERS = ['adam', 'rmsprop', 'sgd'] as const;

/** Height, width and channels of the first level; `small` is for software adapters. */
export const SIZES = {
  small: { height: 48, width: 32, base: 4 },
  large: { height: 96, width: 64, base: 8 },
} as const;
export type Size = keyof typeof SIZES;

/** Of one run. */
export interface RunSettings {
  readonly scheme: Choice;
  readonly optimizer: (typeof OPTIMIZERS)[number];
  readonly learningRate: number;
  /** Learning rate of the sigmas, as a multiple of the network's. */
  readonly sigmaRate: number;
}

/** Which tasks' sigmas a scheme learns; a scheme that is not here has none. */
export const LEARNS: Partial<Record<Choice, readonly Task[]>> = {
  mtls1: ['saliency', 'diagnosis'],
  mtls2: ['saliency'],
  mtls3: ['diagnosis'],
};

/** Of the pair: what both runs share, so that only what is meant to differ does. */
export interface Settings {
  readonly seed: number;
  /** Training films. */
  readonly train: number;
  readonly size: Size;
  /** Share of hidden units of the class head that a step leaves out. */
  readonly dropout: number;
  readonly runs: readonly [RunSettings, RunSettings];
}

const run: RunSettings = { scheme: 'mtls1', optimizer: 'adam', learningRate: 0.005, sigmaRate: 1 };
export const initialSettings: Settings = {
  seed: 1,
  train: 48,
  size: 'small',
  dropout: 0.25,
  runs: [run, { ...run, scheme: 'mtls3' }],
};

/**
 * Few films and no dropout, so that the network can learn them by heart, and sigmas that learn fast enough to follow their losses, as Appendix A takes
 * for granted; run B has the same with both sigmas at 1.
 */
export const PROVOKED: Omit<Settings, 'size'> = {
  seed: 3,
  train: 12,
  dropout: 0,
  runs: [
    { scheme: 'mtls1', optimizer: 'adam', learningRate: 0.01, sigmaRate: 10 },
    { scheme: 'sum', optimizer: 'adam', learningRate: 0.01, sigmaRate: 1 },
  ],
};

export const VALID = 24;
const BATCH = 6;

const ALONE: Partial<Record<Choice, string>> = { 'saliency-alone': 'unet-s', 'diagnosis-alone': 'unet-c' };

/** Overrides of preset `tiny`. */
export function overridesOf(
  { seed, train, size, dropout }: Settings,
  { scheme, optimizer, learningRate, sigmaRate }: RunSettings,
) {
  const { height, width, base } = SIZES[size];
  const alone = ALONE[scheme];
  return {
    height,
    width,
    network: { name: alone ?? 'mt-unet', base, dropout },
    scheme: { name: alone ? 'sum' : scheme },
    optimizer: { name: optimizer, learningRate, rates: LEARNS[scheme] ? { scheme: sigmaRate } : {} },
    schedule: { name: 'constant' },
    batchSize: BATCH,
    seed,
    synthetic: { seed: 2022, train, valid: VALID, test: 3 },
  };
}

export type Resolve = (preset: string, ...overrides: unknown[]) => TrainConfig;
