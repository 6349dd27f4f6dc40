/**
 * Shapes with named axes, and the one error that says what disagrees.
 *
 * An axis is one letter, the same everywhere: N C H W for activations, O C R S for convolution weights, N O P Q for what a
 * convolution computes. The letters are also the type: a Tensor<'NC'> cannot be passed where a Tensor<'NCHW'> is wanted.
 */

export type Shape = readonly number[];

/** The letters of A that are not in B: Without<'NCHW', 'HW'> is 'NC'. */
export type Without<A extends string, B extends string> = A extends `${infer Head}${infer Tail}`
  ? B extends `${string}${Head}${string}`
    ? Without<Tail, B>
    : `${Head}${Without<Tail, B>}`
  : '';

/** Anything that can be shown in a message: a tensor is one. */
export interface Shaped {
  readonly axes: string;
  readonly shape: Shape;
  readonly name?: string;
}

export function sizeOf(shape: Shape): number {
  let size = 1;
  for (const length of shape) size *= length;
  return size;
}

export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((length, i) => length === b[i]);
}

/** "N=6 C=3 H=224 W=224", or "scalar". */
export function describe(axes: string, shape: Shape): string {
  return shape.length === 0 ? 'scalar' : shape.map((length, i) => `${axes[i] ?? '?'}=${length}`).join(' ');
}

/** Length of the axis called `letter`. */
export function lengthOf(tensor: Shaped, letter: string): number {
  const index = tensor.axes.indexOf(letter);
  if (index < 0) {
    throw new ShapeError(tensor.name ?? 'tensor', `there is no axis ${letter}`, { tensor });
  }
  return tensor.shape[index];
}

/** An operation was given shapes that do not fit; the message shows both sides and the likely remedy. */
export class ShapeError extends Error {
  constructor(
    operation: string,
    problem: string,
    operands: Record<string, Shaped | null | undefined>,
    remedy?: string,
  ) {
    const given = Object.entries(operands).filter((entry): entry is [string, Shaped] => entry[1] != null);
    const width = Math.max(0, ...given.map(([role]) => role.length));
    const rows = given.map(([role, tensor]) => {
      const name = tensor.name ? `   (${tensor.name})` : '';
      return `\n  ${role.padEnd(width)} ${describe(tensor.axes, tensor.shape)}${name}`;
    });
    super(`${operation}: ${problem}.${rows.join('')}${remedy ? `\n  ${remedy}` : ''}`);
    this.name = 'ShapeError';
  }
}

/** Throws unless every length is a whole number >= 0 and there is one letter for each axis. */
export function checkShape(operation: string, axes: string, shape: Shape): void {
  if (axes.length !== shape.length) {
    throw new ShapeError(operation, `${axes.length} axis letters ("${axes}") name ${shape.length} axes`, {
      tensor: { axes, shape },
    });
  }
  for (const length of shape) {
    if (!Number.isInteger(length) || length < 0) {
      throw new ShapeError(operation, `${length} is not a length`, { tensor: { axes, shape } });
    }
  }
}

/**
 * How two operands line up: the axes of one must occur, in order, among the axes of the other, and paired lengths must agree or be 1.
 * Returns the result's axes and shape, and each operand's stride per result axis (0 where it is repeated).
 */
export function broadcast(operation: string, a: Shaped, b: Shaped) {
  const [outer, inner] = a.axes.length >= b.axes.length ? [a, b] : [b, a];
  const axes = outer.axes;
  const shape: number[] = [];
  let next = 0;
  for (let i = 0; i < axes.length; i++) {
    const paired = next < inner.axes.length && inner.axes[next] === axes[i];
    const [p, q] = [outer.shape[i], paired ? inner.shape[next] : 1];
    if (paired) next++;
    if (p !== q && p !== 1 && q !== 1) {
      throw new ShapeError(operation, `axis ${axes[i]} disagrees, ${p} against ${q}`, { a, b });
    }
    shape.push(p === 1 ? q : p);
  }
  if (next < inner.axes.length) {
    throw new ShapeError(operation, `axes "${inner.axes}" do not occur in this order in "${axes}"`, { a, b });
  }
  return { axes, shape, aStrides: stridesWithin(axes, shape, a), bStrides: stridesWithin(axes, shape, b) };
}

/** Stride of `operand` for each axis of the result, 0 where the operand lacks the axis or repeats along it. */
export function stridesWithin(axes: string, shape: Shape, operand: Shaped): number[] {
  const own = new Map<string, number>();
  let stride = 1;
  for (let i = operand.shape.length - 1; i >= 0; i--) {
    own.set(operand.axes[i], operand.shape[i] === 1 ? 0 : stride);
    stride *= operand.shape[i];
  }
  return shape.map((_, i) => own.get(axes[i]) ?? 0);
}
