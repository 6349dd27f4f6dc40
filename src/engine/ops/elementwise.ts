/**
 * Operations on one tensor, element by element: output = value(x), gradient = slope(x) * upstream.
 *
 * Each is a row of the table below: the value and the slope as WGSL expressions in x and the parameter p.
 */
import shaders from '../../shaders/sources.ts';
import { dispatch, type Kernel, kernel, linearGroups } from '../kernel.ts';
import { empty, type Tensor } from '../tensor.ts';

interface Row {
  readonly value: string;
  readonly slope: string;
}

const table = {
  /** max(x, 0), written so that a NaN stays one; the slope at 0 is 0, as in PyTorch. */
  relu: { value: 'select(x, 0.0, x <= 0.0)', slope: 'select(0.0, 1.0, x > 0.0)' },
  /** x * sigmoid(x) */
  silu: { value: 'x * logistic(x)', slope: 'logistic(x) * (1.0 + x * (1.0 - logistic(x)))' },
  /** 1 / (1 + exp(-x)) */
  sigmoid: { value: 'logistic(x)', slope: 'logistic(x) * (1.0 - logistic(x))' },
  exp: { value: 'expOf(x)', slope: 'expOf(x)' },
  /** Natural logarithm: -infinity of 0, NaN below. */
  log: { value: 'logOf(x)', slope: '1.0 / x' },
  /** ln(1 + exp(x)) without overflow: max(x, 0) + ln(1 + exp(-|x|)). */
  softplus: { value: 'max(x, 0.0) + log1p(exp(-abs(x)))', slope: 'logistic(x)' },
  square: { value: 'x * x', slope: '2.0 * x' },
  sqrt: { value: 'sqrt(x)', slope: '0.5 / sqrt(x)' },
  reciprocal: { value: '1.0 / x', slope: '-1.0 / (x * x)' },
  /** x * p */
  scale: { value: 'x * extent.parameter', slope: 'extent.parameter' },
  /** x + p */
  shift: { value: 'x + extent.parameter', slope: '1.0' },
  /** x where it lies from 1/p to p, else NaN. */
  factorWithin: { value: 'select(nanOf(x), x, x >= 1.0 / extent.parameter && x <= extent.parameter)', slope: '1.0' },
  /** x where it lies from -p to p, else NaN. */
  within: { value: 'select(nanOf(x), x, abs(x) <= extent.parameter)', slope: '1.0' },
} satisfies Record<string, Row>;

// exp(-x) overflows to infinity below x = -88, and 1 / (1 + infinity) need not be 0 in WGSL, so the exponent is never positive.
// log1p: 1 + z would lose the digits of a small z, and shader compilers undo Kahan's way round that ((1 + z) - 1 becomes z), so
// ln(1 + z) = 2 artanh(s) = 2 (s + s^3/3 + s^5/5 + ...) with s = z / (2 + z), at most 1/3 for the z <= 1 that occur here.
const helpers = `
fn logistic(x : f32) -> f32 {
  let e = exp(-abs(x));
  return select(e, 1.0, x >= 0.0) / (1.0 + e);
}

fn log1p(z : f32) -> f32 {
  let s = z / (2.0 + z);
  let t = s * s;
  let tail = 1.0 / 7.0 + t * (1.0 / 9.0 + t * (1.0 / 11.0 + t * (1.0 / 13.0 + t / 15.0)));
  return 2.0 * s * (1.0 + t * (1.0 / 3.0 + t * (1.0 / 5.0 + t * tail)));
}`;

const kernels = new Map<string, { forward: Kernel; backward: Kernel }>();

function kernelsOf(name: keyof typeof table) {
  let pair = kernels.get(name);
  if (!pair) {
    const { value, slope } = table[name];
    const row = `fn value(x : f32) -> f32 { return ${value}; }\nfn slope(x : f32) -> f32 { return ${slope}; }`;
    const source = { name, code: shaders.unary.code };
    pair = {
      forward: kernel(source, 'forward', { append: [shaders.special.code, helpers, row] }),
      backward: kernel(source, 'backward', { append: [shaders.special.code, helpers, row] }),
    };
    kernels.set(name, pair);
  }
  return pair;
}

const PER_GROUP = 512;

function elementwise<Axes extends string>(name: keyof typeof table, input: Tensor<Axes>, parameter = 0): Tensor<Axes> {
  const { gpu, size } = input;
  const { forward, backward } = kernelsOf(name);
  input.assertAlive(name);
  const groups = linearGroups(size, PER_GROUP);
  const extent = { count: size, rowStride: groups[0] * PER_GROUP, parameter };
  const output = empty(gpu, input.axes, input.shape, name);
  output.made({ from: [input], fill: () => dispatch(gpu, forward, { input, output }, extent, groups) });
  output.tell(name, [input], { parameter });
  const rule = (gradient: Tensor) => ({
    input: () => {
      const result = empty(gpu, input.axes, input.shape, `${name} gradient`);
      dispatch(
        gpu,
        backward,
        { input: slopeIsConstant(name) ? gradient : input, gradient, output: result },
        extent,
        groups,
      );
      return result;
    },
  });
  return output.derivedFrom({ input: input as Tensor }, rule, [], slopeIsConstant(name) ? [] : [input]);
}

/** These never read x in the slope, so x need not be alive; any tensor of the right size can stand in for it. */
const slopeIsConstant = (name: keyof typeof table) =>
  name === 'scale' || name === 'shift' || name === 'within' || name === 'factorWithin';

export const relu = <Axes extends string>(input: Tensor<Axes>) => elementwise('relu', input);
export const silu = <Axes extends string>(input: Tensor<Axes>) => elementwise('silu', input);
export const sigmoid = <Axes extends string>(input: Tensor<Axes>) => elementwise('sigmoid', input);
export const exp = <Axes extends string>(input: Tensor<Axes>) => elementwise('exp', input);
export const log = <Axes extends string>(input: Tensor<Axes>) => elementwise('log', input);
export const softplus = <Axes extends string>(input: Tensor<Axes>) => elementwise('softplus', input);
export const square = <Axes extends string>(input: Tensor<Axes>) => elementwise('square', input);
export const sqrt = <Axes extends string>(input: Tensor<Axes>) => elementwise('sqrt', input);
export const reciprocal = <Axes extends string>(input: Tensor<Axes>) => elementwise('reciprocal', input);
/** x * factor; the factor is a number of the host and gets no gradient. */
export const scale = <Axes extends string>(input: Tensor<Axes>, factor: number) => elementwise('scale', input, factor);
/** x + offset; the offset is a number of the host and gets no gradient. */
export const shift = <Axes extends string>(input: Tensor<Axes>, offset: number) => elementwise('shift', input, offset);
/** x where |x| <= bound, else NaN, which a guarded optimizer stops at; the gradient passes as it is. */
export const within = <Axes extends string>(input: Tensor<Axes>, bound: number) => elementwise('within', input, bound);
/** x where 1/bound <= x <= bound, else NaN; the gradient passes as it is. */
export const factorWithin = <Axes extends string>(input: Tensor<Axes>, bound: number) =>
  elementwise('factorWithin', input, bound);
