/** The pipelines of a training, made before its first step where that helps. */
import type { Batch } from '../data/batches.ts';
import type { ChestDataset } from '../data/dataset.ts';
import { dryGpu } from '../engine/dry.ts';
import type { Gpu } from '../engine/index.ts';
import type { Kernel } from '../engine/kernel.ts';
import type { TrainConfig } from './config.ts';
import { meanLosses } from './evaluate.ts';
import { predictBatch } from './losses.ts';
import { buildNetwork } from './networks.ts';
import { makeOptimizer } from './optimizer.ts';
import { asConfigured, scalerOf } from './precision.ts';
import { makeScheme } from './schemes/index.ts';

/** What decides the kernels beside the configuration. */
export type TrainingData = Pick<ChestDataset, 'train' | 'valid' | 'classNames'>;

/** Before the first step of a training on `gpu`, after its kernels were chosen (autotune, kernels.json): compiles all of them at once. */
export async function preparePipelines(gpu: Gpu, config: TrainConfig, data: TrainingData): Promise<void> {
  // Not on a processor. SwiftShader compiles one pipeline at a time, and those that wait take the compiler's core; lavapipe compiles at the first
  // dispatch, whatever was made before. A GPU's driver compiles while the pipeline is made, on as many threads as it is given.
  if (gpu.description.software) return;
  await gpu.prepare(await trainingKernels(gpu, config, data));
}

/**
 * Every kernel of the training steps on `gpu` (forward and backward pass, scheme, optimizer) and of the evaluation after each epoch, whole batches
 * and the last ones. Found without the device: each kind of step is done where nothing is computed.
 */
export async function trainingKernels(gpu: Gpu, config: TrainConfig, data: TrainingData): Promise<Kernel[]> {
  using dry = dryGpu({ like: gpu });
  using model = buildNetwork(dry, config.network, data.classNames.length, null);
  using scheme = makeScheme(dry, config.scheme, config.seed);
  const optimizer = makeOptimizer(config, model, scheme);
  const scaler = scalerOf(dry, config);
  const parameters = [...model.parameters(), ...scheme.parameters()];
  for (const batch of blankBatches(config, data.train.length)) {
    await scheme.step({
      gpu: dry,
      forward() {
        const { losses, prediction } = predictBatch(dry, model, batch, config);
        return { losses, representation: prediction.representation };
      },
      parameters,
      optimizer,
      scaler,
      step: 1,
      run: (body) => asConfigured(dry, config, () => dry.step(body)),
    });
  }
  await meanLosses(dry, model, scheme, [], config, () => blankBatches(config, data.valid.length));
  return dry.kernels.compiled;
}

/** One batch of each size that `count` images are cut into. */
function blankBatches({ batchSize, height, width }: TrainConfig, count: number): Batch[] {
  const sizes = [Math.min(batchSize, count), count > batchSize ? count % batchSize : 0].filter((N) => N > 0);
  return sizes.map((N) => {
    const area = N * height * width;
    return { images: new Float32Array(area), gaze: new Float32Array(area), labels: new Uint32Array(N), ids: [] };
  });
}
