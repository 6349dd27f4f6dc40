/**
 * What a training run is: every choice has a name, a documented default, and a place in config.json.
 *
 * Where the paper and the released code differ, both are options: preset `paper` follows the text, preset `released` the code.
 */
import { z } from 'zod';
import { noAugmentation } from '../data/augment.ts';
import { hasOneTask, networkNames, sizeProblem } from './networks.ts';
import { descendsOneScalar, schemeDefaults, schemeNames } from './schemes/index.ts';

const network = z.strictObject({
  /** A network of the paper's tables; see networks.ts. */
  name: z.enum(networkNames),
  /** Channels of a U-Net's first level. */
  base: z.number().int().min(1).max(256),
  /** Share of the class head's units that a step leaves out; null: the network's own. */
  dropout: z.number().min(0).lt(1).nullable(),
  /** 3 repeats the film for weights that expect colour. */
  inputChannels: z.union([z.literal(1), z.literal(3)]).default(1),
  /** Parts that are not trained, by name ("encoder" is all of it); null: those that the network's authors froze. */
  frozen: z.array(z.string().min(1)).nullable().default(null),
  /** Only for saliency baselines: the paper's common head on their logits, or their own last step. */
  output: z.enum(['logits', 'native']).default('logits'),
  /** Only for msi-net: how its decoder samples; its published weights expect the first. */
  corners: z.enum(['asymmetric', 'half-pixel', 'align']).default('asymmetric'),
  /** Only for vgg-ssm: how its attention's result becomes a map; published weights expect the first. */
  attention: z.enum(['published', 'transposed']).default('published'),
  /** Only for efficientnet-v2-s: probability with which the last block's branch is left out; null: the published one. */
  stochasticDepth: z.number().min(0).lt(1).nullable().default(null),
});

const scheme = z.strictObject({
  name: z.enum(schemeNames),
  /** Learn ln sigma (released code) or sigma itself (the paper's text). */
  sigmaParameter: z.enum(['log', 'direct']),
  /** Divide the saliency loss by 2 (released code). */
  halfSaliency: z.boolean(),
  /** Keep the constant ln 2 of a sigma that is fixed at 1 (released code). */
  fixedTerm: z.boolean(),
  /** fixed: factors on the two losses. */
  saliencyWeight: z.number().min(0).default(schemeDefaults.saliencyWeight),
  classWeight: z.number().min(0).default(schemeDefaults.classWeight),
  /** dwa: a higher one brings the weights closer together. */
  temperature: z.number().positive().default(schemeDefaults.temperature),
  /** dtp: gamma, and the share of the newest indicator in the running one. */
  focus: z.number().min(0).default(schemeDefaults.focus),
  smoothing: z.number().positive().max(1).default(schemeDefaults.smoothing),
  /** gradnorm: alpha, and the learning rate of the weights. */
  asymmetry: z.number().min(0).default(schemeDefaults.asymmetry),
  weightRate: z.number().positive().default(schemeDefaults.weightRate),
  /** mgda, mgda-ub: by what the gradients are divided before their weights are sought. */
  normalize: z.enum(['none', 'l2', 'loss', 'loss+']).default(schemeDefaults.normalize),
  /** cagrad: c, how far from the mean gradient the direction may lie. */
  radius: z.number().min(0).lt(1).default(schemeDefaults.radius),
});

const optimizer = z.strictObject({
  name: z.enum(['adam', 'rmsprop', 'sgd']),
  learningRate: z.number().positive(),
  /** Only for sgd and rmsprop. */
  momentum: z.number().min(0).lt(1),
  weightDecay: z.number().min(0),
  /** Learning rates of parts of the network, by name ("encoder" is all of it), and of the "scheme" itself, as multiples of learningRate. */
  rates: z.record(z.string().min(1), z.number().min(0)).default({}),
});

