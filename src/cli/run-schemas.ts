/**
 * What the records of a run folder must hold to be read back: mtunet/records.ts as rules. Values pass as they are, whatever else they hold;
 * numbers that were not finite are null in JSON.
 */
import { z } from 'zod';
import { inputDescription } from '../data/picture-input-schema.ts';
import type { EpochRecord, EvaluationRecord, Example, Provenance, StepRecord } from '../mtunet/records.ts';

const number = z.number().nullable();
const count = z.number().int().min(0);
/** Of a film's side, so that nobody allocates on the word of a damaged record. */
const side = z.number().int().min(1).max(16384);

const saliency = z.looseObject({ kld: number, pcc: number, hs: number }).nullable();
const losses = z.looseObject({ loss: number, saliencyLoss: number, classLoss: number });
const optional = number.optional();

export const originSchema = z.strictObject({
  config: z.string(),
  package: z.string(),
  commit: z.string().nullable(),
  data: z.string(),
  adapter: z.string(),
  driver: z.string(),
  seed: z.number().int(),
});

const step = z.looseObject({
  epoch: count,
  step: count,
  loss: number,
  saliencyLoss: number,
  classLoss: number,
  saliencySigma: number,
  classSigma: number,
  learningRate: number,
  effectiveSaliencyRate: number,
  effectiveClassRate: number,
  saliencyWeight: optional,
  classWeight: optional,
  weightRatio: optional,
});

const epoch = z.looseObject({
  epoch: count,
  train: losses,
  valid: losses,
  validAccuracy: number,
  saliencySigma: number,
  classSigma: number,
  learningRate: number,
  best: z.boolean(),
  reset: z.boolean(),
  seconds: number,
});

const example = z.looseObject({
  id: z.string(),
  label: count,
  probabilities: z.array(number).nullable(),
  saliency,
});

const evaluation = z.looseObject({
  split: z.enum(['train', 'valid', 'test']),
  images: count,
  epoch: count,
  saliency: z.looseObject({ mean: saliency.unwrap(), median: saliency.unwrap(), std: saliency.unwrap() }).nullable(),
  classification: z
    .looseObject({
      accuracy: number,
      aucHandTill: number,
      aucMacro: number,
      aucMicro: number,
      aucPerClass: z.array(number),
      confusion: z.array(z.array(z.number())),
    })
    .nullable(),
  baselines: z.array(z.looseObject({ name: z.string(), saliency, accuracy: number })),
  examples: z.array(example),
  height: side,
  width: side,
  origin: originSchema.optional(),
});

const provenance = z.looseObject({
  package: z.string(),
  commit: z.string().nullable(),
  runtime: z.string(),
  adapter: z.looseObject({ name: z.string(), driver: z.string(), backend: z.string(), software: z.boolean() }),
  data: z.looseObject({
    name: z.string(),
    hash: z.string(),
    testHash: z.string().optional(),
    train: count,
    valid: count,
    test: count,
  }),
  input: inputDescription.optional(),
  seed: z.number().int(),
  config: z.string().optional(),
  started: z.string(),
  wallSeconds: z.number(),
  platform: z.string(),
});

/** Returns the value itself, or a clause that says which part of it is wrong. */
export type Checked<T> = (value: unknown) => { readonly value: T } | { readonly problem: string };

function checked<T>(schema: z.ZodType): Checked<T> {
  return (value) => {
    const { error } = schema.safeParse(value);
    if (!error) return { value: value as T };
    const [{ path, message }] = error.issues;
    return { problem: path.length > 0 ? `${path.join('.')}: ${message}` : message };
  };
}

export const records = {
  step: checked<StepRecord>(step),
  epoch: checked<EpochRecord>(epoch),
  example: checked<Example>(example),
  evaluation: checked<EvaluationRecord>(evaluation),
  provenance: checked<Provenance>(provenance),
} as const;
