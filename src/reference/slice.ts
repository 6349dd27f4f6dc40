/** A part of a tensor, and a tensor with a margin. */
import { at, tabulate, type Values } from './values.ts';

export function slice(input: Values, ranges: Readonly<Record<string, readonly [start: number, end?: number]>>): Values {
  const bounds = input.shape.map((length, i) => {
    const [start, end = length] = ranges[input.axes[i]] ?? [0];
    return [start, end < 0 ? length + end : end];
  });
  return tabulate(
    input.axes,
    bounds.map(([start, end]) => end - start),
    (...index) => at(input, ...index.map((i, axis) => bounds[axis][0] + i)),
  );
}

export function pad(
  input: Values,
  margins: Readonly<Record<string, readonly [before: number, after: number]>>,
  value = 0,
): Values {
  const margin = input.shape.map((_, i) => margins[input.axes[i]] ?? [0, 0]);
  return tabulate(
    input.axes,
    input.shape.map((length, i) => margin[i][0] + length + margin[i][1]),
    (...index) => {
      const inner = index.map((i, axis) => i - margin[axis][0]);
      return inner.every((i, axis) => i >= 0 && i < input.shape[axis]) ? at(input, ...inner) : value;
    },
  );
}
