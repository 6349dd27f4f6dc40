/**
 * A prepared data set's index.json, and samples as they lie in a shard: films as stored values (uint16), gaze maps as float16.
 */
import { z } from 'zod';
import type { ChestSample } from './dataset.ts';
import { fromFloat16 } from './float16.ts';
import { inputDescription } from './picture-input-schema.ts';
import { scaledFilm } from './scaled-film.ts';

const preparedCase = z.strictObject({
  id: z.string().min(1),
  patient: z.string().min(1),
  label: z.number().int().min(0),
  split: z.enum(['train', 'valid', 'test']),
  /** Of the source, relative to its folder, and the SHA-256 of its bytes. */
  source: z.string(),
  sourceHash: z.string(),
  gazeSamples: z.number().int().min(0),
  /** How many readers' gaze the map holds. */
  readings: z.number().int().min(1).default(1),
  shard: z.number().int().min(0),
  /** Place in the shard. */
  place: z.number().int().min(0),
});

export const preparedIndex = z.strictObject({
  format: z.literal('mtunet-data-1'),
  name: z.string(),
  height: z.number().int().positive(),
  width: z.number().int().positive(),
  classNames: z.array(z.string()).min(2),
  /** Whether the shards hold the tensor ellipses (F16, N H W): certainty over 5 of what readers drew around findings. */
  ellipses: z.boolean().default(false),
  /** Everything that decides the values: recipe, gaze map, treatment of MONOCHROME1, split. */
  settings: z.record(z.string(), z.unknown()),
  /** How a picture becomes an input; folders of earlier versions lack it. */
  input: inputDescription.optional(),
  cases: z.array(preparedCase),
  shards: z.array(z.strictObject({ file: z.string().regex(/^shards\/\d{4}\.safetensors$/), sha256: z.string() })),
  /** Cases left out by --skip-bad, with the reason. */
  skipped: z.array(z.strictObject({ id: z.string(), reason: z.string() })),
  /** What files ask for and preparing left undone, and in how many of them. */
  ignored: z.array(z.strictObject({ what: z.string(), films: z.number().int().positive() })).default([]),
  /** What looks wrong about labels and gaze, a sentence each. */
  warnings: z.array(z.string()).default([]),
  calibrationScreens: z.number().int().min(0),
  leakage: z.strictObject({ patients: z.number(), films: z.number() }),
});

export type PreparedIndex = z.infer<typeof preparedIndex>;
export type PreparedCase = z.infer<typeof preparedCase>;

export type TensorName = 'image' | 'gaze' | 'ellipses';

/** A sample whose arrays are read when they are asked for: a data set of a thousand films would take gigabytes. */
export class PreparedSample implements ChestSample {
  readonly id: string;
  readonly patient: string;
  readonly label: number;
  private readonly read: (tensor: TensorName) => Uint16Array;

  /** read: the stored values, height x width. */
  constructor({ id, patient, label }: PreparedCase, read: (tensor: TensorName) => Uint16Array) {
    this.id = id;
    this.patient = patient;
    this.label = label;
    this.read = read;
  }

  get image(): Float32Array {
    return scaledFilm(this.read('image'));
  }

  get gaze(): Float32Array {
    return fromFloat16(this.read('gaze'));
  }
  /** Certainty over 5 of findings that cover a pixel, H x W; only where the index says that there are ellipses. */
  get ellipses(): Float32Array {
    return fromFloat16(this.read('ellipses'));
  }
}
