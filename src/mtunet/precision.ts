/** Half precision and recomputation in a training: whether the device can, the scaler of the loss, and when they hold. */
import { type Gpu, LossScaler } from '../engine/index.ts';
import type { TrainConfig } from './config.ts';

/** The scaler of a training in half precision, null for one in float32. */
export function scalerOf(gpu: Gpu, { precision }: TrainConfig): LossScaler | null {
  if (precision === 'f32') return null;
  if (gpu.features.has('shader-f16')) return new LossScaler();
  throw new Error(
    `precision f16 needs the device feature shader-f16, which ${gpu.description.name} lacks; train with --precision f32, or choose another adapter (mtunet devices).`,
  );
}

/**
 * Only the body of a training step computes in half precision and gives back what it can compute again: not evaluation, nor a step of another
 * training in between.
 */
export function asConfigured<T>(gpu: Gpu, { precision, memory }: TrainConfig, body: () => T): T {
  gpu.halves = precision === 'f16';
  gpu.recomputes = memory === 'recompute';
  try {
    return body();
  } finally {
    gpu.halves = gpu.recomputes = false;
  }
}
