/**
 * Transposed convolution: the map that a convolution's input gradient is.
 *
 *     H_out = (H - 1) * stride - 2 * padding + R + outputPadding
 *
 * input N C H W, weight C O/groups R S (PyTorch's order), bias O, output N O H_out W_out.
 */
import { ShapeError } from '../shape.ts';
import type { Tensor } from '../tensor.ts';
import { type ConvGeometry, convForward, convGradInput, convGradWeight } from './conv2d-kernels.ts';
import { sum } from './reduce.ts';

export interface ConvTransposeOptions {
  readonly stride?: number;
  readonly padding?: number;
  readonly outputPadding?: number;
  readonly groups?: number;
}

export function convTranspose2d(
  input: Tensor<'NCHW'>,
  weight: Tensor<'OCRS'>,
  bias: Tensor<'C'> | null,
  { stride = 1, padding = 0, outputPadding = 0, groups = 1 }: ConvTransposeOptions = {},
): Tensor<'NCHW'> {
  const [N, C, H, W] = input.shape;
  const [weightC, perGroup, R, S] = weight.shape;
  if (weightC !== C)
    throw new ShapeError('convTranspose2d', `channels disagree. input has C=${C}, weight expects ${weightC}`, {
      input,
      weight,
    });
  const outH = (H - 1) * stride - 2 * padding + R + outputPadding;
  const outW = (W - 1) * stride - 2 * padding + S + outputPadding;
  if (outH < 1 || outW < 1)
    throw new ShapeError('convTranspose2d', `the output would be ${outH} x ${outW}`, { input, weight });
  // The convolution that this one transposes reads what we write and writes what we read.
  const geometry: ConvGeometry = {
    N,
    C: perGroup * groups,
    H: outH,
    W: outW,
    O: C,
    R,
    S,
    P: H,
    Q: W,
    strideH: stride,
    strideW: stride,
    padH: padding,
    padW: padding,
    dilationH: 1,
    dilationW: 1,
    groups,
  };
  const output = convGradInput(geometry, input, weight, bias);
  return output.derivedFrom({ input, weight, bias }, (gradient) => ({
    input: () => convForward(geometry, gradient, weight, null),
    weight: () => convGradWeight(geometry, gradient, input).weight,
    bias: () => sum(gradient, 'NHW'),
  }));
}
