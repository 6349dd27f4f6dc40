/**
 * 3 x 3 convolutions of stride 1 by register strips (shaders/conv2d-strip.wgsl): the fast path of software adapters.
 */

import { GRAD_WEIGHT_RUN, stripForwardCode, stripGradWeightCode } from '../../shaders/conv2d-strip.ts';
import { TILE_COLUMNS, TILE_ROWS, tileForwardCode } from '../../shaders/conv2d-tile.ts';
import shaders from '../../shaders/sources.ts';
import type { Gpu } from '../gpu.ts';
import { dispatch, type Kernel, kernel } from '../kernel.ts';
import { empty, type Tensor } from '../tensor.ts';
import type { ConvFamily, ConvGeometry } from './conv2d-geometry.ts';
import { sum } from './reduce.ts';

/** A workgroup is one subgroup, of lavapipe (8 lanes) or SwiftShader (4): several times faster than more of them. */
interface StripKernels {
  readonly lanes: number;
  readonly pack: Kernel;
  readonly forward: Kernel;
  /** For images wider than a strip. */
  readonly forwardTile: Kernel;
  readonly gradWeight: Kernel;
}

const made = new Map<number, StripKernels>();

/** The kernels for this device's subgroups, or null where strips do not pay or their subgroup size is unknown. */
function stripKernels(gpu: Gpu): StripKernels | null {
  const lanes = gpu.subgroupLanes;
  if (lanes !== 8 && lanes !== 4) return null;
  let kernels = made.get(lanes);
  if (!kernels) {
    const source = { name: `conv2d-strip-${lanes}`, code: shaders.conv2dStrip.code };
    const unrolled = (code: string) => ({ enable: ['subgroups'], append: [code] });
    kernels = {
      lanes,
      pack: kernel(source, 'pack'),
      forward: kernel(source, 'forward', unrolled(stripForwardCode(lanes))),
      forwardTile: kernel(source, 'forwardTile', unrolled(tileForwardCode(lanes))),
      gradWeight: kernel(source, 'gradWeight', unrolled(stripGradWeightCode(lanes))),
    };
    made.set(lanes, kernels);
  }
  return kernels;
}

/** Whether the strips compute this convolution: 3 x 3, stride 1, no dilation, no groups. */
function fitsStrips(g: ConvGeometry): boolean {
  const plain = g.strideH === 1 && g.strideW === 1 && g.dilationH === 1 && g.dilationW === 1 && g.groups === 1;
  return plain && g.R === 3 && g.S === 3 && g.padH <= 2 && g.padW <= 2;
}

interface StripConvolution {
  readonly N: number;
  readonly C: number;
  readonly H: number;
  readonly W: number;
  readonly O: number;
  readonly P: number;
  readonly Q: number;
  readonly padH: number;
  readonly padW: number;
}

/** The nine taps of a channel pair, filled up to whole loads of four. */
const PACKED_TAPS = 12;

/** Strides of the packed weight, C tiles 8 12: a lane's taps side by side. */
const tilePacking = (tiles: number) => ({
  packedC: tiles * 8 * PACKED_TAPS,
  packedT: 8 * PACKED_TAPS,
  packedO: PACKED_TAPS,
  packedR: 3,
  packedS: 1,
});

/** C rows tiles 3 8: the channels of a tap side by side. */
const stripPacking = (tiles: number, rows: number) => ({
  packedC: rows * tiles * 24,
  packedR: tiles * 24,
  packedT: 24,
  packedS: 8,
  packedO: 1,
});

