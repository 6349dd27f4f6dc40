/**
 * Softmax and its logarithm over the last axes of a tensor: 'C' of N C (classes), 'HW' of N C H W or N H W (a spatial distribution).
 *
 *     softmax(x)_i = exp(x_i) / sum_j exp(x_j)
 */
import shaders from '../../shaders/sources.ts';
import { dispatch, kernel, linearGroups } from '../kernel.ts';
import { ShapeError, sizeOf } from '../shape.ts';
import { empty, type Tensor } from '../tensor.ts';

const append = [shaders.special.code];
/** A workgroup a row, and a thread a row for those of at most SHORT elements. */
const long = {
  forward: kernel(shaders.softmax, 'forward', { append }),
  backward: kernel(shaders.softmax, 'backward', { append }),
};
const short = {
  forward: kernel(shaders.softmax, 'forwardShort', { append }),
  backward: kernel(shaders.softmax, 'backwardShort', { append }),
};
const SHORT = 8;

export function softmax<A extends string>(input: Tensor<A>, letters: string): Tensor<A> {
  return overRows('softmax', input, letters, 0);
}

export function logSoftmax<A extends string>(input: Tensor<A>, letters: string): Tensor<A> {
  return overRows('logSoftmax', input, letters, 1);
}

function overRows<A extends string>(operation: string, input: Tensor<A>, letters: string, logarithm: 0 | 1): Tensor<A> {
  const { gpu, axes, shape } = input;
  if (letters.length === 0 || !axes.endsWith(letters)) {
    throw new ShapeError(
      operation,
      `"${letters}" are not the last axes`,
      { input },
      'Use permute() to bring them to the end.',
    );
  }
  input.assertAlive(operation);
  const length = sizeOf(shape.slice(axes.length - letters.length));
  const rows = input.size / length;
  const extent = { rows, length, logarithm };
  const { forward, backward } = length <= SHORT ? short : long;
  const groups = linearGroups(rows, length <= SHORT ? 64 : 1);
  const result = empty(gpu, axes, shape, operation);
  dispatch(gpu, forward, { input, output: result }, extent, groups);
  result.tell(operation, [input], { letters });
  const rule = (gradient: Tensor) => ({
    input: () => {
      const inputGradient = empty(gpu, axes, shape, `${operation} gradient`);
      dispatch(gpu, backward, { result, gradient, output: inputGradient }, extent, groups);
      return inputGradient;
    },
  });
  return result.derivedFrom({ input: input as Tensor }, rule, [], [result]);
}
