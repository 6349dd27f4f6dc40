/** Any convolution, one thread an element (shaders/conv2d.wgsl): the witness of the faster kernels. */
import shaders from '../../shaders/sources.ts';
import { dispatch, kernel, linearGroups } from '../kernel.ts';
import { empty, type Tensor } from '../tensor.ts';
import type { ConvFamily } from './conv2d-geometry.ts';
import { sum } from './reduce.ts';

const forward = kernel(shaders.conv2d, 'forward');
const gradInput = kernel(shaders.conv2d, 'gradInput');
const gradWeight = kernel(shaders.conv2d, 'gradWeight');

/** Threads that keep a device busy; a weight gradient is cut into slices until it has about this many. */
const BUSY_THREADS = 4096;

export const plain: ConvFamily = {
  fits: () => true,
  forward(g, input, weight, bias, output) {
    const uniforms = { ...g, hasBias: bias ? 1 : 0, slices: 1 };
    const groups = [Math.ceil((g.P * g.Q) / 64), g.O, g.N] as const;
    dispatch(input.gpu, forward, { input, weight, bias: bias ?? weight, output }, uniforms, groups);
  },
  gradInput(g, gradient, weight, bias, inputGradient) {
    const uniforms = { ...g, hasBias: bias ? 1 : 0, slices: 1 };
    const groups = [Math.ceil((g.H * g.W) / 64), g.C, g.N] as const;
    dispatch(gradient.gpu, gradInput, { gradient, weight, bias: bias ?? weight, inputGradient }, uniforms, groups);
  },
  gradWeight(g, input, gradient) {
    const { gpu } = input;
    const shape = [g.O, g.C / g.groups, g.R, g.S];
    const count = shape.reduce((product, length) => product * length, 1);
    const slices = Math.max(1, Math.min(Math.floor(BUSY_THREADS / count), g.N * g.P));
    const partial = empty(gpu, 'OCRSZ', [...shape, slices], 'conv2d gradient of weight');
    const groups = [...linearGroups(count, 64), slices] as const;
    dispatch(gpu, gradWeight, { input, gradient, weightGradient: partial }, { ...g, hasBias: 0, slices }, groups);
    const weight = slices === 1 ? partial.view('OCRS', shape) : (sum(partial, 'Z') as Tensor<'OCRS'>);
    partial.release();
    return { weight: weight as Tensor<'OCRS'>, bias: () => sum(gradient as Tensor<'NCHW'>, 'NHW') };
  },
};
