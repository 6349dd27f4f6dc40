/**
 * The three contractions of a convolution, and which kernel computes each. No gradients here: conv2d and convTranspose2d share them.
 */
import shaders from '../../shaders/sources.ts';
import { dispatch, kernel } from '../kernel.ts';
import { empty, type Tensor } from '../tensor.ts';
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
  dispatch(
    gradient.gpu,
    gradInput,
    { gradient, weight, bias: bias ?? weight, inputGradient },
    { ...g, hasBias: bias ? 1 : 0, slices: 1 },
    [Math.ceil((g.H * g.W) / 64), g.C, g.N],
  );
  return inputGradient;
}

/** O C/groups R S from N C H W and N O P Q. */
export function convGradWeight(g: ConvGeometry, input: Tensor, gradient: Tensor): Tensor<'OCRS'> {
  const shape = [g.O, g.C / g.groups, g.R, g.S];
  const count = shape.reduce((product, length) => product * length, 1);
  const slices = Math.max(1, Math.min(Math.floor(BUSY_THREADS / count), g.N * g.P));
  for (const tensor of [input, gradient]) tensor.assertAlive('conv2d');
  const partial = empty(input.gpu, 'OCRSZ', [...shape, slices], 'conv2d gradient of weight');
  dispatch(input.gpu, gradWeight, { input, gradient, weightGradient: partial }, { ...g, hasBias: 0, slices }, [
    Math.ceil(count / 64),
    slices,
  ]);
  if (slices === 1) {
    const whole = partial.view('OCRS', shape);
    partial.release();
    return whole;
  }
  const total = sum(partial, 'Z') as Tensor<'OCRS'>;
  partial.release();
  return total;
}
