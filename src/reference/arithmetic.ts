/** Operations on two tensors, axes paired by letter, repeated where missing or of length 1. */
import { repeatedAt } from './expand.ts';
import { tabulate, type Values } from './values.ts';

export function combine(a: Values, b: Values, join: (a: number, b: number) => number): Values {
  const axes = a.axes.length >= b.axes.length ? a.axes : b.axes;
  const lengthIn = ({ axes, shape }: Values, letter: string) => shape[axes.indexOf(letter)] ?? 1;
  const shape = [...axes].map((letter) => Math.max(lengthIn(a, letter), lengthIn(b, letter)));
  return tabulate(axes, shape, (...index) => join(repeatedAt(a, axes, index), repeatedAt(b, axes, index)));
}

export const arithmetic = {
  add: (a: number, b: number) => a + b,
  subtract: (a: number, b: number) => a - b,
  multiply: (a: number, b: number) => a * b,
  divide: (a: number, b: number) => a / b,
  minimum: (a: number, b: number) => Math.min(a, b),
  maximum: (a: number, b: number) => Math.max(a, b),
};
