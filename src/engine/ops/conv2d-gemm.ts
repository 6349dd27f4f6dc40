/**
 * Convolutions as implicit matrix products by way of workgroup memory (shaders/conv2d-gemm.wgsl): the path of real GPUs.
 */
import {
  channelsOf,
  columnsOf,
  DEPTH,
  type GatherOptions,
  type GemmTile,
  gatherCode,
  gradWeightCode,
  workgroupBytes,
} from '../../shaders/conv2d-gemm.ts';
import type { Inputs } from '../../shaders/conv2d-tile-rows.ts';
import shaders from '../../shaders/sources.ts';
import type { Gpu } from '../gpu.ts';
import { dispatch, type Kernel, kernel, linearGroups } from '../kernel.ts';
import { empty, type Tensor } from '../tensor.ts';
import type { ConvFamily, ConvGeometry, WeightGradients } from './conv2d-geometry.ts';
import { bindable, inputsOf, pieces } from './conv2d-inputs.ts';
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

export const pack = kernel(shaders.conv2dGemm, 'pack');
const gradWeightEach = kernel(shaders.conv2dGemm, 'gradWeightEach');

const made = new Map<string, Kernel>();

function tiled(channels: GemmChannels, entryPoint: string, variant: string, code: () => string): Kernel {
  const key = `${channels} ${entryPoint} ${variant}`;
  let tile = made.get(key);
  if (!tile) {
    const source = { name: `conv2d-gemm-${channels}`, code: shaders.conv2dGemm.code };
    tile = kernel(source, entryPoint, { append: [code()] });
    made.set(key, tile);
  }
  return tile;
}

function gatherKernel(channels: GemmChannels, options: GatherOptions): Kernel {
  const { vectors, inputs, gathers } = options;
  const variant = `${inputs}${vectors ? ' vectors' : ''}${gathers ? ' statistics' : ''}`;
  return tiled(channels, 'gather', variant, () => gatherCode(gatherTiles[channels], options));
}

const gradWeightKernel = (channels: GemmChannels, inputs: Exclude<Inputs, 'joined'>) =>
  tiled(channels, 'gradWeight', inputs, () => gradWeightCode(weightTiles[channels], inputs));

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
  /** Input channels of the weight, and the first of those that a gradient of some of them stands for. */
  readonly weightC: number;
  readonly weightFirst: number;
}

export const forwardOf = ({ C, O, strideH, strideW, groups, ...g }: ConvGeometry): Gather => ({
  ...g,
  ...{ portions: groups, C: C / groups, O: O / groups, weightC: C / groups, weightFirst: 0 },
  ...{ stepH: strideH, stepW: strideW, phasesH: 1, phasesW: 1 },
});

