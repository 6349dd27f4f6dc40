/**
 * Convolutions as matrix products (shaders/conv2d-columns.wgsl): the path of software adapters where the strips do not fit.
 */
import { columnGradWeightCode, productCode } from '../../shaders/conv2d-columns.ts';
import { lanesOf } from '../../shaders/lanes.ts';
import shaders from '../../shaders/sources.ts';
import type { Gpu } from '../gpu.ts';
import { dispatch, type Kernel, kernel, linearGroups } from '../kernel.ts';
import { empty, type Tensor } from '../tensor.ts';
import type { ConvFamily, ConvGeometry } from './conv2d-geometry.ts';
import { plain } from './conv2d-plain.ts';
import { sum } from './reduce.ts';

/** Positions a thread, chosen so that no lane of a small image is without work. */
const WIDTHS = [1, 2, 4, 8] as const;
/** With so few products a position, eight positions a thread are no faster than four, and take twice as long to compile. */
const FEW_PRODUCTS = 64;

interface ColumnKernels {
  readonly lanes: number;
  readonly unfold: Kernel;
  readonly fold: Kernel;
  /** By positions a thread. */
  readonly products: ReadonlyMap<number, Kernel>;
  readonly productsFours: ReadonlyMap<number, Kernel>;
  readonly gradWeight: Kernel;
  readonly gradWeightFours: Kernel;
}

const made = new Map<string, ColumnKernels>();

/** The kernels for this device's vectors, or null where they do not pay. */
function columnKernels(gpu: Gpu): ColumnKernels | null {
  const lanes = gpu.vectorLanes;
  if (lanes === null) return null;
  const bySubgroups = gpu.subgroupLanes === lanes;
  const group = lanesOf(lanes, bySubgroups);
  const key = `${lanes} ${bySubgroups}`;
  let kernels = made.get(key);
  if (!kernels) {
    const source = { name: `conv2d-columns-${lanes}`, code: shaders.conv2dColumns.code };
    const { enable } = group;
    const unrolled = (code: string) => ({ enable, append: [code] });
    const product = (width: number, fours: boolean) =>
      kernel(source, fours ? 'productFours' : 'product', unrolled(productCode(group, width, fours)));
    kernels = {
      lanes,
      unfold: kernel(source, 'unfold'),
      fold: kernel(source, 'fold'),
      products: new Map(WIDTHS.map((width) => [width, product(width, false)])),
      productsFours: new Map([4, 8].map((width) => [width, product(width, true)])),
      gradWeight: kernel(source, 'gradWeight', unrolled(columnGradWeightCode(group, false))),
      gradWeightFours: kernel(source, 'gradWeightFours', unrolled(columnGradWeightCode(group, true))),
    };
    made.set(key, kernels);
  }
  return kernels;
}

/** More than this many numbers are not unfolded at once. */
const MOST_UNFOLDED = 2 ** 26;
const MOST_GROUPS = 65535;

/** Whether the columns compute this convolution: no groups, and not too large for them. */
function fitsColumns(g: ConvGeometry): boolean {
  const rows = g.C * g.R * g.S;
  const unfolded = isPointwise(g) ? 0 : g.N * rows * g.P * g.Q;
  return g.groups === 1 && unfolded <= MOST_UNFOLDED && rows <= MOST_GROUPS;
}

const isPointwise = ({ R, S, strideH, strideW, padH, padW }: ConvGeometry) =>
  R === 1 && S === 1 && strideH === 1 && strideW === 1 && padH === 0 && padW === 0;

/** N K L; the input itself where that is the same. */
function unfoldColumns({ unfold }: ColumnKernels, g: ConvGeometry, input: Tensor): Tensor {
  const [K, L] = [g.C * g.R * g.S, g.P * g.Q];
  if (isPointwise(g)) return input;
  const unfolded = empty(input.gpu, 'NKL', [g.N, K, L], 'conv2d columns');
  dispatch(input.gpu, unfold, { input, unfolded }, uniformsOf(g, { K, O: g.O, L }), [Math.ceil(L / 64), K, g.N]);
  return unfolded;
}

function uniformsOf(g: ConvGeometry, product: { K: number; O: number; L: number; [name: string]: number }) {
  const { N, C, H, W, R, S, P, Q, strideH, strideW, padH, padW, dilationH, dilationW } = g;
  const window = { C, H, W, R, S, P, Q, strideH, strideW, padH, padW, dilationH, dilationW };
  return { N, strideO: 0, strideK: 0, hasBias: 0, slices: 1, ...window, ...product };
}

