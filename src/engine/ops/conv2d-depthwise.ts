/**
 * Depthwise convolutions (shaders/conv2d-depthwise.wgsl): an input channel has outputs of its own, one or several. A thread has a tile of one
 * channel's plane.
 */
import {
  type DepthwiseAxis,
  type DepthwisePlan,
  depthwiseCode,
  depthwiseGradWeightCode,
  loadsOf,
} from '../../shaders/conv2d-depthwise.ts';
import shaders from '../../shaders/sources.ts';
import type { Gpu } from '../gpu.ts';
import { dispatch, type Kernel, kernel, linearGroups } from '../kernel.ts';
import { empty, type Tensor } from '../tensor.ts';
import type { ConvFamily, ConvGeometry, ConvPass } from './conv2d-geometry.ts';
import { sum } from './reduce.ts';

type Kind = 'processor' | 'gpu';

/** Sides of a tile: a processor gains by few loads an output, a GPU by many threads. */
const COLUMNS = 4;
const MOST_ROWS: Readonly<Record<Kind, number>> = { processor: 5, gpu: 2 };
/** A tile has fewer rows where it would load more than this many numbers of a plane: lavapipe's compiler takes some 20 ms for each. */
const MANY_LOADS = 48;
/** Windows that load more than this many for a single row of a tile are left to the plain kernel. */
const MOST_LOADS = 96;
const LONGEST_STRIDE = 4;

/** Threads that keep a device busy, and the positions that one slice of a weight's gradient adds up at most. */
const BUSY_THREADS: Readonly<Record<Kind, number>> = { processor: 256, gpu: 65536 };
const LONGEST_SLICE = 512;
const MOST_GROUPS = 65535;

const lanesOf = (gpu: Gpu, kind: Kind) => (kind === 'processor' ? (gpu.vectorLanes ?? 8) : 64);

function planOf(kind: Kind, lanes: number, g: ConvGeometry, pass: ConvPass): DepthwisePlan {
  const mirrored = pass === 'gradInput';
  const axis = (length: number, taps: number, stride: number, dilation: number, pad: number): DepthwiseAxis => ({
    ...{ taps, stride, dilation, phase: mirrored ? pad % stride : null },
    tile: mirrored ? Math.ceil(length / stride) * stride : length,
  });
  const tall = (rows: number): DepthwisePlan => ({
    rows: axis(rows, g.R, g.strideH, g.dilationH, g.padH),
    columns: axis(COLUMNS, g.S, g.strideW, g.dilationW, g.padW),
    ...{ lanes, byTile: kind === 'gpu' },
  });
  let rows = MOST_ROWS[kind];
  while (rows > 1 && loadsOf(tall(rows)) > MANY_LOADS) rows--;
  return tall(rows);
}

interface DepthwiseKernel {
  readonly plan: DepthwisePlan;
  /** Null where it would be too large. */
  readonly code: Kernel | null;
}

const made = new Map<string, DepthwiseKernel>();

/** The kernel for windows like this one, whatever the sizes. */
function kernelFor(gpu: Gpu, kind: Kind, g: ConvGeometry, pass: ConvPass): DepthwiseKernel {
  const lanes = lanesOf(gpu, kind);
  const several = pass === 'gradInput' && g.O > g.C;
  const { R, S, strideH, strideW, dilationH, dilationW, padH, padW } = g;
  const phases = pass === 'gradInput' ? [padH % strideH, padW % strideW, several] : [];
  const key = [pass, kind, lanes, R, S, strideH, strideW, dilationH, dilationW, ...phases].join(' ');
  let found = made.get(key);
  if (!found) {
    const plan = planOf(kind, lanes, g, pass);
    const text = () => (pass === 'gradWeight' ? depthwiseGradWeightCode(plan) : depthwiseCode(pass, plan, several));
    const small = Math.max(strideH, strideW) <= LONGEST_STRIDE && loadsOf(plan) <= MOST_LOADS;
    found = { plan, code: small ? kernel(shaders.conv2dDepthwise, pass, { append: [text()] }) : null };
    made.set(key, found);
  }
  return found;
}

