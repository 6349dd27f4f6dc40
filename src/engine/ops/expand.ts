/**
 * Repeats a tensor along the axes that it lacks (or has once): an NC tensor becomes NCHW. The gradient sums the repetitions.
 */
import { type Shape, ShapeError, sizeOf, stridesWithin } from '../shape.ts';
import { empty, type Tensor } from '../tensor.ts';
import { copyBox, stridesOf } from './box.ts';
import { sumTo } from './reduce.ts';

/** Without a memory of how it was made; used by the rules of reductions. `factor` multiplies every element. */
export function expandLike(input: Tensor, like: { readonly axes: string; readonly shape: Shape }, factor = 1): Tensor {
  const output = empty(input.gpu, like.axes, like.shape, 'expand');
  const from = stridesWithin(like.axes, like.shape, input);
  copyBox(input, output, { lengths: like.shape, to: stridesOf(like.shape), from, sizes: like.shape, factor });
  return output;
}

export function expand<A extends string>(input: Tensor, axes: A, shape: Shape): Tensor<A> {
  const kept = [...axes].filter((letter) => input.axes.includes(letter)).join('');
  const fits = [...input.axes].every(
    (letter, i) => input.shape[i] === 1 || input.shape[i] === shape[axes.indexOf(letter)],
  );
  if (kept !== input.axes || !fits || sizeOf(shape) < input.size) {
    throw new ShapeError('expand', 'the input does not repeat to the wanted shape', { input, wanted: { axes, shape } });
  }
  const output = expandLike(input, { axes, shape });
  output.tell('expand', [input]);
  return output.derivedFrom({ input }, (gradient) => ({ input: () => sumTo(gradient, input) }), [], []) as Tensor<A>;
}
