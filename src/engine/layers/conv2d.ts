/**
 * A convolution with its weight and bias. Initial values, by `initial`:
 *
 *     'torch'    weight and bias uniform within 1 / sqrt(fan-in): PyTorch's default
 *     'fan-out'  weight normal with deviation sqrt(2 / (O R S)), bias 0 (He et al. 2015): torchvision's networks
 *     'glorot'   weight uniform within sqrt(6 / (fan-in + fan-out)), bias 0 (Glorot & Bengio 2010): TensorFlow's default
 */
import type { Gpu } from '../gpu.ts';
import { type ConvOptions, conv2d, type Pair } from '../ops/conv2d.ts';
import type { Tensor } from '../tensor.ts';
import { type Initial, Module, stateTensor } from './module.ts';

export interface Conv2dOptions extends ConvOptions {
  readonly kernel: Pair;
  readonly bias?: boolean;
  readonly initial?: 'torch' | 'fan-out' | 'glorot';
}

/** N C H W -> N O P Q */
export class Conv2d extends Module {
  readonly weight: Tensor<'OCRS'>;
  readonly bias: Tensor<'C'> | null;
  private readonly options: ConvOptions;
  private readonly initial: NonNullable<Conv2dOptions['initial']>;

  constructor(
    gpu: Gpu,
    inputs: number,
    outputs: number,
    { kernel, bias = true, initial = 'torch', ...options }: Conv2dOptions,
  ) {
    super();
    this.initial = initial;
    const [R, S] = typeof kernel === 'number' ? [kernel, kernel] : kernel;
    this.options = options;
    this.weight = stateTensor(gpu, 'OCRS', [outputs, inputs / (options.groups ?? 1), R, S], 'conv2d weight', true);
    this.bias = bias ? stateTensor(gpu, 'C', [outputs], 'conv2d bias', true) : null;
  }

  members(): Record<string, Tensor> {
    return this.bias ? { weight: this.weight, bias: this.bias } : { weight: this.weight };
  }

  protected override initials(): Record<string, Initial> {
    const [O, perGroup, R, S] = this.weight.shape;
    const [fanIn, fanOut] = [perGroup * R * S, O * R * S];
    const torch: Initial = { kind: 'uniform', bound: 1 / Math.sqrt(fanIn) };
    if (this.initial === 'torch') return { weight: torch, bias: torch };
    const weight: Initial =
      this.initial === 'fan-out'
        ? { kind: 'normal', deviation: Math.sqrt(2 / fanOut) }
        : { kind: 'uniform', bound: Math.sqrt(6 / (fanIn + fanOut)) };
    return { weight, bias: { kind: 'constant', value: 0 } };
  }

  /** `statistics`: whether a batch normalisation in training reads the output next. */
  call(input: Tensor<'NCHW'>, { statistics = false } = {}): Tensor<'NCHW'> {
    return conv2d(input, this.weight, this.bias, { ...this.options, statistics });
  }
}
