/**
 * Samples to batches: typed arrays side by side, ready to upload.
 */
import { type Augmentation, type AugmentOptions, augmented, isAugmented } from './augment.ts';
import { randomStream, shuffledIndices } from './counter-random.ts';
import type { ChestSample } from './dataset.ts';

export interface Batch {
  /** N 1 H W */
  readonly images: Float32Array;
  /** N H W, each map a probability: its values sum to 1. */
  readonly gaze: Float32Array;
  /** N */
  readonly labels: Uint32Array;
  /** N */
  readonly ids: readonly string[];
}

export interface BatchOptions {
  readonly batchSize: number;
  readonly seed: number;
  /** Names the order; the same (seed, epoch) gives the same order, also in a run that is resumed. */
  readonly epoch: number;
  /** False keeps the order of `samples`. */
  readonly shuffle?: boolean;
  /** Batches of the epoch that are left out because they were taken before. */
  readonly from?: number;
  /** Changes of the films, and the size that they need to know. */
  readonly augment?: { readonly height: number; readonly width: number; readonly augmentation: Augmentation };
}

/** The gaze map divided by its float64 sum: H x W, float32. */
export function gazeProbability(sample: Pick<ChestSample, 'id' | 'gaze'>): Float32Array {
  const { gaze } = sample; // may be read from a file each time that it is asked for
  let sum = 0;
  for (let i = 0; i < gaze.length; i++) sum += gaze[i];
  if (!(sum > 0) || !Number.isFinite(sum)) {
    throw new RangeError(`Sample ${sample.id} has a gaze map of sum ${sum}; a probability map needs a positive sum.`);
  }
  const probability = new Float32Array(gaze.length);
  for (let i = 0; i < probability.length; i++) probability[i] = gaze[i] / sum;
  return probability;
}

/** Every sample once; the last batch holds what is left. */
export function* batches(samples: readonly ChestSample[], options: BatchOptions): Generator<Batch, void, undefined> {
  const { batchSize, seed, epoch, shuffle = true, from = 0, augment } = options;
  if (!Number.isInteger(batchSize) || batchSize < 1) {
    throw new RangeError(`batchSize must be a positive integer, got ${batchSize}.`);
  }
  if (!Number.isInteger(epoch) || epoch < 0) throw new RangeError(`epoch must be an integer from 0, got ${epoch}.`);
  const order = shuffle
    ? shuffledIndices(samples.length, randomStream(seed, `batches/${epoch}`))
    : Uint32Array.from(samples, (_, i) => i);
  const change = augment && isAugmented(augment.augmentation) ? { ...augment, seed, epoch } : null;
  for (let start = from * batchSize; start < order.length; start += batchSize) {
    yield gather(
      Array.from(order.subarray(start, start + batchSize), (i) => samples[i]),
      change,
    );
  }
}

function gather(samples: readonly ChestSample[], change: AugmentOptions | null): Batch {
  const read = samples.map(({ id, image, gaze }) => ({ id, image, gaze })); // may come from a file, so ask once
  const pixels = read[0].image.length;
  const images = new Float32Array(samples.length * pixels);
  const gaze = new Float32Array(samples.length * pixels);
  for (const [n, { id, image, gaze: map }] of read.entries()) {
    for (const [name, values] of [
      ['image', image],
      ['gaze', map],
    ] as const) {
      if (values.length !== pixels) {
        throw new RangeError(
          `Sample ${id} has ${values.length} ${name} values, but sample ${samples[0].id} has ${pixels} pixels.`,
        );
      }
    }
    const shown = change ? augmented({ id, image, gaze: map }, change) : { image, gaze: map };
    images.set(shown.image, n * pixels);
    gaze.set(gazeProbability({ id, gaze: shown.gaze }), n * pixels);
  }
  return { images, gaze, labels: Uint32Array.from(samples, (s) => s.label), ids: samples.map((s) => s.id) };
}
