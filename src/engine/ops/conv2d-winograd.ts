/**
 * 3 x 3 convolutions of stride 1 by Winograd's F(2 x 2, 3 x 3) (shaders/conv2d-winograd.wgsl), forward and gradient of the input, for GPUs
 * and many channels: 2.25 times fewer multiplications, against the traffic of tiles that are four times as large.
 */
import shaders from '../../shaders/sources.ts';
import { dispatch, kernel, linearGroups } from '../kernel.ts';
import { empty, type Tensor } from '../tensor.ts';
import { GEMM_TILES, gather, packedShape } from './conv2d-gemm.ts';
import type { ConvFamily, ConvGeometry } from './conv2d-geometry.ts';
import { plain } from './conv2d-plain.ts';

const transformWeight = kernel(shaders.conv2dWinograd, 'transformWeight');
const transformInput = kernel(shaders.conv2dWinograd, 'transformInput');
const transformOutput = kernel(shaders.conv2dWinograd, 'transformOutput');

/** Numbers of a chunk's transformed tiles: 32 MiB, which a GPU's cache may hold. */
const CHUNK = 2 ** 23;

type Sizes = Pick<ConvGeometry, 'N' | 'C' | 'O' | 'H' | 'W' | 'P' | 'Q' | 'padH' | 'padW'>;

/** `flipped`: the weight is C O 3 3 of the convolution whose input gradient this is. */
function convolve(
  { N, C, O, H, W, P, Q, padH, padW }: Sizes,
  input: Tensor,
  weight: Tensor,
  bias: Tensor | null,
  output: Tensor,
  flipped: boolean,
  chunk: number,
): void {
  const { gpu } = input;
  const channels = GEMM_TILES.find((tile) => tile >= Math.min(O, 64)) ?? 64;
  const [tilesH, tilesW] = [Math.ceil(P / 2), Math.ceil(Q / 2)];
  const tiles = Math.ceil((N * tilesH * tilesW) / 4) * 4;
  const perChunk = Math.max(4, Math.floor(chunk / (16 * Math.max(C, O)) / 4) * 4);
  const shape = packedShape(channels, { portions: 16, R: 1, S: 1, C, O });
  const [, , paddedC, paddedO] = shape;
  const sizes = { N, C, O, H, W, P, Q, padH, padW, tilesH, tilesW, paddedC, paddedO, flipped: flipped ? 1 : 0 };
  const packed = empty(gpu, 'GTCO', shape, 'conv2d transformed weight');
  const whole = { ...sizes, first: 0, count: 0, hasBias: 0 };
  dispatch(gpu, transformWeight, { weight, packed }, whole, linearGroups(paddedC * paddedO, 64));
  for (let first = 0; first < tiles; first += perChunk) {
    const count = Math.min(perChunk, tiles - first);
    const uniforms = { ...sizes, first, count, hasBias: bias ? 1 : 0 };
    const transformed = empty(gpu, 'GCT', [16, C, count], 'conv2d transformed tiles');
    const products = empty(gpu, 'GOT', [16, O, count], 'conv2d transformed outputs');
    const across = Math.ceil(count / 64);
    dispatch(gpu, transformInput, { input, transformed }, uniforms, [across, C]);
    gather(channels, productsOf(C, O, count), false, transformed, packed, null, products);
    dispatch(gpu, transformOutput, { products, bias: bias ?? packed, output }, uniforms, [across, O]);
    transformed.release();
    products.release();
  }
  packed.release();
}

/** A 1 x 1 convolution of 16 groups over a row of tiles. */
const productsOf = (C: number, O: number, count: number) => ({
  ...{ N: 1, portions: 16, C, O, H: 1, W: count, P: 1, Q: count, R: 1, S: 1 },
  ...{ stepH: 1, stepW: 1, phasesH: 1, phasesW: 1, padH: 0, padW: 0, dilationH: 1, dilationW: 1 },
  ...{ weightC: C, weightFirst: 0 },
});

/** `chunk`: numbers of the transformed tiles that are in memory at once. */
export const winogradFamily = (chunk = CHUNK): ConvFamily => ({
  fits(_, g, pass) {
    const one = g.strideH * g.strideW * g.dilationH * g.dilationW * g.groups === 1;
    return pass !== 'gradWeight' && one && g.R === 3 && g.S === 3 && g.padH <= 2 && g.padW <= 2;
  },
  forward: (g, input, weight, bias, output) => convolve(g, input, weight, bias, output, false, chunk),
  gradInput({ N, C, H, W, O, P, Q, padH, padW }, gradient, weight, bias, inputGradient) {
    const mirrored = { N, C: O, H: P, W: Q, O: C, P: H, Q: W, padH: 2 - padH, padW: 2 - padW };
    convolve(mirrored, gradient, weight, bias, inputGradient, true, chunk);
  },
  gradWeight: plain.gradWeight,
});
