/**
 * The three contractions of a convolution, and which kernel computes each. No gradients here: conv2d and convTranspose2d share them.
 */
import shaders from '../../shaders/sources.ts';
import { dispatch, kernel, linearGroups } from '../kernel.ts';
import { empty, type Tensor } from '../tensor.ts';
import { columnForward, columnGradInput, columnGradWeight, columnKernels, fitsColumns } from './conv2d-columns.ts';
import { fitsStrips, stripForward, stripGradWeight, stripKernels } from './conv2d-strip.ts';
import { sum } from './reduce.ts';

/** Sizes and steps of a convolution, named as in conv2d.wgsl. */
export interface ConvGeometry {
  readonly N: number;
  readonly C: number;
  readonly H: number;
  readonly W: number;
  readonly O: number;
  readonly R: number;
  readonly S: number;
  readonly P: number;
  readonly Q: number;
  readonly strideH: number;
  readonly strideW: number;
  readonly padH: number;
  readonly padW: number;
  readonly dilationH: number;
  readonly dilationW: number;
  readonly groups: number;
}

const forward = kernel(shaders.conv2d, 'forward');
const gradInput = kernel(shaders.conv2d, 'gradInput');
const gradWeight = kernel(shaders.conv2d, 'gradWeight');

/** Threads that keep a device busy; a weight gradient is cut into slices until it has about this many. */
const BUSY_THREADS = 4096;

/** N O P Q from N C H W. */
export function convForward(g: ConvGeometry, input: Tensor, weight: Tensor, bias: Tensor | null): Tensor<'NCHW'> {
  const output = empty(input.gpu, 'NCHW', [g.N, g.O, g.P, g.Q], 'conv2d');
  for (const tensor of [input, weight, bias]) tensor?.assertAlive('conv2d');
  const strips = fitsStrips(g) ? stripKernels(input.gpu) : null;
  if (strips) {
    stripForward(strips, g, input, weight, bias, output, false);
    return output;
  }
  const columns = fitsColumns(g) ? columnKernels(input.gpu) : null;
  if (columns) {
    columnForward(columns, g, input, weight, bias, output);
    return output;
  }
  dispatch(
    input.gpu,
    forward,
    { input, weight, bias: bias ?? weight, output },
    { ...g, hasBias: bias ? 1 : 0, slices: 1 },
    [Math.ceil((g.P * g.Q) / 64), g.O, g.N],
  );
  return output;
}

/** N C H W from N O P Q; a transposed convolution adds `bias` (of C). */
export function convGradInput(
  g: ConvGeometry,
  gradient: Tensor,
  weight: Tensor,
  bias: Tensor | null = null,
): Tensor<'NCHW'> {
  const inputGradient = empty(gradient.gpu, 'NCHW', [g.N, g.C, g.H, g.W], 'conv2d gradient of input');
  for (const tensor of [gradient, weight, bias]) tensor?.assertAlive('conv2d');
  const strips = fitsStrips(g) ? stripKernels(gradient.gpu) : null;
  if (strips) {
    const { N, C, H, W, O, P, Q } = g;
    const mirrored = { N, C: O, H: P, W: Q, O: C, P: H, Q: W, padH: g.R - 1 - g.padH, padW: g.S - 1 - g.padW };
    stripForward(strips, mirrored, gradient, weight, bias, inputGradient, true);
    return inputGradient;
  }
  const columns = fitsColumns(g) && !bias ? columnKernels(gradient.gpu) : null;
  if (columns) {
    columnGradInput(columns, g, gradient, weight, inputGradient);
    return inputGradient;
  }
  dispatch(
    gradient.gpu,
    gradInput,
    { gradient, weight, bias: bias ?? weight, inputGradient },
    { ...g, hasBias: bias ? 1 : 0, slices: 1 },
    [Math.ceil((g.H * g.W) / 64), g.C, g.N],
  );
  return inputGradient;
}

/** The gradients of the weight, O C/groups R S, and of the bias, O, from N C H W and N O P Q. */
export function convGradWeight(
  g: ConvGeometry,
  input: Tensor,
  gradient: Tensor,
): { weight: Tensor<'OCRS'>; bias(): Tensor<'C'> } {
  for (const tensor of [input, gradient]) tensor.assertAlive('conv2d');
  const strips = fitsStrips(g) ? stripKernels(input.gpu) : null;
  if (strips) {
    const { weight, bias } = stripGradWeight(strips, g, input, gradient);
    return { weight, bias: () => bias };
  }
  const columns = fitsColumns(g) ? columnKernels(input.gpu) : null;
  if (columns) {
    const weight = columnGradWeight(columns, g, input, gradient);
    return { weight, bias: () => sum(gradient as Tensor<'NCHW'>, 'NHW') };
  }
  const shape = [g.O, g.C / g.groups, g.R, g.S];
  const count = shape.reduce((product, length) => product * length, 1);
  const slices = Math.max(1, Math.min(Math.floor(BUSY_THREADS / count), g.N * g.P));
  const partial = empty(input.gpu, 'OCRSZ', [...shape, slices], 'conv2d gradient of weight');
  const groups = [...linearGroups(count, 64), slices] as const;
  dispatch(input.gpu, gradWeight, { input, gradient, weightGradient: partial }, { ...g, hasBias: 0, slices }, groups);
  const weight = slices === 1 ? partial.view('OCRS', shape) : (sum(partial, 'Z') as Tensor<'OCRS'>);
  partial.release();
  return { weight, bias: () => sum(gradient as Tensor<'NCHW'>, 'NHW') };
}