/** What is written and what is read, by the names in the shader. */
function uniformsOf(g: ConvGeometry, pass: ConvPass, { rows, columns }: DepthwisePlan) {
  const inputs = [g.C, g.H, g.W] as const;
  const outputs = [g.O, g.P, g.Q] as const;
  const mirrored = pass === 'gradInput';
  const [channels, height, width] = mirrored ? inputs : outputs;
  const [sourceChannels, sourceHeight, sourceWidth] = mirrored ? outputs : inputs;
  return {
    ...{ N: g.N, channels, height, width, sourceChannels, sourceHeight, sourceWidth },
    ...{ down: Math.ceil(height / rows.tile), across: Math.ceil(width / columns.tile) },
    top: mirrored ? Math.floor(g.padH / g.strideH) : -g.padH,
    left: mirrored ? Math.floor(g.padW / g.strideW) : -g.padW,
    ...{ multiplier: g.O / g.C, hasBias: 0, slices: 1 },
  };
}

function gather(
  kind: Kind,
  pass: 'forward' | 'gradInput',
  g: ConvGeometry,
  source: Tensor,
  weight: Tensor,
  bias: Tensor | null,
  output: Tensor,
): void {
  const { gpu } = source;
  const { plan, code } = kernelFor(gpu, kind, g, pass);
  const uniforms = { ...uniformsOf(g, pass, plan), hasBias: bias ? 1 : 0 };
  const { N, channels, down, across } = uniforms;
  const groups = plan.byTile
    ? linearGroups(N * channels * down * across, plan.lanes)
    : ([Math.ceil(channels / plan.lanes) * across, down, N] as const);
  dispatch(gpu, code!, { source, weight, bias: bias ?? weight, output }, uniforms, groups);
}

const kindOf = ({ description }: Gpu): Kind => (description.software ? 'processor' : 'gpu');

/** `kind`: what the kernels are laid out for. */
export const depthwiseFamily = (kind: (gpu: Gpu) => Kind = kindOf): ConvFamily => ({
  fits(gpu, g, pass) {
    if (g.groups !== g.C || g.groups === 1) return false;
    const { plan, code } = kernelFor(gpu, kind(gpu), g, pass);
    const groups = Math.ceil(g.O / plan.lanes) * Math.ceil(Math.max(g.W, g.Q) / COLUMNS);
    return code !== null && (plan.byTile || groups <= MOST_GROUPS);
  },
  forward(g, input, weight, bias, output) {
    gather(kind(input.gpu), 'forward', g, input, weight, bias, output);
  },
  gradInput(g, gradient, weight, bias, inputGradient) {
    gather(kind(weight.gpu), 'gradInput', g, gradient, weight, bias, inputGradient);
  },
  gradWeight(g, input, gradient) {
    const { gpu } = input;
    const { plan, code } = kernelFor(gpu, kind(gpu), g, 'gradWeight');
    const uniforms = uniformsOf(g, 'gradWeight', plan);
    const { N, channels, down, across } = uniforms;
    const wanted = Math.max(BUSY_THREADS[kind(gpu)] / channels, (N * g.P * g.Q) / LONGEST_SLICE);
    const slices = Math.min(Math.ceil(wanted), N * down * across, MOST_GROUPS);
    const shape = [g.O, 1, g.R, g.S];
    const partial = empty(gpu, 'OCRSZ', [...shape, slices], 'conv2d gradient of weight');
    const groups = plan.byTile
      ? linearGroups(channels * slices, plan.lanes)
      : ([Math.ceil(channels / plan.lanes), slices] as const);
    const bindings = { source: input, gradient, partial };
    dispatch(gpu, code!, bindings, { ...uniforms, slices }, groups);
    const weight = slices === 1 ? partial.view('OCRS', shape) : sum(partial, 'Z');
    partial.release();
    return { weight: weight as Tensor<'OCRS'>, bias: () => sum(gradient as Tensor<'NCHW'>, 'NHW') };
  },
});
