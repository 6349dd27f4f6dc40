/**
 * What a prediction that never looks at the film can reach: the least a network must beat.
 */
import { gazeProbability } from './batches.ts';
import type { ChestSample } from './dataset.ts';

/** The same probability in every pixel, H x W. */
export function constantMap(height: number, width: number): Float64Array {
  return new Float64Array(height * width).fill(1 / (height * width));
}

/**
 * Centre bias: the mean of the samples' gaze maps, each of sum 1; sum 1 again. H x W.
 *
 * One constant map is averaged in with the n samples: a gaze map is exactly 0 beyond the reach of its blur, and without
 * this a single look at a new place would make KL(gaze || centre bias) infinite.
 */
export function centreBiasMap(samples: readonly ChestSample[]): Float64Array {
  if (samples.length === 0) throw new RangeError('centreBiasMap needs at least one sample, got 0.');
  const pixels = samples[0].gaze.length;
  const mean = new Float64Array(pixels).fill(1 / pixels);
  for (const sample of samples) {
    if (sample.gaze.length !== mean.length) {
      throw new RangeError(
        `Sample ${sample.id} has ${sample.gaze.length} gaze values, but sample ${samples[0].id} has ${mean.length}.`,
      );
    }
    const probability = gazeProbability(sample);
    for (let i = 0; i < mean.length; i++) mean[i] += probability[i];
  }
  let sum = 0;
  for (const value of mean) sum += value;
  return mean.map((value) => value / sum);
}

/** The label that occurs most often; the lowest one where several do. */
export function mostFrequentClass(samples: readonly ChestSample[]): number {
  if (samples.length === 0) throw new RangeError('mostFrequentClass needs at least one sample, got 0.');
  const counts: number[] = [];
  for (const { label } of samples) counts[label] = (counts[label] ?? 0) + 1;
  let most = samples[0].label;
  for (const [label, count = 0] of counts.entries()) {
    if (count > counts[most] || (count === counts[most] && label < most)) most = label;
  }
  return most;
}
