/** A dense layer with its weight and bias; PyTorch's initial values, uniform within 1 / sqrt(fan-in). */
import type { Gpu } from '../gpu.ts';
import { linear } from '../ops/matmul.ts';
import type { Tensor } from '../tensor.ts';
import { type Initial, Module, stateTensor } from './module.ts';

/** N C -> N O */
export class Linear extends Module {
  readonly weight: Tensor<'OC'>;
  readonly bias: Tensor<'C'>;

  constructor(gpu: Gpu, inputs: number, outputs: number) {
    super();
    this.weight = stateTensor(gpu, 'OC', [outputs, inputs], 'linear weight', true);
    this.bias = stateTensor(gpu, 'C', [outputs], 'linear bias', true);
  }

  members() {
    return { weight: this.weight, bias: this.bias };
  }

  protected override initials(): Record<string, Initial> {
    const initial: Initial = { kind: 'uniform', bound: 1 / Math.sqrt(this.weight.shape[1]) };
    return { weight: initial, bias: initial };
  }

  call(input: Tensor<'NC'>): Tensor<'NC'> {
    return linear(input, this.weight, this.bias);
  }
}
