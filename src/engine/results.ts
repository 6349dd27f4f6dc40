/** What a step returns, brought to the host: the tensors in it, and what takes their places. */
import type { Tensor } from './tensor.ts';

/** What a step's results become on the host: a scalar tensor is a number, any other tensor a typed array, everything else itself. */
export type OnHost<T> =
  T extends Tensor<infer Axes>
    ? Axes extends ''
      ? number
      : Float32Array
    : T extends readonly (infer Item)[]
      ? OnHost<Item>[]
      : T extends Float32Array | Uint32Array
        ? T
        : T extends object
          ? { [Key in keyof T]: OnHost<T[Key]> }
          : T;

const isTensor = (value: unknown): value is Tensor =>
  typeof value === 'object' && value !== null && 'storage' in value && 'axes' in value;

export function collectTensors(value: unknown, found: Tensor[]): void {
  if (isTensor(value)) {
    if (!found.includes(value)) found.push(value);
  } else if (isContainer(value)) {
    for (const item of Object.values(value)) collectTensors(item, found);
  }
}

export function replaceTensors(value: unknown, arrived: ReadonlyMap<Tensor, number | Float32Array>): unknown {
  if (isTensor(value)) return arrived.get(value);
  if (Array.isArray(value)) return value.map((item) => replaceTensors(item, arrived));
  if (isContainer(value))
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, replaceTensors(item, arrived)]));
  return value;
}

const isContainer = (value: unknown): value is object =>
  Array.isArray(value) ||
  (typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype);
