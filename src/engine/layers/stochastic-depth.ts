/**
 * Stochastic depth (Huang et al. 2016): in training, each image's branch is left out with probability `rate`, the others are divided by
 * 1 - rate. A dropout whose mask has one number an image.
 */
import { multiply } from '../ops/arithmetic.ts';
import { type Tensor, upload } from '../tensor.ts';
import { Dropout } from './dropout.ts';

export class StochasticDepth extends Dropout {
  /** The first axis counts the images. */
  override call<A extends string>(branch: Tensor<A>): Tensor<A> {
    if (!this.training || this.rate === 0) return branch;
    const [N] = branch.shape;
    const ones = upload(branch.gpu, branch.axes[0], [N], () => new Float32Array(N).fill(1), 'stochastic depth');
    return multiply(branch, super.call(ones)) as Tensor<string> as Tensor<A>;
  }
}
