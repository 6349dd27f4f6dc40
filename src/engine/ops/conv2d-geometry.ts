/** What a convolution is, and what a family of kernels that computes it offers. */
import type { Gpu } from '../gpu.ts';
import type { Tensor } from '../tensor.ts';

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

/** The three contractions: N O P Q from N C H W, N C H W from N O P Q, and O C/groups R S from both. */
export type ConvPass = 'forward' | 'gradInput' | 'gradWeight';

export interface ConvWork {
  readonly pass: ConvPass;
  readonly geometry: ConvGeometry;
}

export interface WeightGradients {
  readonly weight: Tensor<'OCRS'>;
  /** Of O; some kernels sum it on the way. */
  bias(): Tensor<'C'>;
}

/** Kernels for convolutions of a kind. Every one that fits computes the same numbers, up to rounding. */
export interface ConvFamily {
  fits(gpu: Gpu, g: ConvGeometry, pass: ConvPass): boolean;
  /** `statistics`: whether those of the output are wanted; a kernel that gathers them on its way leaves them there. */
  forward(
    g: ConvGeometry,
    input: Tensor,
    weight: Tensor,
    bias: Tensor | null,
    output: Tensor,
    statistics: boolean,
  ): void;
  /** `bias`, of C, is what a transposed convolution adds. */
  gradInput(g: ConvGeometry, gradient: Tensor, weight: Tensor, bias: Tensor | null, inputGradient: Tensor): void;
  /** The gradient of the channels from `first` on, as many as `part` has; of families that can. */
  gradInputPart?(g: ConvGeometry, gradient: Tensor, weight: Tensor, part: Tensor, first: number): void;
  gradWeight(g: ConvGeometry, input: Tensor, gradient: Tensor): WeightGradients;
}

/** "forward 3x3 C64 640x416 O64": the layers that one choice of a kernel is for, whatever their batch. */
export function layerClass(pass: ConvPass, g: ConvGeometry): string {
  const pair = (name: string, a: number, b: number, usual: number) =>
    a === usual && b === usual ? '' : a === b ? ` ${name}${a}` : ` ${name}${a}x${b}`;
  return `${pass} ${g.R}x${g.S} C${g.C} ${g.H}x${g.W} O${g.O}${pair('stride', g.strideH, g.strideW, 1)}${pair('pad', g.padH, g.padW, 0)}${pair('dilation', g.dilationH, g.dilationW, 1)}${g.groups === 1 ? '' : ` groups${g.groups}`}`;
}
