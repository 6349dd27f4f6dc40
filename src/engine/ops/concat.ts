/**
 * Joins tensors along one axis; the gradient is cut apart again. Up to eight inputs, all other lengths equal.
 */
import { type Shape, ShapeError, sameShape, sizeOf } from '../shape.ts';
import { empty, promise, type Tensor } from '../tensor.ts';
import { copyBox } from './box.ts';

export function concat<A extends string>(inputs: readonly Tensor<A>[], letter: string): Tensor<A> {
  const [first] = inputs;
  if (!first) throw new Error('concat: there is nothing to join.');
  const axis = first.axes.indexOf(letter);
  if (axis < 0) throw new ShapeError('concat', `there is no axis ${letter} to join along`, { first });
  for (const input of inputs) {
    const fits = input.axes === first.axes && input.shape.every((length, i) => i === axis || length === first.shape[i]);
    if (!fits) throw new ShapeError('concat', `all axes but ${letter} must agree`, { first, other: input });
  }
  const { gpu } = first;
  const output = joined(inputs, axis, 'concat');
  const { shape } = output;
  const outer = sizeOf(shape.slice(0, axis));
  const inner = sizeOf(shape.slice(axis + 1));
  const row = shape[axis] * inner;
  const offsets = inputs.map((_, i) =>
    inputs.slice(0, i).reduce((total, input) => total + input.shape[axis] * inner, 0),
  );
  output.tell('concat', inputs, { axis });
  const roles = Object.fromEntries(inputs.map((input, i) => [`input${i}`, input as Tensor]));
  const rule = (gradient: Tensor) => {
    const parts = gradient.elsewhere ?? [];
    const apart =
      parts.length === inputs.length && parts.every(({ tensor }, i) => sameShape(tensor.shape, inputs[i].shape));
    return Object.fromEntries(
      inputs.map((input, i) => [
        `input${i}`,
        () => {
          if (apart) return parts[i].tensor;
          const block = input.shape[axis] * inner;
          const part = empty(gpu, input.axes, input.shape, 'concat gradient');
          const lengths: Shape = [outer, block];
          copyBox(gradient, part, {
            lengths,
            to: [block, 1],
            start: [0, offsets[i]],
            from: [row, 1],
            sizes: [outer, row],
          });
          return part;
        },
      ]),
    );
  };
  return output.derivedFrom(roles, rule, [], []);
}

/** The tensors one after another along an axis; a promise where they are channels that nobody has written. No gradients here. */
function joined<A extends string>(inputs: readonly Tensor<A>[], axis: number, name: string): Tensor<A> {
  const [first] = inputs;
  const shape = first.shape.map((length, i) =>
    i === axis ? inputs.reduce((total, input) => total + input.shape[axis], 0) : length,
  );
  const channels = first.axes === 'NCHW' && axis === 1 && inputs.every(({ isPresent }) => !isPresent);
  const output = (channels ? promise(first.gpu, shape, name) : empty(first.gpu, first.axes, shape, name)) as Tensor<A>;
  return output.made(joining(inputs, axis, output));
}

/** The gradient of joined channels from those of its parts, which is written only if someone wants the whole of it. */
export function joinedGradient(parts: readonly Tensor<'NCHW'>[], shape: Shape): Tensor<'NCHW'> {
  const whole = promise(parts[0].gpu, shape, 'gradient of joined channels');
  return whole.made(joining(parts, 1, whole));
}

function joining(inputs: readonly Tensor[], axis: number, output: Tensor) {
  const { shape } = output;
  const outer = sizeOf(shape.slice(0, axis));
  const inner = sizeOf(shape.slice(axis + 1));
  const fill = () => {
    let offset = 0;
    for (const input of inputs) {
      const block = input.shape[axis] * inner;
      const lengths: Shape = [outer, block];
      copyBox(input, output, { lengths, to: [shape[axis] * inner, 1], offset, from: [block, 1], sizes: lengths });
      offset += block;
    }
  };
  return { from: inputs, fill, sources: () => inputs.flatMap(({ sources }) => sources) };
}
