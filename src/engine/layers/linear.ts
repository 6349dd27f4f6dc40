/**
 * A dense layer with its weight and bias; PyTorch's initial values, uniform within 1 / sqrt(fan-in). `initial: 'fan-out'` is
 * torchvision's choice for EfficientNet: weight uniform within 1 / sqrt(fan-out), bias 0.
 */
import type { Gpu } from '../gpu.ts';
import { linear } from '../ops/matmul.ts';
import type { Tensor } from '../tensor.ts';
import { type Initial, Module, stateTensor } from './module.ts';

/** N C -> N O */
export class Linear extends Module {
  readonly weight: Tensor<'OC'>;
  readonly bias: Tensor<'C'>;

  private readonly initial: 'torch' | 'fan-out';

  constructor(
    gpu: Gpu,
    inputs: number,
    outputs: number,
    { initial = 'torch' }: { readonly initial?: 'torch' | 'fan-out' } = {},
  ) {
    super();
    this.initial = initial;
    this.weight = stateTensor(gpu, 'OC', [outputs, inputs], 'linear weight', true);
    this.bias = stateTensor(gpu, 'C', [outputs], 'linear bias', true);
  }

  members() {
    return { weight: this.weight, bias: this.bias };
  }

  protected override initials(): Record<string, Initial> {
    const [fanOut, fanIn] = this.weight.shape;
    const within = (fan: number): Initial => ({ kind: 'uniform', bound: 1 / Math.sqrt(fan) });
    if (this.initial === 'torch') return { weight: within(fanIn), bias: within(fanIn) };
    return { weight: within(fanOut), bias: { kind: 'constant', value: 0 } };
  }

  call(input: Tensor<'NC'>): Tensor<'NC'> {
    return linear(input, this.weight, this.bias);
  }
}
