/**
 * Kullback-Leibler divergence of a predicted distribution from a target distribution, averaged over the batch (torch: batchmean).
 *
 *     L_s = 1/N sum_n sum_i t_ni (ln t_ni - log p_ni)        0 ln 0 = 0        (Eq. 2 of the paper)
 *
 * Only the cross-entropy part depends on the prediction, so d L_s / d log p = -t / N; the entropy of t is constant there, but not for sigma.
 */
import shaders from '../../shaders/sources.ts';
import { dispatch, kernel, linearGroups } from '../kernel.ts';
import { ShapeError, sameShape } from '../shape.ts';
import { empty, type Scalar, type Tensor } from '../tensor.ts';
import { scale } from './elementwise.ts';
import { sum } from './reduce.ts';

const divergence = kernel(shaders.losses, 'divergence', { append: [shaders.special.code] });
const divergenceGradient = kernel(shaders.losses, 'divergenceGradient', { append: [shaders.special.code] });

/** logProbability and target: N first, then any axes, same shape; each image's target sums to 1. The target gets no gradient. */
export function klDivergence(logProbability: Tensor, target: Tensor): Scalar {
  const { gpu, size } = logProbability;
  if (!sameShape(logProbability.shape, target.shape)) {
    throw new ShapeError('klDivergence', 'prediction and target differ in shape', { logProbability, target });
  }
  logProbability.assertAlive('klDivergence');
  target.assertAlive('klDivergence');
  const groups = linearGroups(size, 512);
  const extent = { count: size, rowStride: groups[0] * 512, classes: 1, factor: 1 / logProbability.shape[0] };
  const terms = empty(gpu, logProbability.axes, logProbability.shape, 'klDivergence terms');
  dispatch(gpu, divergence, { target_: target, logProbability, output: terms }, extent, groups);
  const total = sum(terms) as Scalar;
  terms.release();
  const batchMean = scale(total, extent.factor);
  const rule = (gradient: Tensor) => ({
    logProbability: () => {
      const result = empty(gpu, logProbability.axes, logProbability.shape, 'klDivergence gradient');
      dispatch(gpu, divergenceGradient, { target_: target, gradient, output: result }, extent, groups);
      return result;
    },
  });
  return batchMean.derivedFrom({ logProbability }, rule, [], [target]);
}
