/**
 * Part of a tensor, and its counterpart, a tensor with a margin. Each is the other's gradient.
 */
import { ShapeError } from '../shape.ts';
import { empty, type Tensor } from '../tensor.ts';
import { copyBox, stridesOf } from './box.ts';

/** From `start` to before `end` along the axes that are named: slice(x, { H: [1, 5] }). A negative end counts from the back. */
export function slice<A extends string>(
  input: Tensor<A>,
  ranges: Readonly<Record<string, readonly [start: number, end?: number]>>,
): Tensor<A> {
  for (const letter of Object.keys(ranges)) {
    if (!input.axes.includes(letter)) throw new ShapeError('slice', `there is no axis ${letter}`, { input });
  }
  const bounds = input.shape.map((length, i) => {
    const [start, end = length] = ranges[input.axes[i]] ?? [0, length];
    const stop = end < 0 ? length + end : end;
    if (!(start >= 0 && start < stop && stop <= length)) {
      throw new ShapeError('slice', `${start} to ${stop} is not within axis ${input.axes[i]} of length ${length}`, {
        input,
      });
    }
    return { start, stop };
  });
  const output = window(
    input,
    bounds.map(({ start }) => start),
    bounds.map(({ start, stop }) => stop - start),
    'slice',
    0,
  );
  output.tell('slice', [input], { bounds });
  const back = bounds.map(({ start }) => -start);
  const rule = (gradient: Tensor) => ({ input: () => window(gradient, back, input.shape, 'slice gradient', 0) });
  return output.derivedFrom({ input: input as Tensor }, rule, [], []);
}

/** `before` and `after` elements of `value` on the axes that are named: pad(x, { H: [0, 1], W: [0, 1] }). */
export function pad<A extends string>(
  input: Tensor<A>,
  margins: Readonly<Record<string, readonly [before: number, after: number]>>,
  value = 0,
): Tensor<A> {
  for (const letter of Object.keys(margins)) {
    if (!input.axes.includes(letter)) throw new ShapeError('pad', `there is no axis ${letter}`, { input });
    if (margins[letter].some((margin) => !(margin >= 0)))
      throw new ShapeError('pad', `margins of ${margins[letter]} are not >= 0`, { input });
  }
  const margin = [...input.axes].map((letter) => margins[letter] ?? [0, 0]);
  const shape = input.shape.map((length, i) => margin[i][0] + length + margin[i][1]);
  const start = margin.map(([before]) => -before);
  const output = window(input, start, shape, 'pad', value);
  output.tell('pad', [input], { margin, value });
  const back = start.map((at) => -at);
  const rule = (gradient: Tensor) => ({ input: () => window(gradient, back, input.shape, 'pad gradient', 0) });
  return output.derivedFrom({ input: input as Tensor }, rule, [], []);
}

/** The box of `shape` whose first corner is at `start` of the input, with `filler` where it reaches outside. */
function window<A extends string>(
  input: Tensor<A>,
  start: readonly number[],
  shape: readonly number[],
  name: string,
  filler: number,
): Tensor<A> {
  const output = empty(input.gpu, input.axes, shape, name);
  copyBox(input, output, {
    lengths: shape,
    to: stridesOf(shape),
    start,
    from: stridesOf(input.shape),
    sizes: input.shape,
    filler,
  });
  return output;
}
