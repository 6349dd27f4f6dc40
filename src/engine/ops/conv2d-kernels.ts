/**
 * The three contractions of a convolution, and which family of kernels computes each. No gradients here: conv2d and convTranspose2d share them.
 */
import type { Gpu } from '../gpu.ts';
import { empty, type Tensor } from '../tensor.ts';
import { joinedGradient } from './concat.ts';
import { columns } from './conv2d-columns.ts';
import { depthwiseFamily } from './conv2d-depthwise.ts';
import { byWeight, GEMM_TILES, gemmFamily } from './conv2d-gemm.ts';
import {
  type ConvFamily,
  type ConvGeometry,
  type ConvPass,
  type ConvWork,
  layerClass,
  type WeightGradients,
} from './conv2d-geometry.ts';
import { matricesFamily } from './conv2d-matrices.ts';
import { plain } from './conv2d-plain.ts';
import { strips } from './conv2d-strip.ts';
import { winogradFamily } from './conv2d-winograd.ts';

export type { ConvGeometry, ConvWork } from './conv2d-geometry.ts';

/** Every way to compute a convolution, by the name that a choice has. The first is the witness of the others. */
export const convFamilies = {
  plain,
  strips,
  columns,
  depthwise: depthwiseFamily(),
  'gemm-16': gemmFamily(16),
  'gemm-32': gemmFamily(32),
  'gemm-64': gemmFamily(64),
  'gemm-128': gemmFamily(128),
  'by-weight': byWeight,
  winograd: winogradFamily(),
  matrices: matricesFamily(),
} satisfies Record<string, ConvFamily>;

export type ConvFamilyName = keyof typeof convFamilies;

/** Below this many channels of a group, on either side, a tile would be mostly empty. */
const FEW = 8;

/** On a processor: neighbouring channels fill a subgroup, and where windows hardly overlap, as with long strides, they share no loads. */
const isDepthwiseWorth = (pass: ConvPass, { C, strideH, strideW }: ConvGeometry) =>
  C >= FEW && (pass === 'gradInput' || Math.max(strideH, strideW) <= 2);

/** The choice where nothing is pinned: by the kind of the adapter and the shape alone, so that it is the same every time. */
function rule(gpu: Gpu, pass: ConvPass, g: ConvGeometry): ConvFamilyName {
  const fits = (name: ConvFamilyName) => convFamilies[name].fits(gpu, g, pass);
  if (gpu.description.software) {
    if (fits('strips')) return 'strips';
    if (fits('depthwise') && isDepthwiseWorth(pass, g)) return 'depthwise';
    // A column is read for four outputs a lane; where there is one, as at the end of a saliency head, nothing is shared.
    return fits('columns') && !(pass === 'gradWeight' && g.O === 1) ? 'columns' : 'plain';
  }
  const [C, O] = [g.C / g.groups, g.O / g.groups];
  const rows = pass === 'gradInput' ? C : O;
  if (Math.min(C, O) < FEW) return pass === 'gradWeight' ? 'by-weight' : fits('depthwise') ? 'depthwise' : 'plain';
  const tile = GEMM_TILES.find((channels) => channels >= Math.min(rows, 64)) ?? 64;
  return fits(`gemm-${tile}`) ? `gemm-${tile}` : 'plain';
}

/** The family that computes this work now. */
export const familyOf = (gpu: Gpu, { pass, geometry }: ConvWork): ConvFamilyName => {
  const can = (name: string): name is ConvFamilyName =>
    Object.hasOwn(convFamilies, name) && convFamilies[name as ConvFamilyName].fits(gpu, geometry, pass);
  return gpu.choices.take(layerClass(pass, geometry), { pass, geometry }, can, () => rule(gpu, pass, geometry));
};

const familyFor = (gpu: Gpu, pass: ConvPass, geometry: ConvGeometry): ConvFamily =>
  convFamilies[familyOf(gpu, { pass, geometry })];

/** N O P Q from N C H W. `statistics`: whether a batch normalisation reads it next. */
export function convForward(
  g: ConvGeometry,
  input: Tensor,
  weight: Tensor,
  bias: Tensor | null,
  statistics = false,
): Tensor<'NCHW'> {
  const output = empty(input.gpu, 'NCHW', [g.N, g.O, g.P, g.Q], 'conv2d');
  for (const tensor of [input, weight, bias]) tensor?.assertAlive('conv2d');
  familyFor(input.gpu, 'forward', g).forward(g, input, weight, bias, output, statistics);
  return output;
}

/** N C H W from N O P Q; a transposed convolution adds `bias` (of C). Where the input joins `parts`, so many channels each, their gradients stay apart. */
export function convGradInput(
  g: ConvGeometry,
  gradient: Tensor,
  weight: Tensor,
  bias: Tensor | null = null,
  parts: readonly number[] = [],
): Tensor<'NCHW'> {
  const family = familyFor(gradient.gpu, 'gradInput', g);
  if (parts.length > 1 && g.groups === 1 && family.gradInputPart) {
    let first = 0;
    const tensors = parts.map((C) => {
      const part = empty(gradient.gpu, 'NCHW', [g.N, C, g.H, g.W], 'conv2d gradient of input');
      family.gradInputPart!(g, gradient, weight, part, first);
      first += C;
      return part;
    });
    return joinedGradient(tensors, [g.N, g.C, g.H, g.W]);
  }
  const inputGradient = empty(gradient.gpu, 'NCHW', [g.N, g.C, g.H, g.W], 'conv2d gradient of input');
  for (const tensor of [gradient, weight, bias]) tensor?.assertAlive('conv2d');
  family.gradInput(g, gradient, weight, bias, inputGradient);
  return inputGradient;
}

/** The gradients of the weight, O C/groups R S, and of the bias, O, from N C H W and N O P Q. */
export function convGradWeight(g: ConvGeometry, input: Tensor, gradient: Tensor): WeightGradients {
  for (const tensor of [input, gradient]) tensor.assertAlive('conv2d');
  return familyFor(input.gpu, 'gradWeight', g).gradWeight(g, input, gradient);
}