/** output[n, o, l] = bias[o] + sum_k weight[o, k] columns[n, k, l] */
function multiply(
  { lanes, products, productsFours }: ColumnKernels,
  g: ConvGeometry,
  product: { K: number; O: number; L: number; strideO: number; strideK: number },
  columns: Tensor,
  weight: Tensor,
  bias: Tensor | null,
  output: Tensor,
): void {
  const count = g.N * product.L;
  const most = product.O * product.K <= FEW_PRODUCTS ? 4 : 8;
  const width = WIDTHS.find((positions) => positions * lanes >= count || positions === most)!;
  const [across, down] = linearGroups(count, lanes * width);
  const groups = [across, Math.ceil(product.O / 8), down] as const;
  const uniforms = uniformsOf(g, { ...product, hasBias: bias ? 1 : 0 });
  const fours = product.L % 4 === 0 ? productsFours.get(width) : undefined;
  if (fours) {
    const bindings = { columnsFours: columns, weight, bias: bias ?? weight, outputFours: output };
    dispatch(columns.gpu, fours, bindings, uniforms, groups);
    return;
  }
  dispatch(columns.gpu, products.get(width)!, { columns, weight, bias: bias ?? weight, output }, uniforms, groups);
}

function columnForward(
  kernels: ColumnKernels,
  g: ConvGeometry,
  input: Tensor,
  weight: Tensor,
  bias: Tensor | null,
  output: Tensor,
): void {
  const columns = unfoldColumns(kernels, g, input);
  const K = g.C * g.R * g.S;
  multiply(kernels, g, { K, O: g.O, L: g.P * g.Q, strideO: K, strideK: 1 }, columns, weight, bias, output);
  if (columns !== input) columns.release();
}

function columnGradInput(
  kernels: ColumnKernels,
  g: ConvGeometry,
  gradient: Tensor,
  weight: Tensor,
  inputGradient: Tensor,
): void {
  const { gpu } = gradient;
  const [rows, L] = [g.C * g.R * g.S, g.P * g.Q];
  const product = { K: g.O, O: rows, L, strideO: 1, strideK: rows };
  if (isPointwise(g)) {
    multiply(kernels, g, product, gradient, weight, null, inputGradient);
    return;
  }
  const columns = empty(gpu, 'NKL', [g.N, rows, L], 'conv2d columns of gradient');
  multiply(kernels, g, product, gradient, weight, null, columns);
  const uniforms = uniformsOf(g, { K: rows, O: g.O, L });
  dispatch(gpu, kernels.fold, { columns, inputGradient }, uniforms, [Math.ceil((g.H * g.W) / 64), g.C, g.N]);
  columns.release();
}

const BUSY_GROUPS = 64;
/** Positions that one slice adds up at most. */
const LONGEST_SLICE = 512;
const MOST_PARTIAL = 2 ** 24;

/** O C R S */
function columnGradWeight(kernels: ColumnKernels, g: ConvGeometry, input: Tensor, gradient: Tensor): Tensor<'OCRS'> {
  const { gpu } = input;
  const { lanes } = kernels;
  const [K, L] = [g.C * g.R * g.S, g.P * g.Q];
  const columns = unfoldColumns(kernels, g, input);
  const [outputs, rows] = [Math.ceil(g.O / (4 * lanes)), Math.ceil(K / 8)];
  const turns = g.N * Math.ceil(L / lanes);
  const wanted = Math.max(Math.ceil(BUSY_GROUPS / (outputs * rows)), Math.ceil((turns * lanes) / LONGEST_SLICE));
  const slices = Math.max(1, Math.min(wanted, turns, Math.floor(MOST_PARTIAL / (g.O * K))));
  const partial = empty(gpu, 'OCRSZ', [g.O, g.C, g.R, g.S, slices], 'conv2d gradient of weight');
  const uniforms = uniformsOf(g, { K, O: g.O, L, slices });
  if (L % 4 === 0) {
    const bindings = { columns, gradientFours: gradient, partial };
    dispatch(gpu, kernels.gradWeightFours, bindings, uniforms, [slices, outputs, rows]);
  } else {
    dispatch(gpu, kernels.gradWeight, { columns, gradient, partial }, uniforms, [slices, outputs, rows]);
  }
  if (columns !== input) columns.release();
  const total = slices === 1 ? partial.view('OCRS', [g.O, g.C, g.R, g.S]) : sum(partial, 'Z');
  partial.release();
  return total as Tensor<'OCRS'>;
}

export const columns: ConvFamily = {
  fits: (gpu, g) => fitsColumns(g) && columnKernels(gpu) !== null,
  forward(g, input, weight, bias, output) {
    columnForward(columnKernels(input.gpu)!, g, input, weight, bias, output);
  },
  gradInput(g, gradient, weight, bias, inputGradient) {
    if (bias) plain.gradInput(g, gradient, weight, bias, inputGradient);
    else columnGradInput(columnKernels(gradient.gpu)!, g, gradient, weight, inputGradient);
  },
  gradWeight: (g, input, gradient) => ({
    weight: columnGradWeight(columnKernels(input.gpu)!, g, input, gradient),
    bias: () => sum(gradient as Tensor<'NCHW'>, 'NHW'),
  }),
};
