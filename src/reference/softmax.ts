/** Softmax and its logarithm over the last axes of a tensor. */
import { sizeOf, type Values } from './values.ts';

export function logSoftmax<A extends string>(input: Values<A>, letters: string): Values<A> {
  const length = sizeOf(input.shape.slice(input.axes.length - letters.length));
  const data = new Float64Array(input.data.length);
  for (let start = 0; start < data.length; start += length) {
    const row = input.data.subarray(start, start + length);
    const top = row.reduce((largest, x) => Math.max(largest, x), Number.NEGATIVE_INFINITY);
    const powers = row.reduce((total, x) => total + Math.exp(x - top), 0);
    row.forEach((x, i) => {
      data[start + i] = x - top - Math.log(powers);
    });
  }
  return { ...input, data };
}

export function softmax<A extends string>(input: Values<A>, letters: string): Values<A> {
  const logarithm = logSoftmax(input, letters);
  return { ...input, data: logarithm.data.map(Math.exp) };
}