export const backwardOf = ({ C, O, H, W, P, Q, strideH, strideW, groups, ...g }: ConvGeometry): Gather => ({
  ...g,
  ...{ portions: groups, C: O / groups, O: C / groups, H: P, W: Q, P: H, Q: W },
  ...{ weightC: C / groups, weightFirst: 0 },
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

/** The products of what `g` describes with a weight that is packed already. `statistics`: whether those of the output are wanted. */
export function gather(
  channels: GemmChannels,
  g: Gather,
  backward: boolean,
  input: Tensor,
  packed: Tensor,
  bias: Tensor | null,
  output: Tensor,
  statistics = false,
): void {
  const { gpu } = output;
  const tile = gatherTiles[channels];
  const [, , , paddedO] = packedShape(channels, g);
  const unmoved = g.stepH * g.stepW * g.phasesH * g.phasesW === 1 && g.padH === 0 && g.padW === 0;
  const vectors = g.R * g.S === 1 && unmoved && (g.H * g.W) % 4 === 0;
  const { inputs, first, second } = inputsOf(input, output, (kind) =>
    vectors ? kind === 'written' || kind === 'normalised' : true,
  );
  const positions = g.N * Math.ceil(g.P / g.phasesH) * Math.ceil(g.Q / g.phasesW);
  const tiles = Math.ceil(positions / columnsOf(tile));
  const large = second ? [first.tensor, second.tensor, output] : [first.tensor, output];
  const room = gpu.limits.maxComputeWorkgroupStorageSize >= workgroupBytes(tile) && bindable(gpu, large);
  const gathers = statistics && gpu.fuses && room && output.type === 'f32'; // of what is stored as it was summed
  const sums = gathers ? empty(gpu, 'CZK', [g.portions * g.O, tiles, 4], 'conv2d statistics') : null;
  const groups = [
    ...linearGroups(positions, columnsOf(tile)),
    (paddedO / channelsOf(tile)) * g.phasesH * g.phasesW * g.portions,
  ] as const;
  const bindings = {
    ...{ [vectors ? 'input4' : 'input']: first.tensor, moment: first.moments },
    ...{ input2: second?.tensor, moment2: second?.moments },
    ...{ slab: packed, bias: bias ?? packed, [vectors ? 'output4' : 'output']: output, statistics: sums },
  };
  const counts = { firstC: first.tensor.shape[1] ?? 0, sums: sums ? tiles : 0 };
  const uniforms = { ...uniformsOf(channels, g, backward, bias !== null), ...counts };
  dispatch(gpu, gatherKernel(channels, { vectors, inputs, gathers }), bindings, uniforms, groups);
  output.statistics = sums;
}

function uniformsOf(channels: GemmChannels, g: Gather, backward: boolean, hasBias: boolean) {
  const [, , paddedC, paddedO] = packedShape(channels, g);
  return shapeOf(g, { paddedC, paddedO, backward: backward ? 1 : 0, hasBias: hasBias ? 1 : 0 });
}

/** The Shape of conv2d-gemm.wgsl. */
export const shapeOf = (g: Gather, some: Readonly<Record<string, number>>) => ({
  ...g,
  ...{ backward: 0, paddedC: 0, paddedO: 0, hasBias: 0, slices: 1, firstC: 0, sums: 0 },
  ...some,
});

/** N O P Q from N C H W, or the gradient of the latter. */
interface GatherWork {
  readonly g: Gather;
  readonly backward: boolean;
  readonly input: Tensor;
  readonly weight: Tensor;
  readonly bias: Tensor | null;
  readonly output: Tensor;
  readonly statistics?: boolean;
}

function packAndGather(
  channels: GemmChannels,
  { g, backward, input, weight, bias, output, statistics }: GatherWork,
): void {
  const { gpu } = output;
  const shape = packedShape(channels, g);
  const packed = empty(gpu, 'GTCO', shape, 'conv2d packed weight');
  const count = shape.reduce((product, length) => product * length, 1);
  dispatch(gpu, pack, { weight, packed }, uniformsOf(channels, g, backward, false), linearGroups(count, 64));
  gather(channels, g, backward, input, packed, bias, output, statistics);
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

/** The sum of what `fill` writes for each slice. */
export function weightGradients(
  g: ConvGeometry,
  slices: number,
  gradient: Tensor,
  fill: (partial: Tensor) => void,
): WeightGradients {
  const { gpu } = gradient;
  const shape = [g.O, g.C / g.groups, g.R, g.S];
  const partial = empty(gpu, 'ZOCRS', [slices, ...shape], 'conv2d gradient of weight');
  fill(partial);
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
  forward(g, input, weight, bias, output, statistics) {
    packAndGather(channels, { g: forwardOf(g), backward: false, input, weight, bias, output, statistics });
  },
  gradInput(g, gradient, weight, bias, inputGradient) {
    packAndGather(channels, {
      ...{ g: backwardOf(g), backward: true, input: gradient, weight, bias, output: inputGradient },
    });
  },
  gradInputPart(g, gradient, weight, part, first) {
    const some = { ...backwardOf(g), O: part.shape[1], weightFirst: first };
    packAndGather(channels, { g: some, backward: true, input: gradient, weight, bias: null, output: part });
  },
  gradWeight(g, input, gradient) {
    const tile = weightTiles[channels];
    const tilesOf = (C: number) => Math.ceil((C * g.R * g.S) / columnsOf(tile));
    const rows = Math.ceil(g.O / g.groups / channelsOf(tile));
    const isWhole = g.groups === 1 || input.elsewhere?.length === 1; // a group's channels lie in one piece
    const slices = slicesOf(g, tilesOf(g.C / g.groups) * rows * g.groups); // of the whole input, however it is read
    return weightGradients(g, slices, gradient, (partial) => {
      let weightFirst = 0;
      for (const { tensor, moments, raised } of pieces(input, gradient, (kind) => kind !== null && isWhole)) {
        const C = tensor.shape[1] / g.groups;
        const uniforms = shapeOf(forwardOf(g), { C, weightFirst, slices });
        const gradKernel = gradWeightKernel(channels, raised ? 'enlarged' : moments ? 'normalised' : 'written');
        const bindings = { input: tensor, moment: moments, gradient, partial };
        dispatch(gradient.gpu, gradKernel, bindings, uniforms, [tilesOf(C), rows, slices * g.groups]);
        weightFirst += C;
      }
    });
  },
});

/** For groups of so few channels that a tile would be empty, such as depthwise convolutions: a workgroup for each weight. */
export const byWeight: ConvFamily = {
  ...plain,
  fits: (_, __, pass) => pass === 'gradWeight',
  gradWeight(g, input, gradient) {
    const weights = g.O * (g.C / g.groups) * g.R * g.S;
    const slices = slicesOf({ ...g, C: g.C / g.groups, groups: 1 }, weights);
    const uniforms = shapeOf(forwardOf(g), { slices });
    return weightGradients(g, slices, gradient, (partial) => {
      const bindings = { input, gradient, partial };
      dispatch(gradient.gpu, gradWeightEach, bindings, uniforms, [...linearGroups(weights, 1), slices]);
    });
  },
};
