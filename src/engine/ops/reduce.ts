/**
 * Sums, means and maxima over named axes: sum(x, 'HW') of an NCHW tensor is an NC tensor. No letters means all axes.
 *
 * Long sums are cut into slices of 4,096 that are added in a second pass, in a fixed order. Sums carry what rounding takes from them
 * (compensated summation), so that their last digits do not depend on how many threads share them.
 */
import shaders from '../../shaders/sources.ts';
import { dispatch, kernel, laneKernel, linearGroups } from '../kernel.ts';
import { ShapeError, sizeOf, type Without } from '../shape.ts';
import { empty, type Tensor } from '../tensor.ts';
import { combine } from './arithmetic.ts';
import { expandLike } from './expand.ts';

const joins = {
  // Knuth's TwoSum: s and the rounding error of s add up to the exact sum of both heads. Drivers that calculate as if numbers were real
  // (lavapipe's compiler does) see that the error is zero, and leave it out, unless they cannot see what is subtracted.
  sum: [
    shaders.special.code,
    'fn start(x : f32) -> vec2f { return vec2f(); }',
    'fn hidden(x : f32) -> f32 { return bitcast<f32>(bitcast<u32>(x) ^ extent.zero); }',
    `fn join(total : vec2f, x : vec2f) -> vec2f {
      let s = hidden(total.x + x.x);
      let added = hidden(s - total.x);
      return vec2f(s, total.y + x.y + ((total.x - (s - added)) + (x.x - added)));
    }`,
  ],
  max: [
    shaders.special.code,
    'fn start(x : f32) -> vec2f { return vec2f(x, 0.0); }',
    'fn join(total : vec2f, x : vec2f) -> vec2f { return vec2f(maxOf(total.x, x.x), 0.0); }',
  ],
} as const;

const kernels = {
  sum: {
    tree: laneKernel(named('sum'), 'tree', { append: joins.sum }),
    serial: kernel(named('sum'), 'serial', { append: joins.sum }),
  },
  max: {
    tree: laneKernel(named('max'), 'tree', { append: joins.max }),
    serial: kernel(named('max'), 'serial', { append: joins.max }),
  },
};

function named(name: string) {
  return { name, code: shaders.reduce.code };
}

const SLICE = 4096;
const SERIAL_BELOW = 32;

/** Merged axes: (length, stride) pairs, outer first. */
type Run = { length: number; stride: number };

/** Cuts a tensor's axes into the kept and the reduced ones, merging neighbours that are contiguous. */
function runsOf(operation: string, input: Tensor, letters: string): { kept: Run[]; reduced: Run[] } {
  for (const letter of letters) {
    if (!input.axes.includes(letter))
      throw new ShapeError(operation, `there is no axis ${letter} to reduce over`, { input });
  }
  const kept: Run[] = [];
  const reduced: Run[] = [];
  let stride = 1;
  let previous: Run[] | null = null;
  for (let i = input.shape.length - 1; i >= 0; i--) {
    const length = input.shape[i];
    const runs = letters.includes(input.axes[i]) ? reduced : kept;
    if (length !== 1) {
      if (runs === previous) runs[0].length *= length;
      else runs.unshift({ length, stride });
      previous = runs;
    }
    stride *= length;
  }
  for (const runs of [kept, reduced]) {
    if (runs.length > 2)
      throw new ShapeError(operation, `reducing over "${letters}" needs more than two runs of axes`, { input });
    while (runs.length < 2) runs.unshift({ length: 1, stride: 0 });
  }
  return { kept, reduced };
}

