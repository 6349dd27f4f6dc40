/**
 * Samples to batches: typed arrays side by side, ready to upload.
 */
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
}

/** The gaze map divided by its float64 sum: H x W, float32. */
export function gazeProbability(sample: Pick<ChestSample, 'id' | 'gaze'>): Float32Array {
  const { gaze } = sample; // may be read from a file each time that it is asked for
  let sum = 0;
  for (const value of gaze) sum += value;
  if (!(sum > 0) || !Number.isFinite(sum)) {
    throw new RangeError(`Sample ${sample.id} has a gaze map of sum ${sum}; a probability map needs a positive sum.`);
  }
  const probability = new Float32Array(gaze.length);
  for (let i = 0; i < probability.length; i++) probability[i] = gaze[i] / sum;
  return probability;
}

/** Every sample once; the last batch holds what is left. */
export function* batches(samples: readonly ChestSample[], options: BatchOptions): Generator<Batch, void, undefined> {
  const { batchSize, seed, epoch, shuffle = true } = options;
  if (!Number.isInteger(batchSize) || batchSize < 1) {
    throw new RangeError(`batchSize must be a positive integer, got ${batchSize}.`);
  }
  if (!Number.isInteger(epoch) || epoch < 0) throw new RangeError(`epoch must be an integer from 0, got ${epoch}.`);
  const order = shuffle
    ? shuffledIndices(samples.length, randomStream(seed, `batches/${epoch}`))
    : Uint32Array.from(samples, (_, i) => i);
  for (let start = 0; start < order.length; start += batchSize) {
    yield gather(Array.from(order.subarray(start, start + batchSize), (i) => samples[i]));
  }
}

function gather(samples: readonly ChestSample[]): Batch {
  const pixels = samples[0].image.length;
  const images = new Float32Array(samples.length * pixels);
  const gaze = new Float32Array(samples.length * pixels);
  for (const [n, sample] of samples.entries()) {
    const { id, image, gaze: map } = sample;
    for (const [name, values] of [
      ['image', image],
      ['gaze', map],
    ] as const) {
      if (values.length !== pixels) {
        throw new RangeError(
          `Sample ${sample.id} has ${values.length} ${name} values, but sample ${samples[0].id} has ${pixels} pixels.`,
        );
      }
    }
    images.set(image, n * pixels);
    gaze.set(gazeProbability({ id, gaze: map }), n * pixels);
  }
  return { images, gaze, labels: Uint32Array.from(samples, (s) => s.label), ids: samples.map((s) => s.id) };
}
