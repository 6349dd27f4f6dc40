/** The axes in another order. */
import { at, tabulate, type Values } from './values.ts';

export function permute(input: Values, axes: string): Values {
  return tabulate(
    axes,
    [...axes].map((letter) => input.shape[input.axes.indexOf(letter)]),
    (...index) => at(input, ...[...input.axes].map((letter) => index[axes.indexOf(letter)])),
  );
}
