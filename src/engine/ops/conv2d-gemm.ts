/**
 * Convolutions as implicit matrix products by way of workgroup memory (shaders/conv2d-gemm.wgsl): the path of real GPUs.
 */
import { channelsOf, columnsOf, DEPTH, type GemmTile, gatherCode, gradWeightCode } from '../../shaders/conv2d-gemm.ts';
import shaders from '../../shaders/sources.ts';
import type { Gpu } from '../gpu.ts';
import { dispatch, type Kernel, kernel, linearGroups } from '../kernel.ts';
import { empty, type Tensor } from '../tensor.ts';
import type { ConvFamily, ConvGeometry, WeightGradients } from './conv2d-geometry.ts';
import { plain } from './conv2d-plain.ts';
import { sum } from './reduce.ts';

/** Tiles by the channels that they hold. */
export const GEMM_TILES = [16, 32, 64, 128] as const;
export type GemmChannels = (typeof GEMM_TILES)[number];

const gatherTiles: Readonly<Record<GemmChannels, GemmTile>> = {
  16: { own: 4, down: 4, across: 32 },
  32: { own: 8, down: 4, across: 32 },
  64: { own: 8, down: 8, across: 16 },
  128: { own: 8, down: 16, across: 16 },
};
const weightTiles: Readonly<Record<GemmChannels, GemmTile>> = {
  16: { own: 4, down: 4, across: 16 },
  32: { own: 8, down: 4, across: 16 },
  64: { own: 8, down: 8, across: 16 },
  128: { own: 8, down: 16, across: 16 },
};

interface GemmKernels {
  readonly gather: Kernel;
  readonly gatherVectors: Kernel;
  readonly gradWeight: Kernel;
}

const made = new Map<GemmChannels, GemmKernels>();
export const pack = kernel(shaders.conv2dGemm, 'pack');
const gradWeightEach = kernel(shaders.conv2dGemm, 'gradWeightEach');

function kernelsOf(channels: GemmChannels): GemmKernels {
  let kernels = made.get(channels);
  if (!kernels) {
    const tiled = (entryPoint: string, code: string) =>
      kernel({ name: `conv2d-gemm-${channels}`, code: shaders.conv2dGemm.code }, entryPoint, { append: [code] });
    kernels = {
      gather: tiled('gather', gatherCode(gatherTiles[channels], false)),
      gatherVectors: tiled('gather', gatherCode(gatherTiles[channels], true)),
      gradWeight: tiled('gradWeight', gradWeightCode(weightTiles[channels])),
    };
    made.set(channels, kernels);
  }
  return kernels;
}

/** What gather reads and writes; channels are those of a group. */
export interface Gather {
  readonly N: number;
  readonly portions: number;
  readonly C: number;
  readonly O: number;
  readonly H: number;
  readonly W: number;
  readonly P: number;
  readonly Q: number;
  readonly R: number;
  readonly S: number;
  readonly stepH: number;
  readonly stepW: number;
  readonly phasesH: number;
  readonly phasesW: number;
  readonly padH: number;
  readonly padW: number;
  readonly dilationH: number;
  readonly dilationW: number;
}

export const forwardOf = ({ C, O, strideH, strideW, groups, ...g }: ConvGeometry): Gather => ({
  ...g,
  ...{ portions: groups, C: C / groups, O: O / groups },
  ...{ stepH: strideH, stepW: strideW, phasesH: 1, phasesW: 1 },
});

export const backwardOf = ({ C, O, H, W, P, Q, strideH, strideW, groups, ...g }: ConvGeometry): Gather => ({
  ...g,
  ...{ portions: groups, C: O / groups, O: C / groups, H: P, W: Q, P: H, Q: W },
  ...{ stepH: 1, stepW: 1, phasesH: strideH, phasesW: strideW },
});

const roundUp = (value: number, multiple: number) => Math.ceil(value / multiple) * multiple;

/** Lengths of the packed weight: portions, taps, channels that are summed over, channels of the result. */
export function packedShape(
  channels: GemmChannels,
  { portions, R, S, C, O }: Pick<Gather, 'portions' | 'R' | 'S' | 'C' | 'O'>,
) {
  return [portions, R * S, roundUp(C, DEPTH), roundUp(O, channelsOf(gatherTiles[channels]))] as const;
}

/** The products of what `g` describes with a weight that is packed already. */
export function gather(
  channels: GemmChannels,
  g: Gather,
  backward: boolean,
  input: Tensor,
  packed: Tensor,
  bias: Tensor | null,
  output: Tensor,
): void {
  const tile = gatherTiles[channels];
  const { gather, gatherVectors } = kernelsOf(channels);
  const [, , , paddedO] = packedShape(channels, g);
  const unmoved = g.stepH * g.stepW * g.phasesH * g.phasesW === 1 && g.padH === 0 && g.padW === 0;
  const vectors = g.R * g.S === 1 && unmoved && (g.H * g.W) % 4 === 0;
  const positions = g.N * Math.ceil(g.P / g.phasesH) * Math.ceil(g.Q / g.phasesW);
  const bound = vectors ? { input4: input, output4: output } : { input, output };
  const groups = [
    ...linearGroups(positions, columnsOf(tile)),
    (paddedO / channelsOf(tile)) * g.phasesH * g.phasesW * g.portions,
  ] as const;
  dispatch(
    output.gpu,
    vectors ? gatherVectors : gather,
    { ...bound, slab: packed, bias: bias ?? packed },
    uniformsOf(channels, g, backward, bias !== null),
    groups,
  );
}

