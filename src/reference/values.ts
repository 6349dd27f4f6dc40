/** Tensors of the reference operations: named axes, a shape and float64 numbers in row-major order. */
import { deriveKey, permutation, uniform } from '../engine/random.ts';

export interface Values<Axes extends string = string> {
  readonly axes: Axes;
  readonly shape: readonly number[];
  readonly data: Float64Array;
}

export const sizeOf = (shape: readonly number[]) => shape.reduce((product, length) => product * length, 1);

export function values<A extends string>(axes: A, shape: readonly number[], data: ArrayLike<number>): Values<A> {
  if (data.length !== sizeOf(shape)) throw new Error(`${data.length} numbers for ${sizeOf(shape)} elements`);
  return { axes, shape, data: Float64Array.from(data) };
}

export function zeros<A extends string>(axes: A, shape: readonly number[]): Values<A> {
  return { axes, shape, data: new Float64Array(sizeOf(shape)) };
}

/** The tensor whose element at an index is `element(index)`. */
export function tabulate<A extends string>(
  axes: A,
  shape: readonly number[],
  element: (...index: number[]) => number,
): Values<A> {
  const result = zeros(axes, shape);
  eachIndex(shape, (index, i) => {
    result.data[i] = element(...index);
  });
  return result;
}

/** Visits every index in row-major order, with its position. */
export function eachIndex(shape: readonly number[], visit: (index: readonly number[], position: number) => void): void {
  const index = Array<number>(shape.length).fill(0);
  const size = sizeOf(shape);
  for (let position = 0; position < size; position++) {
    visit(index, position);
    for (let axis = shape.length - 1; axis >= 0 && ++index[axis] === shape[axis]; axis--) index[axis] = 0;
  }
}

export function positionOf({ shape }: Values, index: readonly number[]): number {
  return index.reduce((position, i, axis) => position * shape[axis] + i, 0);
}

export function at(tensor: Values, ...index: number[]): number {
  return tensor.data[positionOf(tensor, index)];
}

export function map<A extends string>({ axes, shape, data }: Values<A>, change: (x: number) => number): Values<A> {
  return { axes, shape, data: data.map(change) };
}

/** Evenly distributed float32 numbers that depend on the axes, the shape and `name` alone. */
export function draw<A extends string>(
  axes: A,
  shape: readonly number[],
  { low = -1, high = 1, name = '' } = {},
): Values<A> {
  return values(axes, shape, uniform(sizeOf(shape), low, high, deriveKey(1, `${axes} ${shape} ${name}`)));
}

/** Numbers from -1 to 1 in random order, no two alike, so that a largest one stays the largest when all move a little. */
export function drawDistinct<A extends string>(axes: A, shape: readonly number[], name = ''): Values<A> {
  const size = sizeOf(shape);
  const order = permutation(size, deriveKey(2, `${axes} ${shape} ${name}`));
  return values(
    axes,
    shape,
    Float32Array.from(order, (rank) => (2 * rank + 1) / size - 1),
  );
}
