/** Every scheme by its name, as --scheme and the configuration know it. */
import type { Gpu } from '../../engine/index.ts';
import { cagradSolver } from './cagrad.ts';
import { GradientScheme } from './gradient-scheme.ts';
import { GradNormScheme } from './gradnorm.ts';
import { ImpartialScheme, imtlSolver } from './imtl.ts';
import { LearntWeightScheme, learntRules } from './learnt-weights.ts';
import { mgdaSolver, type Normalization } from './mgda.ts';
import { RepresentationScheme } from './mgda-ub.ts';
import { nashSolver } from './nash.ts';
import { pcgradSolver } from './pcgrad.ts';
import type { Scheme } from './scheme.ts';
import { type SchemeConfig, schemes, UncertaintyScheme } from './uncertainty.ts';
import { DynamicTaskPrioritization, DynamicWeightAverage, FixedScheme, RandomWeightScheme } from './weighted.ts';

/** What the schemes can be told; each reads its own part. */
export interface SchemeOptions {
  readonly sigmaParameter: SchemeConfig['sigmaParameter'];
  readonly halfSaliency: boolean;
  readonly fixedTerm: boolean;
  readonly saliencyWeight: number;
  readonly classWeight: number;
  readonly temperature: number;
  readonly focus: number;
  readonly smoothing: number;
  readonly asymmetry: number;
  readonly weightRate: number;
  readonly normalize: Normalization;
  readonly radius: number;
}

export const schemeDefaults: SchemeOptions = {
  sigmaParameter: 'log',
  halfSaliency: false,
  fixedTerm: false,
  saliencyWeight: 1,
  classWeight: 1,
  temperature: 2,
  focus: 1,
  smoothing: 0.1,
  asymmetry: 1.5,
  weightRate: 0.025,
  normalize: 'none',
  radius: 0.5,
};

type Maker = (gpu: Gpu, options: SchemeOptions, seed: number) => Scheme;

const uncertainty =
  (name: keyof typeof schemes): Maker =>
  (gpu, { sigmaParameter, halfSaliency, fixedTerm }) =>
    new UncertaintyScheme(gpu, { ...schemes[name], sigmaParameter, halfSaliency, fixedTerm });
const learnt =
  (name: keyof typeof learntRules): Maker =>
  (gpu) =>
    new LearntWeightScheme(gpu, learntRules[name]);

const makers = {
  mtls1: uncertainty('mtls1'),
  mtls2: uncertainty('mtls2'),
  mtls3: uncertainty('mtls3'),
  sum: uncertainty('sum'),
  equal: () => new FixedScheme({ saliency: 1, diagnosis: 1 }),
  fixed: (_, { saliencyWeight, classWeight }) => new FixedScheme({ saliency: saliencyWeight, diagnosis: classWeight }),
  kendall: learnt('kendall'),
  'kendall-regression': learnt('kendall-regression'),
  'kendall-classification': learnt('kendall-classification'),
  liebel: learnt('liebel'),
  rlw: (_gpu, _options, seed) => new RandomWeightScheme(seed),
  dwa: (_, { temperature }) => new DynamicWeightAverage(temperature),
  dtp: (_, options) => new DynamicTaskPrioritization(options),
  gradnorm: (_, { asymmetry, weightRate }) => new GradNormScheme({ asymmetry, rate: weightRate }),
  mgda: (_, { normalize }) => new GradientScheme(mgdaSolver(normalize)),
  'mgda-ub': (_, { normalize }) => new RepresentationScheme(normalize),
  pcgrad: (_gpu, _options, seed) => new GradientScheme(pcgradSolver(seed)),
  cagrad: (_, { radius }) => new GradientScheme(cagradSolver(radius)),
  imtl: (gpu) => new ImpartialScheme(gpu),
  'imtl-g': () => new GradientScheme(imtlSolver),
  'imtl-l': learnt('imtl-l'),
  nash: () => new GradientScheme(nashSolver()),
} as const satisfies Record<string, Maker>;

export type SchemeName = keyof typeof makers;

export const schemeNames = Object.keys(makers) as [SchemeName, ...SchemeName[]];

/** Schemes that combine the gradients of the tasks, or weigh the tasks by them. */
const ofGradients: readonly SchemeName[] = [
  'gradnorm',
  'mgda',
  'mgda-ub',
  'pcgrad',
  'cagrad',
  'imtl',
  'imtl-g',
  'nash',
];

/** Whether a step of the scheme is one backward pass of one loss (an ObjectiveScheme). */
export const descendsOneScalar = (name: SchemeName) => !ofGradients.includes(name);

/** @param seed of the schemes that draw random numbers */
export function makeScheme(
  gpu: Gpu,
  { name, ...options }: SchemeOptions & { readonly name: SchemeName },
  seed: number,
): Scheme {
  return (makers[name] as Maker)(gpu, options, seed);
}
