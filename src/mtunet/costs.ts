/**
 * What a network costs, without running it: parameters, multiply-adds of a forward pass, and the memory of a training step.
 *
 * A multiply-add is one product that a convolution, a dense layer or a matrix product adds up; everything else is not counted.
 */

import { savedBytes } from '../engine/autograd.ts';
import { dryGpu } from '../engine/dry.ts';
import { Adam, backward, type Gpu, type Tensor, upload } from '../engine/index.ts';
import { type ImageSize, predictBatch } from './losses.ts';
import { buildNetwork, type NetworkName, type NetworkOptions } from './networks.ts';
import { schemes, UncertaintyScheme } from './schemes/uncertainty.ts';

export interface NetworkCosts {
  readonly parameters: number;
  /** Parameters that training changes. */
  readonly trained: number;
  /** Of one image forward. */
  readonly multiplyAdds: number;
}

export type CostOptions = NetworkOptions & { readonly name: NetworkName; readonly classes: number };

export function networkCosts({ classes, ...options }: CostOptions, { height, width }: ImageSize): NetworkCosts {
  using gpu = dryGpu();
  using whole = buildNetwork(gpu, { ...options, frozen: [] }, classes, null);
  whole.train(false);
  const made: Tensor[] = [];
  gpu.onTensor = (tensor) => made.push(tensor);
  let multiplyAdds = 0;
  void gpu.step(() => {
    whole.call(
      upload(
        gpu,
        'NCHW',
        [1, whole.inputChannels, height, width],
        new Float32Array(whole.inputChannels * height * width),
      ),
    );
    multiplyAdds = made.reduce((total, tensor) => total + productsOf(tensor), 0);
  });
  gpu.onTensor = null;
  using built = buildNetwork(gpu, options, classes, null);
  return { parameters: whole.parameterCount, trained: built.parameterCount, multiplyAdds };
}

/** Products that were added up for one tensor. */
function productsOf({ origin, size }: Tensor): number {
  const { weight, left, right } = origin?.inputs ?? {};
  if (weight && weight.axes === 'OCRS') return (size * weight.size) / weight.shape[0];
  if (weight && weight.axes === 'OC') return size * weight.shape[1];
  return left && right ? size * left.shape[2] : 0;
}

export interface StepMemory {
  /** Bytes of parameters, statistics, moments and everything else that lasts between steps. */
  readonly lasting: number;
  /** Bytes that the forward pass leaves for the backward pass to read. */
  readonly saved: number;
  /** Largest number of bytes held at once during a training step with Adam, the lasting ones included. */
  readonly peak: number;
  /** Bytes of all buffers after two steps, the free ones included. */
  readonly pooled: number;
}

export interface MemoryOptions {
  readonly memory?: 'store' | 'recompute';
  readonly precision?: 'f32' | 'f16';
  /** The device whose kernels decide what is written at all; unless given, a GPU of the least limits. */
  readonly like?: Gpu;
}

/** Memory of a training step as the engine takes it from its pool. */
export function trainingMemory(
  { classes, ...options }: CostOptions,
  { height, width, batchSize }: ImageSize & { readonly batchSize: number },
  { memory = 'store', precision = 'f32', like }: MemoryOptions = {},
): StepMemory {
  using gpu = dryGpu({ like });
  gpu.recomputes = memory === 'recompute';
  gpu.halves = precision === 'f16';
  using model = buildNetwork(gpu, options, classes, null);
  const scheme = new UncertaintyScheme(gpu, schemes.sum);
  const optimizer = new Adam(model.parameters());
  const lasting = gpu.memory().liveBytes;
  const area = batchSize * height * width;
  const batch = { images: new Float32Array(area), gaze: new Float32Array(area), labels: new Uint32Array(batchSize) };
  let saved = 0;
  gpu.pool.resetPeak();
  for (let i = 0; i < 2; i++) {
    void gpu.step(() => {
      const loss = scheme.call(predictBatch(gpu, model, batch, { height, width }).losses);
      saved = savedBytes(loss);
      backward(loss);
      optimizer.step();
    });
  }
  const { peakBytes, pooledBytes } = gpu.memory();
  return { lasting, saved, peak: peakBytes, pooled: pooledBytes };
}
