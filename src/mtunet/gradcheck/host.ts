/** The losses of Eq. 2 and 3 in float64, and the random points at which they are checked. */
import { deriveKey, uniformAt } from '../../engine/random.ts';

export const PIXELS = 12;

export interface MapSample {
  readonly logits: number[];
  readonly target: number[];
  readonly direction: number[];
}

export const between = (i: number, name: string, low: number, high: number) =>
  low + (high - low) * uniformAt(deriveKey(2022, `gradcheck ${name}`), i);

/** float32 numbers, so that the device sees the same ones. */
export function draw(i: number, name: string, count: number, low: number, high: number): number[] {
  const key = deriveKey(2022, `gradcheck ${name} ${i}`);
  return Array.from({ length: count }, (_, k) => Math.fround(low + (high - low) * uniformAt(key, k)));
}

export function mapSample(i: number): MapSample {
  const raw = draw(i, 'gaze', PIXELS, 0, 1).map((value, k) => (k % 4 === 0 ? 0 : value)); // 0 ln 0 = 0 occurs
  const total = raw.reduce((sum, value) => sum + value, 0);
  return {
    logits: draw(i, 'map logits', PIXELS, -2, 2),
    target: raw.map((value) => Math.fround(value / total)),
    direction: draw(i, 'map direction', PIXELS, -1, 1),
  };
}

export const dot = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Array.from(a).reduce((total, value, k) => total + value * b[k], 0);
export const moved = (x: readonly number[], direction: readonly number[], t: number) =>
  x.map((value, k) => value + t * direction[k]);
export const logSum = (z: readonly number[]) => {
  const largest = Math.max(...z);
  return largest + Math.log(z.reduce((total, value) => total + Math.exp(value - largest), 0));
};
export const softmax = (z: readonly number[]) => z.map((value) => Math.exp(value - logSum(z)));
export const entropy = (q: readonly number[]) =>
  -q.reduce((total, value) => total + (value > 0 ? value * Math.log(value) : 0), 0);
export const crossEntropyOf = (q: readonly number[], z: readonly number[]) =>
  q.reduce((total, value, k) => total - value * (z[k] - logSum(z)), 0);
export const klOf = (q: readonly number[], z: readonly number[]) => crossEntropyOf(q, z) - entropy(q);
