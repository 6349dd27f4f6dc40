/**
 * Stochastic gradient descent with momentum, PyTorch's update rule.
 *
 *     buffer = momentum * buffer + (1 - dampening) * g  (the first step: g),  p -= rate * buffer      nesterov: p -= rate * (g + momentum * buffer)
 */
import shaders from '../../shaders/sources.ts';
import { kernel } from '../kernel.ts';
import { type NamedTensor, Optimizer } from './optimizer.ts';

export interface SGDOptions {
  readonly learningRate?: number;
  readonly momentum?: number;
  readonly dampening?: number;
  readonly weightDecay?: number;
  readonly nesterov?: boolean;
}

export class SGD extends Optimizer {
  protected readonly kernel = kernel(shaders.optimizers, 'sgd');
  private readonly options: Required<Omit<SGDOptions, 'learningRate'>>;

  constructor(parameters: Iterable<NamedTensor>, options: SGDOptions = {}) {
    const { learningRate = 1e-3, momentum = 0, dampening = 0, weightDecay = 0, nesterov = false } = options;
    super(parameters, learningRate, ['momentum_buffer']);
    this.options = { momentum, dampening, weightDecay, nesterov };
  }

  protected settingsAt(steps: number, learningRate: number): readonly number[] {
    const { momentum, dampening, weightDecay, nesterov } = this.options;
    return [weightDecay, momentum, steps === 1 ? 1 : 1 - dampening, learningRate, nesterov ? 1 : 0];
  }
}