/** N O P Q from N C H W. `flipped`: the weight is C O 3 3 of the convolution whose input gradient this is. */
function stripForward(
  { lanes, pack, forward, forwardTile }: StripKernels,
  g: StripConvolution,
  input: Tensor,
  weight: Tensor,
  bias: Tensor | null,
  output: Tensor,
  flipped: boolean,
): void {
  const { gpu } = input;
  const tall = g.O <= 4;
  const rows = tall ? 4 : 3;
  const tiles = Math.ceil(g.O / 8);
  const { N, C, H, W, O, P, Q, padH, padW } = g;
  const tile = !tall && Q > 8 ? forwardTile : null;
  const strips = Math.ceil(Q / (tile ? TILE_COLUMNS : 8));
  const uniforms = {
    N,
    C,
    H,
    W,
    O,
    P,
    Q,
    padH,
    padW,
    tiles,
    strips,
    hasBias: bias ? 1 : 0,
    slices: 1,
    flipped: flipped ? 1 : 0,
    tall: tall ? 1 : 0,
    rows,
    ...(tile ? tilePacking(tiles) : stripPacking(tiles, rows)),
  };
  const packed = tile
    ? empty(gpu, 'CTOK', [C, tiles, 8, PACKED_TAPS], 'conv2d packed weight')
    : empty(gpu, 'CRTSO', [C, rows, tiles, 3, 8], 'conv2d packed weight');
  const packGroups = Math.ceil((C * tiles) / 8);
  dispatch(gpu, pack, { weight, packed }, uniforms, [Math.min(packGroups, 65535), Math.ceil(packGroups / 65535)]);
  const groups = tile
    ? ([strips * Math.ceil(P / TILE_ROWS), tiles, N] as const)
    : ([Math.ceil((N * strips * (tall ? Math.ceil(P / 2) : P)) / lanes), tiles] as const);
  const slab = tile ? { slabFours: packed } : { slab: packed };
  dispatch(gpu, tile ?? forward, { input, ...slab, bias: bias ?? weight, output }, uniforms, groups);
  packed.release();
}

/** Threads that keep a software adapter busy. */
const BUSY_GROUPS = 64;

/** The gradients of the weight, O C 3 3, and of the bias, O, from N C H W and N O P Q. */
function stripGradWeight(
  { gradWeight }: StripKernels,
  g: StripConvolution,
  input: Tensor,
  gradient: Tensor,
): { weight: Tensor<'OCRS'>; bias: Tensor<'C'> } {
  const { gpu } = input;
  const { N, C, H, W, O, P, Q, padH, padW } = g;
  const strips = Math.ceil(Q / GRAD_WEIGHT_RUN);
  const channelGroups = Math.ceil(O / 8) * Math.ceil(C / 4);
  const slices = Math.max(1, Math.min(Math.ceil(BUSY_GROUPS / channelGroups), N * P * strips));
  const uniforms = {
    N,
    C,
    H,
    W,
    O,
    P,
    Q,
    padH,
    padW,
    tiles: 1,
    strips,
    hasBias: 0,
    slices,
    flipped: 0,
    tall: 0,
    rows: 3,
    ...stripPacking(1, 3), // which this kernel does not read
  };
  const partial = empty(gpu, 'OCRSZ', [O, C, 3, 3, slices], 'conv2d gradient of weight');
  const biasPartial = empty(gpu, 'CZ', [O, slices], 'conv2d gradient of bias');
  dispatch(gpu, gradWeight, { input, gradient, partial, biasPartial }, uniforms, [
    slices,
    Math.ceil(O / 8),
    Math.ceil(C / 4),
  ]);
  const whole = (slice: Tensor, axes: string, shape: readonly number[]) => {
    const total = slices === 1 ? slice.view(axes, shape) : sum(slice, 'Z');
    slice.release();
    return total;
  };
  return {
    weight: whole(partial, 'OCRS', [O, C, 3, 3]) as Tensor<'OCRS'>,
    bias: whole(biasPartial, 'C', [O]) as Tensor<'C'>,
  };
}

export const strips: ConvFamily = {
  fits: (gpu, g) => fitsStrips(g) && stripKernels(gpu) !== null,
  forward(g, input, weight, bias, output) {
    stripForward(stripKernels(input.gpu)!, g, input, weight, bias, output, false);
  },
  gradInput({ N, C, H, W, O, P, Q, R, S, padH, padW }, gradient, weight, bias, inputGradient) {
    const mirrored = { N, C: O, H: P, W: Q, O: C, P: H, Q: W, padH: R - 1 - padH, padW: S - 1 - padW };
    stripForward(stripKernels(gradient.gpu)!, mirrored, gradient, weight, bias, inputGradient, true);
  },
  gradWeight(g, input, gradient) {
    const { weight, bias } = stripGradWeight(stripKernels(input.gpu)!, g, input, gradient);
    return { weight, bias: () => bias };
  },
};
