/**
 * RMSProp (Tieleman & Hinton 2012) with PyTorch's update rule.
 *
 *     v = alpha v + (1 - alpha) g^2,  buffer = momentum * buffer + g / (sqrt(v) + epsilon),  p -= rate * buffer
 *
 * centred: the root is of v minus the squared mean gradient.
 */
import shaders from '../../shaders/sources.ts';
import { kernel } from '../kernel.ts';
import { type NamedTensor, Optimizer } from './optimizer.ts';

export interface RMSPropOptions {
  readonly learningRate?: number;
  readonly alpha?: number;
  /** Added to the root. */
  readonly epsilon?: number;
  readonly weightDecay?: number;
  readonly momentum?: number;
  readonly centred?: boolean;
}

export class RMSProp extends Optimizer {
  protected readonly kernel = kernel(shaders.optimizers, 'rmsprop');
  private readonly options: Required<Omit<RMSPropOptions, 'learningRate'>>;

  constructor(parameters: Iterable<NamedTensor>, options: RMSPropOptions = {}) {
    const {
      learningRate = 1e-2,
      alpha = 0.99,
      epsilon = 1e-8,
      weightDecay = 0,
      momentum = 0,
      centred = false,
    } = options;
    super(parameters, learningRate, ['square_avg', 'momentum_buffer', 'grad_avg']);
    this.options = { alpha, epsilon, weightDecay, momentum, centred };
  }

  protected settingsAt(_steps: number, learningRate: number): readonly number[] {
    const { alpha, epsilon, weightDecay, momentum, centred } = this.options;
    return [weightDecay, alpha, learningRate, epsilon, momentum, centred ? 1 : 0];
  }
}
