/**
 * Max and average pooling.
 *
 *     P = floor((H + 2 * padding - R) / stride) + 1
 *
 * Max: the padding is -infinity, and the gradient goes to the first largest element of a window in row-major order. A NaN is larger than any
 * number, as in PyTorch.
 * Average: `countPadding` says whether padded positions count in the divisor (PyTorch's count_include_pad, true there and here).
 */
import shaders from '../../shaders/sources.ts';
import { dispatch, kernel, planeGroups } from '../kernel.ts';
import { ShapeError } from '../shape.ts';
import { empty, type Tensor } from '../tensor.ts';
import type { Pair } from './conv2d.ts';

const append = [shaders.special.code];
const maxForward = kernel(shaders.pool, 'maxForward', { append });
const maxForwardNormalised = kernel(shaders.pool, 'maxForwardNormalised', { append });
const maxBackward = kernel(shaders.pool, 'maxBackward', { append });
const maxBackwardTwice = kernel(shaders.pool, 'maxBackwardTwice', { append });
const averageForward = kernel(shaders.pool, 'averageForward', { append });
const averageBackward = kernel(shaders.pool, 'averageBackward', { append });

export interface PoolOptions {
  readonly size: Pair;
  /** The window's size unless given. */
  readonly stride?: Pair;
  readonly padding?: Pair;
}

export function maxPool2d(input: Tensor<'NCHW'>, options: PoolOptions): Tensor<'NCHW'> {
  const { gpu } = input;
  const { uniforms, shape, outputGroups, inputGroups } = poolGeometry('maxPool2d', input, options, true);
  const output = empty(gpu, 'NCHW', shape, 'maxPool2d');
  const winners = empty(gpu, 'NCHW', shape, 'maxPool2d winners', 'u32');
  output.made({
    from: [input],
    fill: () => {
      const [source, ...others] = input.sources;
      const there = others.length > 0 || source.raised ? null : source;
      const bindings = { input: there?.tensor ?? input, moment: there?.moments ?? null, output, winners };
      dispatch(gpu, there?.moments ? maxForwardNormalised : maxForward, bindings, uniforms, outputGroups);
    },
  });
  output.tell('maxPool2d', [input], uniforms);
  return output.derivedFrom(
    { input },
    (gradient) => ({
      input: () => {
        const inputGradient = empty(gpu, 'NCHW', input.shape, 'maxPool2d gradient');
        if (isTwice(uniforms)) {
          const bindings = { gradient, winner: winners, outputPairs: inputGradient };
          dispatch(gpu, maxBackwardTwice, bindings, uniforms, outputGroups);
        } else {
          dispatch(gpu, maxBackward, { gradient, winner: winners, output: inputGradient }, uniforms, inputGroups);
        }
        return inputGradient;
      },
    }),
    [winners],
    [],
  );
}

export function averagePool2d(
  input: Tensor<'NCHW'>,
  options: PoolOptions & { readonly countPadding?: boolean },
): Tensor<'NCHW'> {
  const { gpu } = input;
  const { uniforms, shape, outputGroups, inputGroups } = poolGeometry(
    'averagePool2d',
    input,
    options,
    options.countPadding ?? true,
  );
  const output = empty(gpu, 'NCHW', shape, 'averagePool2d');
  dispatch(gpu, averageForward, { input, output }, uniforms, outputGroups);
  output.tell('averagePool2d', [input], uniforms);
  const rule = (gradient: Tensor) => ({
    input: () => {
      const inputGradient = empty(gpu, 'NCHW', input.shape, 'averagePool2d gradient');
      dispatch(gpu, averageBackward, { gradient, output: inputGradient }, uniforms, inputGroups);
      return inputGradient;
    },
  });
  return output.derivedFrom({ input }, rule, [], []);
}

const pair = (value: Pair): readonly [number, number] => (typeof value === 'number' ? [value, value] : value);

/** Whether windows of 2 x 2 cover the input side by side. */
function isTwice({ H, W, P, Q, R, S, strideH, strideW }: ReturnType<typeof poolGeometry>['uniforms']): boolean {
  return R === 2 && S === 2 && strideH === 2 && strideW === 2 && H === 2 * P && W === 2 * Q;
}

function poolGeometry(operation: string, input: Tensor<'NCHW'>, options: PoolOptions, countPadding: boolean) {
  input.assertAlive(operation);
  const [N, C, H, W] = input.shape;
  const [R, S] = pair(options.size);
  const [strideH, strideW] = pair(options.stride ?? options.size);
  const [padH, padW] = pair(options.padding ?? 0);
  if (padH * 2 > R || padW * 2 > S) {
    throw new ShapeError(operation, `a padding of ${padH} x ${padW} is more than half of the ${R} x ${S} window`, {
      input,
    });
  }
  const P = Math.floor((H + 2 * padH - R) / strideH) + 1;
  const Q = Math.floor((W + 2 * padW - S) / strideW) + 1;
  if (P < 1 || Q < 1)
    throw new ShapeError(operation, `a ${R} x ${S} window does not fit, the output would be ${P} x ${Q}`, { input });
  return {
    uniforms: { planes: N * C, C, H, W, P, Q, R, S, strideH, strideW, padH, padW, countPadding: countPadding ? 1 : 0 },
    shape: [N, C, P, Q],
    outputGroups: planeGroups(Math.ceil((P * Q) / 64), N, C),
    inputGroups: planeGroups(Math.ceil((H * W) / 64), N, C),
  };
}