const schedule = z.strictObject({
  /** plateau: cut the rate and go back to the best epoch; cosine: warm restarts; constant. */
  name: z.enum(['plateau', 'cosine', 'constant']),
  /** Epochs without improvement before a cut. */
  patience: z.number().int().min(0),
  factor: z.number().positive().lt(1),
  minimumRate: z.number().min(0),
  /** Epochs without a new best before the run ends; null: 2 patience + 3, as released. */
  earlyStop: z.number().int().positive().nullable(),
  /** What the best epoch is the best of: the scheme's objective on the validation films, sigmas included (released code), or L_s + L_c. */
  monitor: z.enum(['weighted', 'raw']).default('weighted'),
  /** What a cut takes back to the best epoch: everything (released code) or the network alone (the paper's text). */
  reset: z.enum(['everything', 'network']),
  /** Epochs of the first cosine cycle, and by what each next one is longer. */
  period: z.number().int().positive(),
  stretch: z.number().int().positive(),
});

/** Largest changes of a training film; see data/augment.ts. The paper has none. */
const augmentation = z.strictObject({
  rotate: z.number().min(0).max(45).default(0),
  shift: z.number().min(0).max(0.5).default(0),
  zoom: z.number().min(0).max(0.5).default(0),
  gamma: z.number().min(0).max(0.9).default(0),
});

const synthetic = z.strictObject({
  seed: z.number().int().min(0),
  train: z.number().int().min(3),
  valid: z.number().int().min(3),
  test: z.number().int().min(3),
  /** patient: no person in two splits; image: second films of training persons show persons of the test films instead. */
  split: z.enum(['patient', 'image']).default('patient'),
});

const fields = z.strictObject({
  preset: z.string(),
  height: z.number().int().positive(),
  width: z.number().int().positive(),
  network,
  scheme,
  /** L_s: Eq. 2, or its cross entropy alone, which adds the entropy of the gaze: the same gradient for the network, another for sigma. */
  saliencyLoss: z.enum(['kld', 'cross-entropy']).default('kld'),
  optimizer,
  schedule,
  epochs: z.number().int().positive(),
  batchSize: z.number().int().positive(),
  seed: z.number().int().min(0),
  /** "synthetic", or the folder of a prepared data set. */
  data: z.string().min(1),
  augmentation: augmentation.default(noAugmentation),
  /** recompute: normalised and joined activations are computed again for the backward pass instead of stored. The same bits, less memory, more time. */
  memory: z.enum(['store', 'recompute']).default('store'),
  /** f16: the activations of training steps in half precision, with float32 weights, gradients, sums and losses, and a scaled loss. */
  precision: z.enum(['f32', 'f16']).default('f32'),
  synthetic,
});

export const configSchema = fields.superRefine((config, context) => {
  for (const side of ['height', 'width'] as const) {
    const problem = sizeProblem(config.network.name, config[side]);
    const message = `${config.network.name}: ${side} ${config[side]} ${problem}`;
    if (problem) context.addIssue({ code: 'custom', path: [side], message });
  }
  if (config.precision === 'f16' && !descendsOneScalar(config.scheme.name)) {
    const message = `f16 scales one loss, but scheme ${config.scheme.name} combines gradients itself; use f32 or another scheme`;
    context.addIssue({ code: 'custom', path: ['precision'], message });
  }
});

export type TrainConfig = z.infer<typeof configSchema>;

type Overrides<T> = { readonly [Key in keyof T]?: T[Key] extends object | null ? Overrides<T[Key]> : T[Key] };
export type ConfigOverrides = Overrides<TrainConfig>;

const paper: TrainConfig = {
  preset: 'paper',
  height: 640,
  width: 416,
  network: {
    name: 'mt-unet',
    base: 64,
    dropout: null,
    inputChannels: 1,
    frozen: null,
    output: 'logits',
    corners: 'asymmetric',
    attention: 'published',
    stochasticDepth: null,
  },
  scheme: { name: 'mtls3', ...schemeDefaults },
  saliencyLoss: 'kld',
  optimizer: { name: 'adam', learningRate: 1e-4, momentum: 0, weightDecay: 0, rates: {} },
  schedule: {
    name: 'plateau',
    patience: 40,
    factor: 0.1,
    minimumRate: 1e-8,
    earlyStop: null,
    monitor: 'weighted',
    reset: 'everything',
    period: 10,
    stretch: 2,
  },
  epochs: 1024,
  batchSize: 6,
  seed: 1,
  data: 'synthetic',
  augmentation: noAugmentation,
  memory: 'recompute',
  precision: 'f32',
  synthetic: { seed: 2022, train: 758, valid: 108, test: 217, split: 'patient' },
};

