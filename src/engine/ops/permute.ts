/**
 * The same elements with the axes in another order: permute(x, 'NHWC').
 */
import { ShapeError } from '../shape.ts';
import { empty, type Tensor } from '../tensor.ts';
import { copyBox, stridesOf } from './box.ts';

export function permute<A extends string>(input: Tensor, axes: A): Tensor<A> {
  if ([...axes].sort().join('') !== [...input.axes].sort().join('')) {
    throw new ShapeError('permute', `"${axes}" is not an order of "${input.axes}"`, { input });
  }
  const output = reorder(input, axes);
  output.tell('permute', [input]);
  return output.derivedFrom({ input }, (gradient) => ({ input: () => reorder(gradient, input.axes) }), [], []);
}

function reorder<A extends string>(input: Tensor, axes: A): Tensor<A> {
  const place = [...axes].map((letter) => input.axes.indexOf(letter));
  const shape = place.map((i) => input.shape[i]);
  const strides = stridesOf(input.shape);
  const output = empty(input.gpu, axes, shape, 'permute');
  copyBox(input, output, { lengths: shape, to: stridesOf(shape), from: place.map((i) => strides[i]), sizes: shape });
  return output;
}
