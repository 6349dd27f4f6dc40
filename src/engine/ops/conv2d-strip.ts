/**
 * 3 x 3 convolutions of stride 1 by register strips (shaders/conv2d-strip.wgsl): the fast path of software adapters.
 */

import { stripForwardCode } from '../../shaders/conv2d-strip.ts';
import {
  GRAD_WEIGHT_RUN,
  type GradWeightOptions,
  gradWeightEntry,
  stripGradWeightCode,
} from '../../shaders/conv2d-strip-grad-weight.ts';
import { type TileColumns, tileEntry, tileForwardCode } from '../../shaders/conv2d-tile.ts';
import { type Inputs, imagesBeside, TILE_COLUMNS, TILE_ROWS } from '../../shaders/conv2d-tile-rows.ts';
import { type Lanes, lanesOf } from '../../shaders/lanes.ts';
import shaders from '../../shaders/sources.ts';
import type { Gpu } from '../gpu.ts';
import { dispatch, type Kernel, kernel, linearGroups } from '../kernel.ts';
import { empty, type Tensor } from '../tensor.ts';
import type { ConvFamily, ConvGeometry } from './conv2d-geometry.ts';
import { inputsOf, pieces } from './conv2d-inputs.ts';
import { sum } from './reduce.ts';

/** A workgroup is one subgroup, of lavapipe (8 lanes) or SwiftShader (4): several times faster than more of them. */
interface StripKernels {
  readonly lanes: Lanes;
  readonly pack: Kernel;
  readonly forward: Kernel;
  /** For images wider than a strip. */
  readonly forwardTile: (inputs: Inputs, columns: TileColumns) => Kernel;
  readonly gradWeight: Readonly<Record<GradWeightOptions['columns'], Kernel>>;
}

const made = new Map<string, StripKernels>();

