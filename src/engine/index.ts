/** The engine: tensors that remember how they were made, on WebGPU. */
export { backward, gradients, parametersOf, withoutGradient } from './autograd.ts';
export { type Carried, carry } from './carry.ts';
export { DeviceLostError, OutOfMemoryError, ShaderError } from './faults.ts';
export { Gpu, type OpenOptions, openGpu, type Synchronous } from './gpu.ts';
export { BatchNorm2d, type BatchNorm2dOptions } from './layers/batch-norm2d.ts';
export { Conv2d, type Conv2dOptions } from './layers/conv2d.ts';
export { Dropout } from './layers/dropout.ts';
export { Linear } from './layers/linear.ts';
export { Counter, type Initial, Module, type StateDict, stateTensor } from './layers/module.ts';
export { Apply, type Layer, ModuleList, Sequential, Upsample2x } from './layers/sequential.ts';
export { StochasticDepth } from './layers/stochastic-depth.ts';
export type { MemoryReport } from './memory.ts';
export { add, divide, maximum, minimum, multiply, subtract } from './ops/arithmetic.ts';
export { batchNorm } from './ops/batch-norm.ts';
export { concat } from './ops/concat.ts';
export { convTranspose2d } from './ops/conv-transpose2d.ts';
export { type ConvOptions, conv2d, type Pair } from './ops/conv2d.ts';
export { bceWithLogits, crossEntropy } from './ops/cross-entropy.ts';
export { dropout } from './ops/dropout.ts';
export {
  exp,
  factorWithin,
  log,
  reciprocal,
  relu,
  scale,
  shift,
  sigmoid,
  silu,
  softplus,
  sqrt,
  square,
  within,
} from './ops/elementwise.ts';
export { expand } from './ops/expand.ts';
export { klDivergence } from './ops/kl-divergence.ts';
export { linear, matmul } from './ops/matmul.ts';
export { permute } from './ops/permute.ts';
export { averagePool2d, maxPool2d } from './ops/pool.ts';
export { max, mean, sum } from './ops/reduce.ts';
export { pad, slice } from './ops/slice.ts';
export { logSoftmax, softmax } from './ops/softmax.ts';
export { type Corners, upsample2x, upsampleBilinear, upsampleNearest } from './ops/upsample.ts';
export { Adam, type AdamOptions } from './optimizers/adam.ts';
export { CosineWarmRestarts } from './optimizers/cosine-warm-restarts.ts';
export { LossScaler, type LossScalerOptions, type LossScalerState } from './optimizers/loss-scaler.ts';
export { type NamedTensor, Optimizer, type OptimizerState } from './optimizers/optimizer.ts';
export { ReduceOnPlateau } from './optimizers/reduce-on-plateau.ts';
export { RMSProp, type RMSPropOptions } from './optimizers/rmsprop.ts';
export { SGD, type SGDOptions } from './optimizers/sgd.ts';
export { deriveKey, permutation, type RandomKey, uniform, uniformAt } from './random.ts';
export { StepRecorder } from './recording.ts';
export type { OnHost } from './results.ts';
export {
  readSafetensors,
  type SafetensorsDtype,
  SafetensorsError,
  type SafetensorsFile,
  type StoredTensor,
  type TensorData,
  writeSafetensors,
} from './safetensors.ts';
export { type Shape, ShapeError } from './shape.ts';
export { parameter, type Scalar, Tensor, upload, write } from './tensor.ts';
export { type Choice, isTorchFile, readTorch, type TensorDict, type TorchFile, TorchFileError } from './torch.ts';