function reduceOver(join: 'sum' | 'max', input: Tensor, letters: string, factor = 1): Tensor {
  const { gpu } = input;
  input.assertAlive(join);
  const { kept, reduced } = runsOf(join, input, letters);
  const keptAxes = [...input.axes]
    .map((letter, i) => ({ letter, length: input.shape[i] }))
    .filter(({ letter }) => !letters.includes(letter));
  const axes = keptAxes.map(({ letter }) => letter).join('');
  const shape = keptAxes.map(({ length }) => length);
  const places = sizeOf(shape);
  const length = reduced[0].length * reduced[1].length;
  if (length === 0 && join === 'max') throw new ShapeError(join, 'there is no largest of no elements', { input });
  const output = empty(gpu, axes, shape, join);
  const extent = {
    places,
    length,
    slices: 1,
    keptLength: kept[1].length,
    keptStride0: kept[0].stride,
    keptStride1: kept[1].stride,
    reducedLength: reduced[1].length,
    reducedStride0: reduced[0].stride,
    reducedStride1: reduced[1].stride,
    factor,
    zero: 0,
  };
  const { serial } = kernels[join];
  const tree = kernels[join].tree(gpu);
  const slices = Math.ceil(length / SLICE);
  if (length < SERIAL_BELOW || places > 65535) {
    dispatch(gpu, serial, { input, output }, extent, linearGroups(places, 64));
  } else if (slices === 1) {
    dispatch(gpu, tree, { input, output }, extent, [places]);
  } else {
    const partial = empty(gpu, 'PS', [places, slices], `${join} slices`);
    dispatch(gpu, tree, { input, output: partial }, { ...extent, slices, factor: 1 }, [places, slices]);
    const rest = { ...extent, length: slices, keptLength: places, keptStride0: 0, keptStride1: slices };
    const contiguous = { ...rest, reducedLength: slices, reducedStride0: 0, reducedStride1: 1 };
    dispatch(
      gpu,
      slices < SERIAL_BELOW ? serial : tree,
      { input: partial, output },
      contiguous,
      slices < SERIAL_BELOW ? linearGroups(places, 64) : [places],
    );
    partial.release();
  }
  return output;
}

/** The sum over `letters` (all axes if none are given). */
export function sum<A extends string, L extends string = A>(input: Tensor<A>, letters?: L): Tensor<Without<A, L>> {
  const output = reduceOver('sum', input, letters ?? input.axes);
  output.tell('sum', [input], { letters: letters ?? input.axes });
  const rule = (gradient: Tensor) => ({ input: () => expandLike(gradient, input) });
  return output.derivedFrom({ input: input as Tensor }, rule, [], []) as Tensor<Without<A, L>>;
}

/** The mean over `letters` (all axes if none are given). */
export function mean<A extends string, L extends string = A>(input: Tensor<A>, letters?: L): Tensor<Without<A, L>> {
  const over = letters ?? input.axes;
  const count = [...input.axes].reduce(
    (product, letter, i) => (over.includes(letter) ? product * input.shape[i] : product),
    1,
  );
  const output = reduceOver('sum', input, over, 1 / count);
  output.tell('mean', [input], { letters: over });
  const rule = (gradient: Tensor) => ({ input: () => expandLike(gradient, input, 1 / count) });
  return output.derivedFrom({ input: input as Tensor }, rule, [], []) as Tensor<Without<A, L>>;
}

/** The largest element over `letters` (all axes if none are given); ties share the gradient equally, as torch.amax does. */
export function max<A extends string, L extends string = A>(input: Tensor<A>, letters?: L): Tensor<Without<A, L>> {
  const over = letters ?? input.axes;
  const output = reduceOver('max', input, over);
  output.tell('max', [input], { letters: over });
  const rule = (gradient: Tensor) => ({
    input: () => {
      const winners = combine('equal', input, output);
      const shared = combine('divide', gradient, reduceOver('sum', winners, over));
      return combine('multiply', winners, shared);
    },
  });
  return output.derivedFrom({ input: input as Tensor }, rule, [], [input, output]) as Tensor<Without<A, L>>;
}

/** Undoes a repetition: sums `gradient` down to the axes and lengths of `operand`. The gradient itself if nothing was repeated. */
export function sumTo(gradient: Tensor, operand: Tensor): Tensor {
  const repeated = [...gradient.axes].filter((letter, i) => {
    const own = operand.axes.indexOf(letter);
    return gradient.shape[i] !== 1 && (own < 0 || operand.shape[own] === 1);
  });
  const missing = gradient.shape.length !== operand.shape.length;
  if (repeated.length === 0) return missing ? gradient.view(operand.axes, operand.shape) : gradient;
  return reduceOver('sum', gradient, repeated.join('')).view(operand.axes, operand.shape);
}
