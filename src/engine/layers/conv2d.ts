/** A convolution with its weight and bias; PyTorch's initial values, uniform within 1 / sqrt(fan-in). */
import type { Gpu } from '../gpu.ts';
import { type ConvOptions, conv2d, type Pair } from '../ops/conv2d.ts';
import type { Tensor } from '../tensor.ts';
import { type Initial, Module, stateTensor } from './module.ts';

export interface Conv2dOptions extends ConvOptions {
  readonly kernel: Pair;
  readonly bias?: boolean;
}

/** N C H W -> N O P Q */
export class Conv2d extends Module {
  readonly weight: Tensor<'OCRS'>;
  readonly bias: Tensor<'C'> | null;
  private readonly options: ConvOptions;

  constructor(gpu: Gpu, inputs: number, outputs: number, { kernel, bias = true, ...options }: Conv2dOptions) {
    super();
    const [R, S] = typeof kernel === 'number' ? [kernel, kernel] : kernel;
    this.options = options;
    this.weight = stateTensor(gpu, 'OCRS', [outputs, inputs / (options.groups ?? 1), R, S], 'conv2d weight', true);
    this.bias = bias ? stateTensor(gpu, 'C', [outputs], 'conv2d bias', true) : null;
  }

  members(): Record<string, Tensor> {
    return this.bias ? { weight: this.weight, bias: this.bias } : { weight: this.weight };
  }

  protected override initials(): Record<string, Initial> {
    const [, perGroup, R, S] = this.weight.shape;
    const initial: Initial = { kind: 'uniform', bound: 1 / Math.sqrt(perGroup * R * S) };
    return { weight: initial, bias: initial };
  }

  call(input: Tensor<'NCHW'>): Tensor<'NCHW'> {
    return conv2d(input, this.weight, this.bias, this.options);
  }
}
