/**
 * Adam (Kingma & Ba 2014) with PyTorch's update rule, and AdamW's decoupled decay.
 *
 *     m = b1 m + (1 - b1) g,  v = b2 v + (1 - b2) g^2,  p -= rate / (1 - b1^t) * m / (sqrt(v) / sqrt(1 - b2^t) + epsilon)
 */
import shaders from '../../shaders/sources.ts';
import { type Kernel, kernel } from '../kernel.ts';
import { type NamedTensor, Optimizer } from './optimizer.ts';

const plain = kernel(shaders.optimizers, 'adam');
const withLargest = kernel(shaders.optimizers, 'amsgrad');

export interface AdamOptions {
  readonly learningRate?: number;
  readonly betas?: readonly [number, number];
  /** Added to the root after its bias correction. */
  readonly epsilon?: number;
  /** Added to the gradient, times the parameter. */
  readonly weightDecay?: number;
  /** Subtracted from the parameter, times the rate and the parameter (AdamW). */
  readonly decoupledDecay?: number;
  /** Divides by the largest v so far. */
  readonly amsgrad?: boolean;
}

export class Adam extends Optimizer {
  protected readonly kernel: Kernel;
  private readonly options: Required<Omit<AdamOptions, 'learningRate'>>;

  constructor(parameters: Iterable<NamedTensor>, options: AdamOptions = {}) {
    const {
      learningRate = 1e-3,
      betas = [0.9, 0.999],
      epsilon = 1e-8,
      weightDecay = 0,
      decoupledDecay = 0,
      amsgrad = false,
    } = options;
    super(parameters, learningRate, ['exp_avg', 'exp_avg_sq', ...(amsgrad ? ['max_exp_avg_sq'] : [])]);
    this.options = { betas, epsilon, weightDecay, decoupledDecay, amsgrad };
    this.kernel = amsgrad ? withLargest : plain;
  }

  protected settingsAt(steps: number, learningRate: number): readonly number[] {
    const { betas, epsilon, weightDecay, decoupledDecay } = this.options;
    // As the device holds them: 1 - beta2 in float32 is off by 1e-5, which the correction undoes only if it reckons with the same number.
    const [beta1, beta2] = betas.map(Math.fround);
    const rate = learningRate / (1 - beta1 ** steps);
    return [weightDecay, beta1, beta2, rate, 1 / Math.sqrt(1 - beta2 ** steps), epsilon, learningRate * decoupledDecay];
  }
}
