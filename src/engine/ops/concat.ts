/**
 * Joins tensors along one axis; the gradient is cut apart again. Up to eight inputs, all other lengths equal.
 */
import { type Shape, ShapeError, sizeOf } from '../shape.ts';
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
  const shape = first.shape.map((length, i) =>
    i === axis ? inputs.reduce((total, input) => total + input.shape[axis], 0) : length,
  );
  const channels = first.axes === 'NCHW' && axis === 1 && inputs.every(({ isPresent }) => !isPresent); // that nobody has written
  const output = (channels ? promise(gpu, shape, 'concat') : empty(gpu, first.axes, shape, 'concat')) as Tensor<A>;
  const outer = sizeOf(shape.slice(0, axis));
  const inner = sizeOf(shape.slice(axis + 1));
  const row = shape[axis] * inner;
  const offsets = inputs.map((_, i) =>
    inputs.slice(0, i).reduce((total, input) => total + input.shape[axis] * inner, 0),
  );
  output.made({
    from: inputs,
    fill: () =>
      inputs.forEach((input, i) => {
        const block = input.shape[axis] * inner;
        const lengths: Shape = [outer, block];
        copyBox(input, output, { lengths, to: [row, 1], offset: offsets[i], from: [block, 1], sizes: lengths });
      }),
    sources: () => inputs.flatMap(({ sources }) => sources),
  });
  output.tell('concat', inputs, { axis });
  const roles = Object.fromEntries(inputs.map((input, i) => [`input${i}`, input as Tensor]));
  const rule = (gradient: Tensor) =>
    Object.fromEntries(
      inputs.map((input, i) => [
        `input${i}`,
        () => {
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
  return output.derivedFrom(roles, rule, [], []);
}
