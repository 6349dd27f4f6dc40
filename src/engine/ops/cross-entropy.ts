/**
 * Cross entropies of predictions with known answers.
 *
 *     crossEntropy:   L_c = -sum_n w_{y_n} log softmax(x_n)_{y_n} / sum_n w_{y_n}        (Eq. 3 of the paper; w = 1 unless given)
 *     bceWithLogits:  L = mean(softplus(x) - x y)
 */
import shaders from '../../shaders/sources.ts';
import { dispatch, kernel, linearGroups } from '../kernel.ts';
import { ShapeError } from '../shape.ts';
import { empty, type Scalar, type Tensor, upload } from '../tensor.ts';
import { multiply, subtract } from './arithmetic.ts';
import { softplus } from './elementwise.ts';
import { mean, sum } from './reduce.ts';
import { logSoftmax } from './softmax.ts';

const append = [shaders.special.code];
const addWeights = kernel(shaders.losses, 'addWeights', { append });
const likelihood = kernel(shaders.losses, 'likelihood', { append });
const likelihoodGradient = kernel(shaders.losses, 'likelihoodGradient', { append });

/** The tensor that is not a number where a label is none of the classes: how findNonFinite names it. */
export const LABEL_TERMS = 'crossEntropy terms';

/**
 * logits N C, labels N (u32, each below C), classWeights C. Labels that were uploaded are checked on the host, each time that the step is done;
 * others make the loss NaN, which stops the optimizer.
 *
 * @throws ShapeError for a label that is none of the classes
 */
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
  labels.onContents((values) => {
    const n = values.findIndex((label) => label >= C);
    if (n >= 0)
      throw new ShapeError(
        'crossEntropy',
        `label ${values[n]} of image ${n} is none of the ${C} classes, 0 to ${C - 1}`,
        { logits, labels },
        'Check the table of labels, or the number of classes of the network.',
      );
  });
  const logProbability = logSoftmax(logits, 'C');
  const groups = linearGroups(N, 64);
  const extent = { count: N, rowStride: groups[0] * 64, classes: C, factor: 1 };
  const weights = empty(gpu, '', [], 'crossEntropy weights');
  dispatch(gpu, addWeights, { label: labels, classWeight, output: weights }, extent, [1]);
  const terms = empty(gpu, 'N', [N], LABEL_TERMS);
  dispatch(gpu, likelihood, { logProbability, label: labels, classWeight, weights, output: terms }, extent, groups);
  gpu.onTensor?.(terms);
  const total = sum(terms) as Scalar;
  terms.release();
  return total.derivedFrom(
    { logProbability: logProbability as Tensor },
    (gradient) => ({
      logProbability: () => {
        const result = empty(gpu, 'NC', [N, C], 'crossEntropy gradient');
        const spread = linearGroups(N * C, 64);
        const elements = { ...extent, rowStride: spread[0] * 64 };
        const bindings = { label: labels, classWeight, weights, gradient, output: result };
        dispatch(gpu, likelihoodGradient, bindings, elements, spread);
        return result;
      },
    }),
    [weights],
  );
}

/** Mean binary cross entropy of logits with targets in [0, 1], same shape. */
export function bceWithLogits(logits: Tensor, targets: Tensor): Scalar {
  return mean(subtract(softplus(logits), multiply(logits, targets))) as Scalar;
}
