/**
 * A batch through the network: predictions and the raw losses of both tasks (Eq. 2 and 3).
 */
import { concat, crossEntropy, type Gpu, klDivergence, logSoftmax, upload } from '../engine/index.ts';
import type { Network, Prediction } from './network.ts';
import type { TaskLosses } from './schemes/scheme.ts';

/** Typed arrays of N images of H x W; see data/batches.ts. */
export interface BatchArrays {
  /** N 1 H W */
  readonly images: Float32Array;
  /** N H W, each map with sum 1 */
  readonly gaze: Float32Array;
  /** N */
  readonly labels: Uint32Array;
}

export interface ImageSize {
  readonly height: number;
  readonly width: number;
}

/** Inside a step: uploads the batch and computes both losses. */
export function predictBatch(
  gpu: Gpu,
  model: Network,
  { images, gaze, labels }: BatchArrays,
  { height, width }: ImageSize,
): { prediction: Prediction; losses: TaskLosses } {
  const N = labels.length;
  const film = upload(gpu, 'NCHW', [N, 1, height, width], images, 'image');
  const prediction = model.call(model.inputChannels === 1 ? film : concat(Array(model.inputChannels).fill(film), 'C'));
  const { saliency, diagnosis } = prediction;
  return {
    prediction,
    losses: {
      saliency:
        saliency && klDivergence(logSoftmax(saliency, 'HW'), upload(gpu, 'NHW', [N, height, width], gaze, 'gaze')),
      diagnosis: diagnosis && crossEntropy(diagnosis, upload(gpu, 'N', [N], labels, 'label')),
    },
  };
}
