/** Operations at inputs that the table of the gradient check has no room for: many rows, long sums, windows and strides. */
import * as engine from '../engine/index.ts';
import { type Input, type Operation, operations } from '../mtunet/gradcheck/operations.ts';
import { convTranspose2d } from '../reference/conv-transpose2d.ts';
import { conv2d } from '../reference/conv2d.ts';
import { crossEntropy } from '../reference/cross-entropy.ts';
import { klDivergence } from '../reference/kl-divergence.ts';
import { logSoftmax } from '../reference/softmax.ts';
import { values } from '../reference/values.ts';

/** `large`: inputs that take time. */
export type CheckedOperation = Operation & { readonly large?: readonly Readonly<Record<string, Input>>[] };

const labelsOf = (rows: number) => Uint32Array.from({ length: rows }, (_, i) => i % 3);
/** Maps with sum 1, in which 0 occurs. */
const mapsOf = (N: number, pixels: number) => {
  const total = Array.from({ length: pixels }, (_, i) => i % 5).reduce((sum, value) => sum + value, 0) || 1;
  return Float32Array.from({ length: N * pixels }, (_, i) => ((i % pixels) % 5) / total);
};

const crossEntropyOfMany: CheckedOperation = {
  inputs: { logits: { axes: 'NC', shape: [1, 3] } },
  large: [{ logits: { axes: 'NC', shape: [65537, 3] } }],
  statement: 'labels of many rows',
  device: ({ logits }, gpu) => {
    const [N] = logits.shape;
    return engine.crossEntropy(logits, engine.upload(gpu, 'N', [N], labelsOf(N)));
  },
  reference: ({ logits }) => crossEntropy(logits, [...labelsOf(logits.shape[0])]),
};

const klDivergenceOfLarge: CheckedOperation = {
  inputs: { logits: { axes: 'NHW', shape: [1, 1, 7] } },
  large: [{ logits: { axes: 'NHW', shape: [2, 211, 307] } }],
  statement: 'maps of many pixels',
  device: ({ logits }, gpu) => {
    const [N, H, W] = logits.shape;
    return engine.klDivergence(engine.logSoftmax(logits, 'HW'), engine.upload(gpu, 'NHW', [N, H, W], mapsOf(N, H * W)));
  },
  reference: ({ logits }) => {
    const [N, H, W] = logits.shape;
    return klDivergence(logSoftmax(logits, 'HW'), values('NHW', [N, H, W], mapsOf(N, H * W)));
  },
};

const image = (shape: readonly number[]): Input => ({ axes: 'NCHW', shape });
const kernel = (shape: readonly number[]): Input => ({ axes: 'OCRS', shape });

/** Convolutions of other windows, strides, dilations and groups; the families are compared one by one elsewhere. */
const convolution = (
  input: readonly number[],
  weight: readonly number[],
  options: engine.ConvOptions,
): CheckedOperation => ({
  inputs: { x: image(input), weight: kernel(weight), bias: { axes: 'C', shape: [weight[0]] } },
  statement: 'convolution',
  device: ({ x, weight, bias }) => engine.conv2d(x, weight, bias, options),
  reference: ({ x, weight, bias }) => conv2d({ input: x, weight, bias }, options),
});

/** With more inputs for what the table has. */
const withMore = (name: string, large: CheckedOperation['large']): CheckedOperation => ({ ...operations[name], large });

export const moreOperations: Readonly<Record<string, CheckedOperation>> = {
  matmul: withMore('matmul', [
    { a: { axes: 'BIK', shape: [1, 1, 1] }, b: { axes: 'BKJ', shape: [1, 1, 1] } },
    { a: { axes: 'BIK', shape: [1, 37, 1009] }, b: { axes: 'BKJ', shape: [1, 1009, 41] } },
    { a: { axes: 'BIK', shape: [1, 65537, 2] }, b: { axes: 'BKJ', shape: [1, 2, 1] } },
  ]),
  linear: withMore('linear', [
    {
      x: { axes: 'NC', shape: [7, 1009] },
      weight: { axes: 'OC', shape: [13, 1009] },
      bias: { axes: 'C', shape: [13] },
    },
  ]),
  'crossEntropy of many labels': crossEntropyOfMany,
  'klDivergence of large maps': klDivergenceOfLarge,
  'conv2d, 7 x 7, stride 2': convolution([1, 3, 15, 14], [5, 3, 7, 7], { stride: 2, padding: 3 }),
  'conv2d, 1 x 1': convolution([2, 9, 5, 7], [7, 9, 1, 1], {}),
  'conv2d, one pixel': convolution([1, 1, 1, 1], [1, 1, 1, 1], {}),
  'conv2d, stride 3 x 2': convolution([1, 2, 10, 9], [3, 2, 3, 3], { stride: [3, 2], padding: 1 }),
  'conv2d, dilation 2': convolution([1, 3, 9, 8], [4, 3, 3, 3], { padding: 2, dilation: 2 }),
  'conv2d, two groups': convolution([2, 6, 5, 7], [4, 3, 3, 3], { padding: 1, groups: 2 }),
  'conv2d, depthwise': convolution([2, 9, 11, 9], [9, 1, 3, 3], { padding: 1, groups: 9 }),
  'conv2d, primes': convolution([3, 17, 13, 11], [19, 17, 3, 3], { padding: 1 }),
  'convTranspose2d, 3 x 3': {
    inputs: { x: image([1, 5, 7, 5]), weight: { axes: 'CORS', shape: [5, 3, 3, 3] }, bias: { axes: 'C', shape: [3] } },
    statement: 'transposed convolution',
    device: ({ x, weight, bias }) => engine.convTranspose2d(x, weight, bias, { stride: 2, padding: 1 }),
    reference: ({ x, weight, bias }) => convTranspose2d({ input: x, weight, bias }, { stride: 2, padding: 1 }),
  },
};
