/** Joins tensors along one axis. */
import { at, tabulate, type Values } from './values.ts';

export function concat(inputs: readonly Values[], letter: string): Values {
  const [{ axes, shape }] = inputs;
  const axis = axes.indexOf(letter);
  const total = inputs.reduce((length, input) => length + input.shape[axis], 0);
  return tabulate(
    axes,
    shape.map((length, i) => (i === axis ? total : length)),
    (...index) => {
      for (const input of inputs) {
        if (index[axis] < input.shape[axis]) return at(input, ...index);
        index[axis] -= input.shape[axis];
      }
      return Number.NaN;
    },
  );
}