function uniformsOf(channels: GemmChannels, g: Gather, backward: boolean, hasBias: boolean) {
  const [, , paddedC, paddedO] = packedShape(channels, g);
  return { ...g, backward: backward ? 1 : 0, paddedC, paddedO, hasBias: hasBias ? 1 : 0, slices: 1 };
}

function packAndGather(
  channels: GemmChannels,
  g: Gather,
  backward: boolean,
  input: Tensor,
  weight: Tensor,
  bias: Tensor | null,
  output: Tensor,
): void {
  const { gpu } = input;
  const shape = packedShape(channels, g);
  const packed = empty(gpu, 'GTCO', shape, 'conv2d packed weight');
  const count = shape.reduce((product, length) => product * length, 1);
  dispatch(gpu, pack, { weight, packed }, uniformsOf(channels, g, backward, false), linearGroups(count, 64));
  gather(channels, g, backward, input, packed, bias, output);
  packed.release();
}

/** Workgroups that keep a GPU busy. */
const BUSY_GROUPS = 512;
/** Positions that one slice sums at most, for the sake of rounding, and at least, for the sake of the sum over slices. */
const LONGEST_SLICE = 16384;
const SHORTEST_SLICE = 256;
const MOST_PARTIAL = 2 ** 24;
export const MOST_GROUPS = 65535;

export function slicesOf(g: ConvGeometry, blocks: number): number {
  const positions = g.N * g.P * g.Q;
  const wanted = Math.max(Math.ceil(BUSY_GROUPS / blocks), Math.ceil(positions / LONGEST_SLICE));
  const weights = g.O * (g.C / g.groups) * g.R * g.S;
  const most = Math.min(
    Math.ceil(positions / SHORTEST_SLICE),
    Math.floor(MOST_PARTIAL / weights),
    Math.floor(MOST_GROUPS / g.groups),
  );
  return Math.max(1, Math.min(wanted, most));
}

export function weightGradients(
  g: ConvGeometry,
  kernel: Kernel,
  slices: number,
  groups: readonly [number, number, number],
  input: Tensor,
  gradient: Tensor,
): WeightGradients {
  const { gpu } = input;
  const shape = [g.O, g.C / g.groups, g.R, g.S];
  const partial = empty(gpu, 'ZOCRS', [slices, ...shape], 'conv2d gradient of weight');
  const uniforms = { ...uniformsOf(16, forwardOf(g), false, false), slices };
  dispatch(gpu, kernel, { input, gradient, partial }, uniforms, groups);
  const weight = slices === 1 ? partial.view('OCRS', shape) : sum(partial as Tensor<'ZOCRS'>, 'Z');
  partial.release();
  return { weight: weight as Tensor<'OCRS'>, bias: () => sum(gradient as Tensor<'NCHW'>, 'NHW') };
}

/** The family whose tiles have `channels` rows. */
export const gemmFamily = (channels: GemmChannels): ConvFamily => ({
  fits(gpu: Gpu, g, pass) {
    const { own, down, across } = pass === 'gradWeight' ? weightTiles[channels] : gatherTiles[channels];
    const of = pass === 'gradInput' ? backwardOf(g) : forwardOf(g);
    const rows = Math.ceil(of.O / (own * down));
    const small =
      pass === 'gradWeight' ? g.groups <= MOST_GROUPS : rows * of.phasesH * of.phasesW * of.portions <= MOST_GROUPS;
    const threads = down * across <= (gpu.limits.maxComputeInvocationsPerWorkgroup ?? 256);
    return small && threads;
  },
  forward: (g, input, weight, bias, output) =>
    packAndGather(channels, forwardOf(g), false, input, weight, bias, output),
  gradInput: (g, gradient, weight, bias, inputGradient) =>
    packAndGather(channels, backwardOf(g), true, gradient, weight, bias, inputGradient),
  gradWeight(g, input, gradient) {
    const tile = weightTiles[channels];
    const columns = Math.ceil(((g.C / g.groups) * g.R * g.S) / columnsOf(tile));
    const rows = Math.ceil(g.O / g.groups / channelsOf(tile));
    const slices = slicesOf(g, columns * rows * g.groups);
    const groups = [columns, rows, slices * g.groups] as const;
    return weightGradients(g, kernelsOf(channels).gradWeight, slices, groups, input, gradient);
  },
});

/** For groups of so few channels that a tile would be empty, such as depthwise convolutions: a workgroup for each weight. */
export const byWeight: ConvFamily = {
  ...plain,
  fits: (_, __, pass) => pass === 'gradWeight',
  gradWeight(g, input, gradient) {
    const weights = g.O * (g.C / g.groups) * g.R * g.S;
    const slices = slicesOf({ ...g, C: g.C / g.groups, groups: 1 }, weights);
    return weightGradients(g, gradWeightEach, slices, [...linearGroups(weights, 1), slices], input, gradient);
  },
};
