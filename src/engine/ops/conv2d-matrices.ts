/**
 * Convolutions as implicit matrix products, as in conv2d-gemm.ts, by the subgroup matrices of GPUs that offer them
 * (shaders/conv2d-matrices.ts). Float32 operands serve all three passes; float16 ones, summed in float32, the forward pass alone and only in half precision:
 * gradients stay in float32.
 */
import { divides, gatherCode, gradWeightCode, type MatrixTile, sizesOf } from '../../shaders/conv2d-matrices.ts';
import { type MatrixConfig, type MatrixProduct, subgroupMatrices } from '../../shaders/matrix-product.ts';
import shaders from '../../shaders/sources.ts';
import type { Gpu } from '../gpu.ts';
import { dispatch, type Kernel, kernel, linearGroups } from '../kernel.ts';
import { empty, type Tensor } from '../tensor.ts';
import {
  backwardOf,
  forwardOf,
  type Gather,
  MOST_GROUPS,
  pack,
  shapeOf,
  slicesOf,
  weightGradients,
} from './conv2d-gemm.ts';
import type { ConvFamily, ConvGeometry, ConvPass } from './conv2d-geometry.ts';

/** Tests put other products and smaller tiles in their place. */
export interface MatrixChoices {
  configs(gpu: Gpu): readonly MatrixConfig[];
  product(gpu: Gpu, config: MatrixConfig): MatrixProduct;
  tile(config: MatrixConfig, rows: number): MatrixTile;
}

/**
 * Four subgroups. Each has 32 x 32 of a tile of 64 channels; of one of 32 or 16 channels 32 or 16 x 32, or x 16 where operands are float32: what every
 * device has in workgroup memory (16 KiB) is to be enough.
 */
export function tileFor({ type, M, N }: MatrixConfig, rows: number): MatrixTile {
  const [down, across] = rows > 32 ? [2, 2] : [1, 4];
  const [height, width] = [rows > 16 ? 32 : 16, rows > 32 || type === 'f16' ? 32 : 16];
  return { down, across, high: Math.max(1, height / M), wide: Math.max(1, width / N) };
}

const offered: MatrixChoices = {
  configs: (gpu) => gpu.matrixConfigs,
  product: (_, config) => subgroupMatrices(config),
  tile: tileFor,
};

type Entry = 'gather' | 'gradWeight';

/** The kernel of these matrices and this tile. */
export function matrixKernel(entry: Entry, product: MatrixProduct, tile: MatrixTile): Kernel {
  const { type, M, N, K, lanes } = product;
  const name = `conv2d-matrices-${type}-${M}x${N}x${K}-${lanes}`;
  const code = (entry === 'gather' ? gatherCode : gradWeightCode)(product, tile);
  return kernel({ name, code: shaders.conv2dGemm.code }, entry, { append: [code], enable: product.enable });
}

/** What one pass over one geometry is computed with. */
interface Plan {
  readonly config: MatrixConfig;
  readonly tile: MatrixTile;
  readonly g: Gather;
}

export function matricesFamily(choices: MatrixChoices = offered): ConvFamily {
  const made = new Map<string, Kernel>();

  function planOf(gpu: Gpu, geometry: ConvGeometry, pass: ConvPass): Plan | null {
    const halves = gpu.halves && pass === 'forward';
    const usable = choices.configs(gpu).filter(({ type }) => type === 'f32' || halves);
    const g = pass === 'gradInput' ? backwardOf(geometry) : forwardOf(geometry);
    const {
      maxComputeInvocationsPerWorkgroup: mostThreads = 256,
      maxComputeWorkgroupStorageSize: mostStorage = 16384,
    } = gpu.limits;
    const plans = usable.map((config) => ({ config, tile: choices.tile(config, g.O), g }));
    const fitting = plans.filter(({ config, tile }) => {
      const { threads, storage } = sizesOf(config, tile);
      return divides(config, tile) && threads <= mostThreads && storage <= mostStorage;
    });
    return fitting.find(({ config }) => config.type === 'f16') ?? fitting[0] ?? null;
  }

  function plan(gpu: Gpu, geometry: ConvGeometry, pass: ConvPass): Plan {
    const found = planOf(gpu, geometry, pass);
    if (!found) throw new Error(`conv2d: ${gpu.description.name} has no subgroup matrices for this ${pass} pass.`);
    return found;
  }

  function kernelOf(gpu: Gpu, entry: Entry, { config, tile }: Plan): Kernel {
    const product = choices.product(gpu, config);
    const key = JSON.stringify([entry, product, tile]);
    const kernel = made.get(key) ?? matrixKernel(entry, product, tile);
    made.set(key, kernel);
    return kernel;
  }

  function packAndGather(
    geometry: ConvGeometry,
    pass: 'forward' | 'gradInput',
    input: Tensor,
    weight: Tensor,
    bias: Tensor | null,
    output: Tensor,
  ): void {
    const { gpu } = input;
    const chosen = plan(gpu, geometry, pass);
    const { g } = chosen;
    const { channels, columns, depth } = sizesOf(chosen.config, chosen.tile);
    const [paddedC, paddedO] = [Math.ceil(g.C / depth) * depth, Math.ceil(g.O / channels) * channels];
    const backward = pass === 'gradInput' ? 1 : 0;
    const uniforms = shapeOf(g, { backward, paddedC, paddedO, hasBias: bias ? 1 : 0 });
    const packed = empty(gpu, 'GTCO', [g.portions, g.R * g.S, paddedC, paddedO], 'conv2d packed weight');
    dispatch(gpu, pack, { weight, packed }, uniforms, linearGroups(packed.size, 64));
    const positions = g.N * Math.ceil(g.P / g.phasesH) * Math.ceil(g.Q / g.phasesW);
    const tiles = (paddedO / channels) * g.phasesH * g.phasesW * g.portions;
    const bound = { input, slab: packed, bias: bias ?? packed, output };
    dispatch(gpu, kernelOf(gpu, 'gather', chosen), bound, uniforms, [...linearGroups(positions, columns), tiles]);
    packed.release();
  }

  return {
    fits(gpu, geometry, pass) {
      const found = planOf(gpu, geometry, pass);
      if (!found) return false;
      if (pass === 'gradWeight') return geometry.groups <= MOST_GROUPS;
      const { g, config, tile } = found;
      const rows = Math.ceil(g.O / sizesOf(config, tile).channels);
      return rows * g.phasesH * g.phasesW * g.portions <= MOST_GROUPS;
    },
    forward: (g, input, weight, bias, output) => packAndGather(g, 'forward', input, weight, bias, output),
    gradInput: (g, gradient, weight, bias, inputGradient) =>
      packAndGather(g, 'gradInput', gradient, weight, bias, inputGradient),
    gradWeight(g, input, gradient) {
      const { gpu } = input;
      const chosen = plan(gpu, g, 'gradWeight');
      const { channels, columns } = sizesOf(chosen.config, chosen.tile);
      const across = Math.ceil(((g.C / g.groups) * g.R * g.S) / columns);
      const down = Math.ceil(g.O / g.groups / channels);
      const slices = slicesOf(g, across * down * g.groups);
      const groups = [across, down, slices * g.groups] as const;
      return weightGradients(g, slices, gradient, (partial) => {
        const bindings = { input, gradient, partial };
        dispatch(gpu, kernelOf(gpu, 'gradWeight', chosen), bindings, shapeOf(chosen.g, { slices }), groups);
      });
    },
  };
}
