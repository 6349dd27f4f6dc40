/**
 * A batch through the network: predictions and the raw losses of both tasks (Eq. 2 and 3).
 */
import { add, concat, crossEntropy, type Gpu, klDivergence, logSoftmax, upload } from '../engine/index.ts';
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
  /** One number, gazeEntropy(gaze, N), where it is already known. */
  readonly entropy?: Float32Array;
}

export interface ImageSize {
  readonly height: number;
  readonly width: number;
}

export interface LossOptions extends ImageSize {
  /** Default: kld. */
  readonly saliencyLoss?: 'kld' | 'cross-entropy';
}

/** Mean entropy of N maps, nats; 0 ln 0 = 0. gaze: N H W. */
export function gazeEntropy(gaze: Float32Array, N: number): number {
  let total = 0;
  for (const q of gaze) if (q > 0) total -= q * Math.log(q);
  return total / N;
}

/** Inside a step: uploads the batch and computes both losses. */
export function predictBatch(
  gpu: Gpu,
  model: Network,
  { images, gaze, labels, entropy }: BatchArrays,
  { height, width, saliencyLoss = 'kld' }: LossOptions,
): { prediction: Prediction; losses: TaskLosses } {
  const N = labels.length;
  const film = upload(gpu, 'NCHW', [N, 1, height, width], images, 'image');
  const prediction = model.call(model.inputChannels === 1 ? film : concat(Array(model.inputChannels).fill(film), 'C'));
  const { saliency, diagnosis } = prediction;
  const divergence =
    saliency && klDivergence(logSoftmax(saliency, 'HW'), upload(gpu, 'NHW', [N, height, width], gaze, 'gaze'));
  const added = () => upload(gpu, '', [], entropy ?? [gazeEntropy(gaze, N)], 'entropy of the gaze');
  return {
    prediction,
    losses: {
      saliency: divergence && (saliencyLoss === 'kld' ? divergence : add(divergence, added())),
      diagnosis: diagnosis && crossEntropy(diagnosis, upload(gpu, 'N', [N], labels, 'label')),
    },
  };
}
