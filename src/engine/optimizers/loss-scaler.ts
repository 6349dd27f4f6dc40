/**
 * Dynamic loss scaling (Micikevicius et al. 2018), for training in half precision: the loss is multiplied by a power of two, so that small
 * gradients stay large on the way back, and the parameters' gradients are divided by it again. Gradients are float32 (autograd.ts says why), so
 * what is left of it to do is to leave out a step whose gradients are no numbers because activations overflowed float16.
 *
 *     const verdict = scaler.backward(loss, parameters);   d (scale * loss), then / scale; the loss, or NaN where a gradient overflowed
 *     optimizer.step({ guard: verdict });                  changes nothing where that is not a number
 *     scaler.learn(numbers, optimizer);                    after the step: halves the scale, or doubles it after 2,000 good steps
 */
import shaders from '../../shaders/sources.ts';
import { backward } from '../autograd.ts';
import { dispatch, kernel, linearGroups } from '../kernel.ts';
import { empty, type Scalar, type Tensor, upload } from '../tensor.ts';
import type { NamedTensor, Optimizer } from './optimizer.ts';

const unscale = kernel(shaders.lossScaling, 'unscale');
const judge = kernel(shaders.lossScaling, 'judge');

/** Everything that the scaler remembers. */
export interface LossScalerState {
  readonly scale: number;
  /** Steps without an overflow since the scale last changed. */
  readonly goodSteps: number;
  /** Steps that were left out. */
  readonly skipped: number;
}

export interface LossScalerOptions {
  /** A power of two, so that scaling rounds nothing. */
  readonly initial?: number;
  readonly largest?: number;
  /** Good steps until the scale doubles. */
  readonly growthInterval?: number;
}

export class LossScaler {
  private scale: number;
  private goodSteps = 0;
  private skipped = 0;
  private readonly largest: number;
  private readonly growthInterval: number;

  constructor({ initial = 2 ** 16, largest = 2 ** 24, growthInterval = 2000 }: LossScalerOptions = {}) {
    if (!(initial >= 1 && Number.isInteger(Math.log2(initial))))
      throw new Error(`loss scaler: a scale of ${initial} is not a power of two from 1 on.`);
    this.scale = initial;
    this.largest = largest;
    this.growthInterval = growthInterval;
  }

  get state(): LossScalerState {
    const { scale, goodSteps, skipped } = this;
    return { scale, goodSteps, skipped };
  }

  load({ scale, goodSteps, skipped }: LossScalerState): void {
    this.scale = scale;
    this.goodSteps = goodSteps;
    this.skipped = skipped;
  }

  /** Inside a step: backward() of the scaled loss; divides the gradients of `parameters` by the scale. Returns `loss`, or NaN where one overflowed. */
  backward(loss: Scalar, parameters: readonly NamedTensor[]): Scalar {
    const { gpu } = loss;
    const scale = upload(gpu, '', [], () => [this.scale], 'loss scale');
    backward(loss, scale);
    const flag = upload(gpu, 'K', [1], () => Uint32Array.of(0), 'overflow');
    for (const { tensor } of parameters) {
      const scaled = tensor.gradient;
      if (!scaled?.isAlive) continue;
      const gradient = empty(gpu, tensor.axes, tensor.shape, scaled.name, 'f32');
      const groups = linearGroups(tensor.size, 512);
      const extent = { count: tensor.size, rowStride: groups[0] * 512 };
      dispatch(gpu, unscale, { scale, scaled, gradient, overflows: flag }, extent, groups);
      scaled.release();
      (tensor as Tensor).gradient = gradient;
    }
    const verdict = empty(gpu, '', [], 'loss, if every gradient is a number');
    dispatch(gpu, judge, { overflow: flag, loss, verdict }, {}, [1]);
    return verdict;
  }

  /** After the step: whether it was taken. One that was not leaves the optimizer's count of steps as it was. */
  learn({ loss, verdict }: { readonly loss: number; readonly verdict: number }, optimizer: Optimizer): boolean {
    if (Number.isFinite(verdict)) {
      this.goodSteps++;
      if (this.goodSteps === this.growthInterval) {
        this.goodSteps = 0;
        this.scale = Math.min(this.largest, 2 * this.scale);
      }
      return true;
    }
    optimizer.undoCount();
    if (!Number.isFinite(loss)) return false; // not the gradients' fault
    this.goodSteps = 0;
    this.skipped++;
    if (this.scale === 1)
      throw new Error(
        'The gradients are no numbers even at a loss scale of 1; lower the learning rate, or train with --precision f32.',
      );
    this.scale /= 2;
    return false;
  }
}