export const presets = {
  /** Minutes on two processor cores. Seven epochs are too few for a plateau to show, so the rate falls along a cosine instead. */
  tiny: {
    ...paper,
    preset: 'tiny',
    height: 96,
    width: 64,
    memory: 'store',
    network: { ...paper.network, base: 4 },
    optimizer: { ...paper.optimizer, learningRate: 5e-3 },
    schedule: { ...paper.schedule, name: 'cosine', patience: 3, minimumRate: 1e-5, period: 7 },
    epochs: 7,
    synthetic: { ...paper.synthetic, train: 96, valid: 24, test: 60 },
  },
  /** An hour on two processor cores, minutes on a GPU. Networks that halve more than four times want a width of 96 or 128. */
  small: {
    ...paper,
    preset: 'small',
    height: 160,
    width: 112,
    memory: 'store',
    network: { ...paper.network, base: 8 },
    optimizer: { ...paper.optimizer, learningRate: 1e-3 },
    schedule: { ...paper.schedule, patience: 8 },
    epochs: 60,
    synthetic: { ...paper.synthetic, train: 480, valid: 60, test: 120 },
  },
  /** The paper's text: 640 x 416, Eq. 1, 4 and 5 as printed. */
  paper,
  /** The released code: 640 x 512, half the saliency loss, ln 2 for a fixed sigma. */
  released: {
    ...paper,
    preset: 'released',
    width: 512,
    scheme: { ...paper.scheme, halfSaliency: true, fixedTerm: true },
  },
} as const satisfies Record<string, TrainConfig>;

export type PresetName = keyof typeof presets;

/** A configuration that cannot be used; the message names each path, the value and the reason. */
export class ConfigError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'ConfigError';
  }
}

/**
 * Fills `overrides`, the last of which win, from the preset and checks the whole. A network with one task has nothing to balance, so its
 * scheme is `sum`, the plain loss, unless an override names another.
 */
export function resolveConfig(preset: string, ...overrides: unknown[]): TrainConfig {
  if (!Object.hasOwn(presets, preset)) {
    throw new ConfigError(`preset "${preset}" is not known; the presets are ${Object.keys(presets).join(', ')}.`);
  }
  const config = overrides.reduce<unknown>(merge, presets[preset as PresetName]);
  const parsed = parseConfig(config);
  const asked = overrides.reduce<unknown>(merge, {}) as ConfigOverrides;
  if (asked.scheme?.name !== undefined || !hasOneTask(parsed.network.name)) return parsed;
  return { ...parsed, scheme: { ...parsed.scheme, name: 'sum' } };
}

export function parseConfig(config: unknown): TrainConfig {
  const parsed = configSchema.safeParse(config, { reportInput: true });
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(({ path, message, code, input }) => {
    // Problems of our own name the value themselves.
    const given = code === 'custom' || input === undefined || isRecord(input) ? '' : `, not ${JSON.stringify(input)}`;
    return `${path.join('.') || 'config'}: ${message}${given}`;
  });
  throw new ConfigError(`${problems.join('; ')}.`);
}

function merge(base: unknown, overrides: unknown): unknown {
  if (!isRecord(base) || !isRecord(overrides)) return overrides === undefined ? base : overrides;
  const keys = new Set([...Object.keys(base), ...Object.keys(overrides)]);
  return Object.fromEntries([...keys].map((key) => [key, merge(own(base, key), own(overrides, key))]));
}

const own = (record: Record<string, unknown>, key: string) => (Object.hasOwn(record, key) ? record[key] : undefined);

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
