/** Batch normalisation with its scale, shift and running statistics, optionally followed by ReLU. */
import type { Gpu } from '../gpu.ts';
import { batchNorm } from '../ops/batch-norm.ts';
import type { Tensor } from '../tensor.ts';
import { Counter, type Initial, Module, stateTensor } from './module.ts';

export interface BatchNorm2dOptions {
  readonly epsilon?: number;
  readonly momentum?: number;
  readonly activation?: 'relu' | 'none';
}

/** N C H W -> N C H W */
export class BatchNorm2d extends Module {
  readonly weight: Tensor<'C'>;
  readonly bias: Tensor<'C'>;
  readonly runningMean: Tensor<'C'>;
  readonly runningVariance: Tensor<'C'>;
  readonly batches = new Counter();
  private readonly options: BatchNorm2dOptions;

  constructor(gpu: Gpu, channels: number, options: BatchNorm2dOptions = {}) {
    super();
    this.options = options;
    this.weight = stateTensor(gpu, 'C', [channels], 'batchNorm weight', true);
    this.bias = stateTensor(gpu, 'C', [channels], 'batchNorm bias', true);
    this.runningMean = stateTensor(gpu, 'C', [channels], 'batchNorm running mean', false);
    this.runningVariance = stateTensor(gpu, 'C', [channels], 'batchNorm running variance', false);
  }

  members() {
    const { weight, bias, runningMean, runningVariance, batches } = this;
    return { weight, bias, running_mean: runningMean, running_var: runningVariance, num_batches_tracked: batches };
  }

  protected override initials(): Record<string, Initial> {
    const [zero, one]: Initial[] = [0, 1].map((value) => ({ kind: 'constant', value }));
    return { weight: one, bias: zero, running_mean: zero, running_var: one };
  }

  call(input: Tensor<'NCHW'>): Tensor<'NCHW'> {
    const { weight, bias, runningMean, runningVariance, training } = this;
    if (training) {
      input.gpu.eachTime(() => {
        this.batches.value++;
      });
    }
    return batchNorm({ input, weight, bias, runningMean, runningVariance }, { training, ...this.options });
  }
}