/** The kernels for this device's vectors, or null where strips do not pay. */
function stripKernels(gpu: Gpu): StripKernels | null {
  const { vectorLanes: lanes, fuses } = gpu;
  if (lanes === null) return null;
  const bySubgroups = gpu.subgroupLanes === lanes;
  const group = lanesOf(lanes, bySubgroups);
  const key = `${lanes} ${fuses} ${bySubgroups}`;
  let kernels = made.get(key);
  if (!kernels) {
    const source = { name: `conv2d-strip-${lanes}`, code: shaders.conv2dStrip.code };
    const { enable } = group;
    const unrolled = (code: string) => ({ enable, append: [code] });
    const tiles = new Map<string, Kernel>();
    const forwardTile = (inputs: Inputs, columns: TileColumns) => {
      const entry = tileEntry({ inputs, columns });
      const tile =
        tiles.get(entry) ??
        kernel(source, entry, unrolled(tileForwardCode({ lanes: group, inputs, columns, gathers: fuses })));
      tiles.set(entry, tile);
      return tile;
    };
    const gradWeight = (columns: GradWeightOptions['columns']) =>
      kernel(
        source,
        gradWeightEntry[columns],
        unrolled(stripGradWeightCode({ lanes: group, inPlace: fuses && columns !== 'single', columns })),
      );
    kernels = {
      lanes: group,
      pack: kernel(source, 'pack'),
      forward: kernel(source, 'forward', unrolled(stripForwardCode(group))),
      forwardTile,
      gradWeight: { single: gradWeight('single'), pairs: gradWeight('pairs'), enlarged: gradWeight('enlarged') },
    };
    made.set(key, kernels);
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
  /** Of an input gradient: channels of the weight, and the first of those that are computed. */
  readonly weightC?: number;
  readonly weightFirst?: number;
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

/** N O P Q from N C H W. */
interface ForwardWork {
  readonly g: StripConvolution;
  readonly input: Tensor;
  readonly weight: Tensor;
  readonly bias: Tensor | null;
  readonly output: Tensor;
  /** Whether the weight is C O 3 3, that of the convolution whose input gradient this is. */
  readonly flipped: boolean;
  /** Whether a batch normalisation reads the output next. */
  readonly statistics: boolean;
}

function stripForward(work: ForwardWork): void {
  const kernels = stripKernels(work.output.gpu)!;
  if (work.g.O > 4 && (work.g.Q > 8 || liesBeside(kernels, work.g))) forwardByTiles(kernels, work);
  else forwardByStrips(kernels, work);
}

/**
 * Whether several images lie side by side in a tile: on lavapipe. SwiftShader would have one more kernel to compile.
 */
const liesBeside = ({ lanes }: StripKernels, { N, W, Q, padW }: StripConvolution) =>
  lanes.threads === 8 && N > 1 && Q >= 3 && Q <= 7 && W === Q && padW === 1;

/** For images that are narrow, or of few output channels. */
function forwardByStrips(
  { lanes, pack, forward }: StripKernels,
  { g, input, weight, bias, output, flipped }: ForwardWork,
): void {
  const { N, C, H, W, O, P, Q, padH, padW, weightC = O, weightFirst = 0 } = g;
  const tall = O <= 4;
  const rows = tall ? 4 : 3;
  const tiles = Math.ceil(O / 8);
  const strips = Math.ceil(Q / 8);
  const uniforms = {
    ...{ N, C, H, W, O, P, Q, padH, padW, tiles, strips, rows, slices: 1 },
    ...{ hasBias: bias ? 1 : 0, flipped: flipped ? 1 : 0, tall: tall ? 1 : 0 },
    ...{ weightC, weightFirst, firstC: 0, normalised: 0, sums: 0 },
    ...stripPacking(tiles, rows),
  };
  const slab = empty(output.gpu, 'CRTSO', [C, rows, tiles, 3, 8], 'conv2d packed weight');
  dispatch(output.gpu, pack, { weight, packed: slab }, uniforms, packGroups(C * tiles));
  const bands = N * strips * (tall ? Math.ceil(P / 2) : P);
  const bindings = { input, slab, bias: bias ?? weight, output };
  dispatch(output.gpu, forward, bindings, uniforms, [Math.ceil(bands / lanes.threads), tiles]);
  slab.release();
}

function forwardByTiles(
  kernels: StripKernels,
  { g, input, weight, bias, output, flipped, statistics }: ForwardWork,
): void {
  const { N, C, H, W, O, P, Q, padH, padW, weightC = O, weightFirst = 0 } = g;
  const { gpu } = output;
  const { pack, forwardTile, lanes } = kernels;
  const narrow = liesBeside(kernels, g);
  const pairs = !narrow && W % 2 === 0 && Q % 2 === 0 && padH === 1 && padW === 1;
  const { inputs, first, second } = inputsOf(
    input,
    output,
    (kind) => pairs || kind === 'written' || (narrow && kind === 'normalised'),
  );
  const groups = narrow ? Math.ceil(N / imagesBeside(Q)) : N; // of images
  const tiles = Math.ceil(O / 8);
  const strips = Math.ceil(Q / TILE_COLUMNS);
  const tilesOfImage = strips * Math.ceil(P / TILE_ROWS);
  const gathers = statistics && gpu.fuses && output.type === 'f32'; // of what is stored as it was summed
  const sums = gathers ? empty(gpu, 'CZK', [O, groups * tilesOfImage, 4], 'conv2d statistics') : null;
  const uniforms = {
    ...{ N, C, H, W, O, P, Q, padH, padW, tiles, strips, rows: 3, slices: 1 },
    ...{ hasBias: bias ? 1 : 0, flipped: flipped ? 1 : 0, tall: 0 },
    ...{ weightC, weightFirst, firstC: first.tensor.shape[1], normalised: 0, sums: sums ? 1 : 0 },
    ...tilePacking(tiles),
  };
  const slabFours = empty(gpu, 'CTOK', [C, tiles, 8, PACKED_TAPS], 'conv2d packed weight');
  dispatch(gpu, pack, { weight, packed: slabFours }, uniforms, packGroups(C * tiles));
  const unread = gpu.fuses && !sums ? empty(gpu, 'CZK', [1, 1, 4], 'no statistics') : null;
  const bindings = {
    ...{ [pairs && inputs !== 'enlarged' ? 'inputPairs' : 'input']: first.tensor, moment: first.moments },
    ...{ input2Pairs: second?.tensor, moment2: second?.moments },
    ...{ slabFours, bias: bias ?? weight, [pairs ? 'outputPairs' : 'output']: output, statistics: sums ?? unread },
  };
  const columns = narrow ? Q : pairs ? 'pairs' : 'single';
  const [x, z] = linearGroups(groups * tilesOfImage, lanes.tiles);
  dispatch(gpu, forwardTile(inputs, columns), bindings, uniforms, [x, tiles, z]);
  for (const passing of [slabFours, unread]) passing?.release();
  output.statistics = sums;
}

/** Workgroups of `pack` for so many groups of eight taps. */
function packGroups(eights: number): readonly [number, number] {
  const groups = Math.ceil(eights / 8);
  return [Math.min(groups, 65535), Math.ceil(groups / 65535)];
}

/** Threads that keep a software adapter busy. */
const BUSY_GROUPS = 64;

/** The gradients of the weight, O C 3 3, and of the bias, O, from N C H W and N O P Q. */
function stripGradWeight(
  { gradWeight, lanes }: StripKernels,
  { N, C: weightC, H, W, O, P, Q, padH, padW }: StripConvolution,
  input: Tensor,
  gradient: Tensor,
): { weight: Tensor<'OCRS'>; bias: Tensor<'C'> } {
  const { gpu } = gradient;
  const strips = Math.ceil(Q / GRAD_WEIGHT_RUN);
  const channelGroups = Math.ceil(O / 8) * Math.ceil(weightC / 4);
  const most = Math.ceil(BUSY_GROUPS / channelGroups);
  const slices = Math.max(1, Math.min(Math.ceil(most / lanes.tiles) * lanes.tiles, N * P * strips));
  const partial = empty(gpu, 'OCRSZ', [O, weightC, 3, 3, slices], 'conv2d gradient of weight');
  const biasPartial = empty(gpu, 'CZ', [O, slices], 'conv2d gradient of bias');
  // On SwiftShader it is no faster, and one more kernel to compile where some rows are odd.
  const pairs = gpu.fuses && W % 2 === 0 && Q % 2 === 0 && padH === 1 && padW === 1;
  const unread = pairs ? empty(gpu, 'CK', [1, 4], 'no moments') : null;
  let firstC = 0;
  for (const { tensor, moments, raised } of pieces(input, gradient, () => pairs, 4)) {
    const C = tensor.shape[1];
    const uniforms = {
      ...{ N, C, H, W, O, P, Q, padH, padW, tiles: 1, strips, rows: 3, slices, hasBias: 0, flipped: 0, tall: 0 },
      ...{ weightC, weightFirst: firstC, firstC: 0, normalised: moments ? 1 : 0, sums: 0 },
      ...stripPacking(1, 3), // which this kernel does not read
    };
    const columns = !pairs ? 'single' : raised ? 'enlarged' : 'pairs';
    const images = {
      [columns === 'pairs' ? 'inputPairs' : 'input']: tensor,
      [pairs ? 'gradientPairs' : 'gradient']: gradient,
    };
    const bindings = { ...images, moment: moments ?? unread, partial, biasPartial };
    dispatch(gpu, gradWeight[columns], bindings, uniforms, [
      Math.ceil(slices / lanes.tiles),
      Math.ceil(O / 8),
      Math.ceil(C / 4),
    ]);
    firstC += C;
  }
  unread?.release();
  const whole = (slice: Tensor, axes: string, shape: readonly number[]) => {
    const total = slices === 1 ? slice.view(axes, shape) : sum(slice, 'Z');
    slice.release();
    return total;
  };
  return {
    weight: whole(partial, 'OCRS', [O, weightC, 3, 3]) as Tensor<'OCRS'>,
    bias: whole(biasPartial, 'C', [O]) as Tensor<'C'>,
  };
}

/** The convolution that is the input gradient of this one. */
const mirrored = ({ N, C, H, W, O, P, Q, R, S, padH, padW }: ConvGeometry): StripConvolution => ({
  ...{ N, C: O, H: P, W: Q, O: C, P: H, Q: W },
  ...{ padH: R - 1 - padH, padW: S - 1 - padW },
});

const backwards = { flipped: true, statistics: false };

export const strips: ConvFamily = {
  fits: (gpu, g) => fitsStrips(g) && stripKernels(gpu) !== null,
  forward(g, input, weight, bias, output, statistics) {
    stripForward({ g, input, weight, bias, output, flipped: false, statistics });
  },
  gradInput(g, gradient, weight, bias, inputGradient) {
    stripForward({ ...backwards, g: mirrored(g), input: gradient, weight, bias, output: inputGradient });
  },
  gradInputPart(g, gradient, weight, part, first) {
    const channels = { ...mirrored(g), O: part.shape[1], weightC: g.C, weightFirst: first };
    stripForward({ ...backwards, g: channels, input: gradient, weight, bias: null, output: part });
  },
  gradWeight(g, input, gradient) {
    const { weight, bias } = stripGradWeight(stripKernels(input.gpu)!, g, input, gradient);
    return { weight, bias: () => bias };
  },
};
