/**
 * a + b, a - b, a * b, a / b, and the smaller or larger of two, with repetition along missing axes and axes of length 1.
 *
 * Axes are paired by letter: an NC tensor scales an NCHW tensor channel by channel of each image, a C tensor channel by channel.
 * The gradient of a repeated operand is the sum over its repetitions.
 */
import shaders from '../../shaders/sources.ts';
import { dispatch, type Kernel, kernel, linearGroups } from '../kernel.ts';
import { broadcast, ShapeError, sameShape } from '../shape.ts';
import { empty, type Tensor } from '../tensor.ts';
import { scale } from './elementwise.ts';
import { sumTo } from './reduce.ts';

const table = {
  add: 'a + b',
  subtract: 'a - b',
  multiply: 'a * b',
  divide: 'a / b',
  minimum: 'minOf(a, b)',
  maximum: 'maxOf(a, b)',
  /** 0 where a < b, 1/2 at a tie, else 1: torch shares the gradient of minimum and maximum equally at ties, and passes it on beside NaN. */
  notBelow: 'select(select(1.0, 0.5, a == b), 0.0, a < b)',
  equal: 'select(0.0, 1.0, a == b)',
} as const;

type Operation = keyof typeof table;

const kernels = new Map<Operation, { same: Kernel; repeated: Kernel }>();

function kernelsOf(name: Operation) {
  let pair = kernels.get(name);
  if (!pair) {
    const append = [shaders.special.code, `fn combine(a : f32, b : f32) -> f32 { return ${table[name]}; }`];
    const source = { name, code: shaders.binary.code };
    pair = { same: kernel(source, 'same', { append }), repeated: kernel(source, 'repeated', { append }) };
    kernels.set(name, pair);
  }
  return pair;
}

const PER_GROUP = 512;
const MOST_AXES = 4;

/** combine(a, b) without a memory of how it was made. */
export function combine(name: Operation, a: Tensor, b: Tensor): Tensor {
  const { gpu } = a;
  a.assertAlive(name);
  b.assertAlive(name);
  const { axes, shape, aStrides, bStrides } = broadcast(name, a, b);
  if (shape.length > MOST_AXES) throw new ShapeError(name, `${shape.length} axes are more than ${MOST_AXES}`, { a, b });
  const output = empty(gpu, axes, shape, name);
  const groups = linearGroups(output.size, PER_GROUP);
  const extent = { count: output.size, rowStride: groups[0] * PER_GROUP };
  if (sameShape(a.shape, b.shape)) {
    dispatch(gpu, kernelsOf(name).same, { a, b, output }, { ...extent, ...strideUniforms([], [], []) }, groups);
  } else {
    dispatch(
      gpu,
      kernelsOf(name).repeated,
      { a, b, output },
      { ...extent, ...strideUniforms(shape, aStrides, bStrides) },
      groups,
    );
  }
  return output;
}

function strideUniforms(shape: readonly number[], aStrides: readonly number[], bStrides: readonly number[]) {
  const padded = (values: readonly number[], filler: number) => [
    ...Array<number>(MOST_AXES - values.length).fill(filler),
    ...values,
  ];
  const [, length1, length2, length3] = padded(shape, 1);
  const [a0, a1, a2, a3] = padded(aStrides, 0);
  const [b0, b1, b2, b3] = padded(bStrides, 0);
  return { length1, length2, length3, a0, a1, a2, a3, b0, b1, b2, b3 };
}

/** The operand with more axes names the result's axes. */
type Wider<A extends string, B extends string> = string extends A
  ? string
  : string extends B
    ? string
    : B extends ''
      ? A
      : A extends ''
        ? B
        : A extends B
          ? A
          : A | B;

export function add<A extends string, B extends string>(a: Tensor<A>, b: Tensor<B>): Tensor<Wider<A, B>> {
  return combine('add', a, b)
    .tell('add', [a, b])
    .derivedFrom(
      { a: a as Tensor, b: b as Tensor },
      (gradient) => ({ a: () => sumTo(gradient, a), b: () => sumTo(gradient, b) }),
      [],
      [],
    ) as Tensor<Wider<A, B>>;
}

export function subtract<A extends string, B extends string>(a: Tensor<A>, b: Tensor<B>): Tensor<Wider<A, B>> {
  return combine('subtract', a, b)
    .tell('subtract', [a, b])
    .derivedFrom(
      { a: a as Tensor, b: b as Tensor },
      (gradient) => ({ a: () => sumTo(gradient, a), b: () => sumTo(scale(gradient, -1), b) }),
      [],
      [],
    ) as Tensor<Wider<A, B>>;
}

export function multiply<A extends string, B extends string>(a: Tensor<A>, b: Tensor<B>): Tensor<Wider<A, B>> {
  return combine('multiply', a, b)
    .tell('multiply', [a, b])
    .derivedFrom({ a: a as Tensor, b: b as Tensor }, (gradient) => ({
      a: () => sumTo(combine('multiply', gradient, b), a),
      b: () => sumTo(combine('multiply', gradient, a), b),
    })) as Tensor<Wider<A, B>>;
}

/** a / b; the gradient of b is -upstream * a / b^2. */
export function divide<A extends string, B extends string>(a: Tensor<A>, b: Tensor<B>): Tensor<Wider<A, B>> {
  return combine('divide', a, b)
    .tell('divide', [a, b])
    .derivedFrom({ a: a as Tensor, b: b as Tensor }, (gradient) => ({
      a: () => sumTo(combine('divide', gradient, b), a),
      b: () => sumTo(scale(combine('divide', combine('divide', combine('multiply', gradient, a), b), b), -1), b),
    })) as Tensor<Wider<A, B>>;
}

/** The smaller of a and b; a tie shares the gradient equally, as in PyTorch. */
export function minimum<A extends string, B extends string>(a: Tensor<A>, b: Tensor<B>): Tensor<Wider<A, B>> {
  return combine('minimum', a, b)
    .tell('minimum', [a, b])
    .derivedFrom({ a: a as Tensor, b: b as Tensor }, (gradient) => ({
      a: () => sumTo(combine('multiply', gradient, combine('notBelow', b, a)), a),
      b: () => sumTo(combine('multiply', gradient, combine('notBelow', a, b)), b),
    })) as Tensor<Wider<A, B>>;
}

/** The larger of a and b; a tie shares the gradient equally, as in PyTorch. */
export function maximum<A extends string, B extends string>(a: Tensor<A>, b: Tensor<B>): Tensor<Wider<A, B>> {
  return combine('maximum', a, b)
    .tell('maximum', [a, b])
    .derivedFrom({ a: a as Tensor, b: b as Tensor }, (gradient) => ({
      a: () => sumTo(combine('multiply', gradient, combine('notBelow', a, b)), a),
      b: () => sumTo(combine('multiply', gradient, combine('notBelow', b, a)), b),
    })) as Tensor<Wider<A, B>>;
}
