/** Dropout whose mask is uniformAt(key, position, number of the draw) >= rate. */
import { type RandomKey, uniformAt } from '../engine/random.ts';
import type { Values } from './values.ts';

export function dropout<A extends string>(input: Values<A>, rate: number, key: RandomKey, draw: number): Values<A> {
  const data = input.data.map((x, i) => (uniformAt(key, i, draw) >= rate ? x / (1 - rate) : 0));
  return { ...input, data };
}
