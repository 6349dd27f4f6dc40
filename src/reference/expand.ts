/** A tensor repeated along axes that it lacks or has once. */
import { at, tabulate, type Values } from './values.ts';

export function expand(input: Values, axes: string, shape: readonly number[]): Values {
  return tabulate(axes, shape, (...index) => repeatedAt(input, axes, index));
}

/** The element of `input` that stands at an index over `axes`. */
export function repeatedAt(input: Values, axes: string, index: readonly number[]): number {
  const own = [...input.axes].map((letter, i) => (input.shape[i] === 1 ? 0 : index[axes.indexOf(letter)]));
  return at(input, ...own);
}
