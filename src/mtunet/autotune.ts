/** The convolutions of a training, found without a device, and the kernels that compute them fastest on one. */
import { dryGpu } from '../engine/dry.ts';
import { backward, type Gpu } from '../engine/index.ts';
import type { ConvWork } from '../engine/ops/conv2d-kernels.ts';
import { type TuneCache, type Tuned, type TuneMode, tuneConvolutions } from '../engine/ops/conv2d-tune.ts';
import type { TrainConfig } from './config.ts';
import { predictBatch } from './losses.ts';
import { buildNetwork } from './networks.ts';
import { schemes, UncertaintyScheme } from './schemes/uncertainty.ts';

export type { TuneCache, Tuned, TuneMode };

/** Every convolution of a training step, each layer class and pass once, by its name. */
export function convolutionsOf(config: TrainConfig, classes: number): Map<string, ConvWork> {
  const { network, batchSize, height, width } = config;
  using gpu = dryGpu();
  using model = buildNetwork(gpu, network, classes, null);
  const scheme = new UncertaintyScheme(gpu, schemes.sum);
  const area = batchSize * height * width;
  const batch = { images: new Float32Array(area), gaze: new Float32Array(area), labels: new Uint32Array(batchSize) };
  const found = new Map<string, ConvWork>();
  gpu.choices.onWork = (name, work) => found.set(name, work as ConvWork);
  void gpu.step(() => backward(scheme.call(predictBatch(gpu, model, batch, { height, width }).losses)));
  return found;
}

/** The fastest kernel for each convolution of this training, by layer class; see tuneConvolutions. */
export function autotune(
  gpu: Gpu,
  config: TrainConfig,
  classes: number,
  options: Parameters<typeof tuneConvolutions>[2],
): Promise<Record<string, string>> {
  const works = convolutionsOf(config, classes).values();
  return tuneConvolutions(gpu, works, { ...options, halves: config.precision === 'f16' });
}
