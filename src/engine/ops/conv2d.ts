/**
 * Two-dimensional convolution (cross-correlation, as in every deep-learning library).
 *
 *     output[n,o,p,q] = bias[o] + sum_{c,r,s} input[n, c, p*stride + r*dilation - padding, q*stride + s*dilation - padding] * weight[o,c,r,s]
 *     P = floor((H + 2*padding - dilation*(R-1) - 1) / stride) + 1
 *
 * input N C H W, weight O C/groups R S, bias O, output N O P Q (named N C H W for the next layer).
 */
import { ShapeError } from '../shape.ts';
import type { Tensor } from '../tensor.ts';
import { type ConvGeometry, convForward, convGradInput, convGradWeight } from './conv2d-kernels.ts';
import { sum } from './reduce.ts';

/** A number for both axes, or [height, width]. */
export type Pair = number | readonly [number, number];

export interface ConvOptions {
  readonly stride?: Pair;
  readonly padding?: Pair;
  readonly dilation?: Pair;
  readonly groups?: number;
  /** Whether a batch normalisation reads the output next; some kernels gather its statistics on the way. */
  readonly statistics?: boolean;
}

export function conv2d(
  input: Tensor<'NCHW'>,
  weight: Tensor<'OCRS'>,
  bias: Tensor<'C'> | null,
  options: ConvOptions = {},
): Tensor<'NCHW'> {
  const geometry = convGeometry(input, weight, bias, options);
  const output = convForward(geometry, input, weight, bias, options.statistics);
  output.tell('conv2d', bias ? [input, weight, bias] : [input, weight], { ...geometry });
  return output.derivedFrom({ input, weight, bias }, (gradient) => {
    let both: ReturnType<typeof convGradWeight> | null = null; // some kernels sum the bias's gradient on the way
    const ofWeight = () => {
      both ??= convGradWeight(geometry, input, gradient);
      return both;
    };
    return {
      input: () => convGradInput(geometry, gradient, weight, null, partsOf(input)),
      weight: () => ofWeight().weight,
      bias: () => (weight.requiresGradient ? ofWeight().bias() : sum(gradient, 'NHW')),
    };
  });
}

/** Channels of the tensors that the input joins without being written, in their order. */
const partsOf = (input: Tensor) => input.elsewhere?.map(({ tensor }) => tensor.shape[1]);

const pair = (value: Pair): readonly [number, number] => (typeof value === 'number' ? [value, value] : value);

function convGeometry(
  input: Tensor<'NCHW'>,
  weight: Tensor<'OCRS'>,
  bias: Tensor<'C'> | null,
  options: ConvOptions,
): ConvGeometry {
  const [strideH, strideW] = pair(options.stride ?? 1);
  const [padH, padW] = pair(options.padding ?? 0);
  const [dilationH, dilationW] = pair(options.dilation ?? 1);
  const groups = options.groups ?? 1;
  const [N, C, H, W] = input.shape;
  const [O, perGroup, R, S] = weight.shape;
  if (perGroup * groups !== C) {
    const expected = groups === 1 ? `C=${perGroup}` : `C=${perGroup} x ${groups} groups`;
    const remedy = `Did the layer before produce ${perGroup * groups} channels?`;
    throw new ShapeError(
      'conv2d',
      `channels disagree. input has C=${C}, weight expects ${expected}`,
      { input, weight },
      remedy,
    );
  }
  if (O % groups !== 0)
    throw new ShapeError('conv2d', `O=${O} outputs do not divide into ${groups} groups`, { input, weight });
  if (bias && bias.shape[0] !== O)
    throw new ShapeError('conv2d', `bias has ${bias.shape[0]} values for O=${O} outputs`, { weight, bias });
  const P = Math.floor((H + 2 * padH - dilationH * (R - 1) - 1) / strideH) + 1;
  const Q = Math.floor((W + 2 * padW - dilationW * (S - 1) - 1) / strideW) + 1;
  if (P < 1 || Q < 1) {
    throw new ShapeError(
      'conv2d',
      `the padded input is smaller than the dilated kernel, the output would be ${P} x ${Q}`,
      { input, weight },
    );
  }
  return { N, C, H, W, O, R, S, P, Q, strideH, strideW, padH, padW, dilationH, dilationW, groups };
}
