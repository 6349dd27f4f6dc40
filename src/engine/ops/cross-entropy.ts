/**
 * Cross entropies of predictions with known answers.
 *
 *     crossEntropy:   L_c = -sum_n w_{y_n} log softmax(x_n)_{y_n} / sum_n w_{y_n}        (Eq. 3 of the paper; w = 1 unless given)
 *     bceWithLogits:  L = mean(softplus(x) - x y)
 */
import shaders from '../../shaders/sources.ts';
import { dispatch, kernel } from '../kernel.ts';
import { ShapeError } from '../shape.ts';
import { empty, type Scalar, type Tensor, upload } from '../tensor.ts';
import { multiply, subtract } from './arithmetic.ts';
import { softplus } from './elementwise.ts';
import { mean, sum } from './reduce.ts';
import { logSoftmax } from './softmax.ts';

const likelihood = kernel(shaders.losses, 'likelihood');
const likelihoodGradient = kernel(shaders.losses, 'likelihoodGradient');

/** logits N C, labels N (u32, each below C), classWeights C. */
export function crossEntropy(logits: Tensor<'NC'>, labels: Tensor<'N'>, classWeights?: Tensor<'C'>): Scalar {
  const { gpu } = logits;
  const [N, C] = logits.shape;
  if (labels.shape[0] !== N || labels.type !== 'u32') {
    throw new ShapeError('crossEntropy', `${N} images need as many u32 labels, not ${labels.shape[0]} ${labels.type}`, {
      logits,
      labels,
    });
  }
  if (classWeights && classWeights.shape[0] !== C)
    throw new ShapeError('crossEntropy', `${C} classes need as many weights`, { logits, classWeights });
  labels.assertAlive('crossEntropy');
  const classWeight = classWeights ?? upload(gpu, 'C', [C], () => new Float32Array(C).fill(1), 'class weights');
  const logProbability = logSoftmax(logits, 'C');
  const extent = { count: N, rowStride: 0, classes: C, factor: 1 };
  const terms = empty(gpu, 'N', [N], 'crossEntropy terms');
  dispatch(gpu, likelihood, { logProbability, label: labels, classWeight, output: terms }, extent, [Math.ceil(N / 64)]);
  const total = sum(terms) as Scalar;
  terms.release();
  return total.derivedFrom({ logProbability: logProbability as Tensor }, (gradient) => ({
    logProbability: () => {
      const result = empty(gpu, 'NC', [N, C], 'crossEntropy gradient');
      dispatch(gpu, likelihoodGradient, { label: labels, classWeight, gradient, output: result }, extent, [
        Math.ceil((N * C) / 64),
      ]);
      return result;
    },
  }));
}

/** Mean binary cross entropy of logits with targets in [0, 1], same shape. */
export function bceWithLogits(logits: Tensor, targets: Tensor): Scalar {
  return mean(subtract(softplus(logits), multiply(logits, targets))) as Scalar;
}
