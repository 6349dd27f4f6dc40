/**
 * Every differentiable operation, on the device and in float64, and the points at which the two are compared.
 *
 * Inputs are multiples of 2^-12, which float32 holds exactly; they keep away from the kinks of relu, of maxima and of pooling.
 */
import * as engine from '../../engine/index.ts';
import { type Gpu, type Tensor, upload } from '../../engine/index.ts';
import type { RandomKey } from '../../engine/random.ts';
import { arithmetic, combine } from '../../reference/arithmetic.ts';
import { batchNorm } from '../../reference/batch-norm.ts';
import { concat } from '../../reference/concat.ts';
import { convTranspose2d } from '../../reference/conv-transpose2d.ts';
import { conv2d } from '../../reference/conv2d.ts';
import { bceWithLogits, crossEntropy } from '../../reference/cross-entropy.ts';
import { dropout } from '../../reference/dropout.ts';
import { elementwise } from '../../reference/elementwise.ts';
import { expand } from '../../reference/expand.ts';
import { klDivergence } from '../../reference/kl-divergence.ts';
import { linear, matmul } from '../../reference/matmul.ts';
import { permute } from '../../reference/permute.ts';
import { averagePool2d, maxPool2d } from '../../reference/pool.ts';
import { max, mean, sum } from '../../reference/reduce.ts';
import { pad, slice } from '../../reference/slice.ts';
import { logSoftmax, softmax } from '../../reference/softmax.ts';
import { upsample } from '../../reference/upsample.ts';
import { map, type Values, values } from '../../reference/values.ts';

type Shape = readonly number[];
/** Where an input's values lie: around 0, above 0, away from 0, or all different by at least 1/4. */
export type Range = 'any' | 'positive' | 'off-zero' | 'apart';
export interface Input {
  readonly axes: string;
  readonly shape: Shape;
  readonly range?: Range;
}
// The rows of the table have tensors of all axes; each operation checks its own.
// biome-ignore lint/suspicious/noExplicitAny: see above
type Any = any;
export interface Operation {
  readonly inputs: Readonly<Record<string, Input>>;
  readonly statement: string;
  readonly device: (tensors: Any, gpu: Gpu) => Tensor;
  readonly reference: (inputs: Any) => Values;
}

const image = (shape: Shape = [2, 3, 4, 4], range?: Range): Input => ({ axes: 'NCHW', shape, range });
const one = (
  statement: string,
  device: (x: Tensor<'NCHW'>) => Tensor,
  reference: (x: Values<'NCHW'>) => Values,
  range?: Range,
): Operation => ({
  inputs: { x: image([2, 2, 3, 3], range) },
  statement,
  device: ({ x }) => device(x),
  reference: ({ x }) => reference(x),
});
/** An operation on each number by itself. */
const each = (
  statement: string,
  device: (x: Tensor<'NCHW'>) => Tensor,
  reference: (x: number) => number,
  range?: Range,
) => one(statement, device, (x) => map(x, reference), range);
/** An operation on two numbers; b is repeated along the axes that it lacks. */
const two = (
  statement: string,
  device: (a: Tensor<'NCHW'>, b: Tensor<'C'>) => Tensor,
  reference: (a: number, b: number) => number,
  range?: Range,
): Operation => ({
  inputs: { a: image([2, 2, 3, 3], range), b: { axes: 'C', shape: [2], range } },
  statement,
  device: ({ a, b }) => device(a, b),
  reference: ({ a, b }) => combine(a, b, reference),
});

const DROPOUT_KEY: RandomKey = [1, 2];
const LABELS = [0, 2, 1, 1];
const TARGETS = Array.from({ length: 12 }, (_, i) => (i % 3) / 2);
/** Twice a map with sum 1, in which 0 occurs; float32 numbers. */
const MAPS = Float32Array.from({ length: 18 }, (_, i) => (i % 9) / 36);

/** By the name under which the engine exports the operation. */
export const operations: Readonly<Record<string, Operation>> = {
  add: two('a + b', engine.add, arithmetic.add),
  subtract: two('a - b', engine.subtract, arithmetic.subtract),
  multiply: two('a b', engine.multiply, arithmetic.multiply),
  divide: two('a / b', engine.divide, arithmetic.divide, 'positive'),
  minimum: two('min(a, b), off ties', engine.minimum, arithmetic.minimum, 'apart'),
  maximum: two('max(a, b), off ties', engine.maximum, arithmetic.maximum, 'apart'),
  relu: each('max(x, 0), off 0', engine.relu, elementwise.relu, 'off-zero'),
  silu: each('x sigmoid(x)', engine.silu, elementwise.silu),
  sigmoid: each('1 / (1 + e^-x)', engine.sigmoid, elementwise.sigmoid),
  exp: each('e^x', engine.exp, elementwise.exp),
  log: each('ln x', engine.log, elementwise.log, 'positive'),
  softplus: each('ln(1 + e^x)', engine.softplus, elementwise.softplus),
  square: each('x^2', engine.square, elementwise.square),
  sqrt: each('x^(1/2)', engine.sqrt, elementwise.sqrt, 'positive'),
  reciprocal: each('1 / x', engine.reciprocal, elementwise.reciprocal, 'positive'),
  scale: each(
    '3 x',
    (x) => engine.scale(x, 3),
    (x) => 3 * x,
  ),
  shift: each(
    'x + 3',
    (x) => engine.shift(x, 3),
    (x) => x + 3,
  ),
  within: each(
    'x, NaN beyond 9',
    (x) => engine.within(x, 9),
    (x) => x,
  ),
  factorWithin: each(
    'x, NaN outside 1/99 to 99',
    (x) => engine.factorWithin(x, 99),
    (x) => x,
    'positive',
  ),
  sum: one(
    'sum over H W',
    (x) => engine.sum(x, 'HW'),
    (x) => sum(x, 'HW'),
  ),
  mean: one(
    'mean over N H W',
    (x) => engine.mean(x, 'NHW'),
    (x) => mean(x, 'NHW'),
  ),
  max: one(
    'max over H W, off ties',
    (x) => engine.max(x, 'HW'),
    (x) => max(x, 'HW'),
    'apart',
  ),
  softmax: one(
    'e^x / sum e^x',
    (x) => engine.softmax(x, 'HW'),
    (x) => softmax(x, 'HW'),
  ),
  logSoftmax: one(
    'x - ln sum e^x',
    (x) => engine.logSoftmax(x, 'HW'),
    (x) => logSoftmax(x, 'HW'),
  ),
  expand: {
    inputs: { x: { axes: 'C', shape: [3] } },
    statement: 'repetition along new axes',
    device: ({ x }) => engine.expand(x, 'NCHW', [2, 3, 2, 2]),
    reference: ({ x }) => expand(x, 'NCHW', [2, 3, 2, 2]),
  },
  permute: one(
    'axes in another order',
    (x) => engine.permute(x, 'HWNC'),
    (x) => permute(x, 'HWNC'),
  ),
  slice: one(
    'a part',
    (x) => engine.slice(x, { H: [1, 3] }),
    (x) => slice(x, { H: [1, 3] }),
  ),
  pad: one(
    'a margin',
    (x) => engine.pad(x, { H: [1, 0], W: [0, 2] }),
    (x) => pad(x, { H: [1, 0], W: [0, 2] }),
  ),
  concat: {
    inputs: { a: image([2, 1, 3, 3]), b: image([2, 2, 3, 3]) },
    statement: 'one after the other along C',
    device: ({ a, b }) => engine.concat([a, b], 'C'),
    reference: ({ a, b }) => concat([a, b], 'C'),
  },
  matmul: {
    inputs: { a: { axes: 'BIK', shape: [2, 3, 4] }, b: { axes: 'BKJ', shape: [2, 4, 5] } },
    statement: 'sum_k a_ik b_kj',
    device: ({ a, b }) => engine.matmul(a, b),
    reference: ({ a, b }) => matmul(a, b),
  },
  linear: {
    inputs: {
      x: { axes: 'NC', shape: [3, 4] },
      weight: { axes: 'OC', shape: [5, 4] },
      bias: { axes: 'C', shape: [5] },
    },
    statement: 'W x + b',
    device: ({ x, weight, bias }) => engine.linear(x, weight, bias),
    reference: ({ x, weight, bias }) => linear({ input: x, weight, bias }),
  },
  conv2d: {
    inputs: { x: image([2, 3, 5, 5]), weight: { axes: 'OCRS', shape: [4, 3, 3, 3] }, bias: { axes: 'C', shape: [4] } },
    statement: '3 x 3 convolution with a margin',
    device: ({ x, weight, bias }) => engine.conv2d(x, weight, bias, { padding: 1 }),
    reference: ({ x, weight, bias }) => conv2d({ input: x, weight, bias }, { padding: 1 }),
  },
  convTranspose2d: {
    inputs: { x: image([2, 3, 3, 3]), weight: { axes: 'CORS', shape: [3, 2, 2, 2] }, bias: { axes: 'C', shape: [2] } },
    statement: 'transposed 2 x 2 convolution, stride 2',
    device: ({ x, weight, bias }) => engine.convTranspose2d(x, weight, bias, { stride: 2 }),
    reference: ({ x, weight, bias }) => convTranspose2d({ input: x, weight, bias }, { stride: 2 }),
  },
  batchNorm: {
    inputs: { input: image(), weight: { axes: 'C', shape: [3], range: 'positive' }, bias: { axes: 'C', shape: [3] } },
    statement: '(x - mean) / (variance + epsilon)^(1/2) weight + bias, statistics of the batch',
    device: (inputs, gpu) => {
      const statistics = (value: number) => upload(gpu, 'C', [3], new Float32Array(3).fill(value));
      const running = { runningMean: statistics(0), runningVariance: statistics(1) };
      return engine.batchNorm({ ...inputs, ...running }, { training: true });
    },
    reference: (inputs) => {
      const running = { runningMean: values('C', [3], [0, 0, 0]), runningVariance: values('C', [3], [1, 1, 1]) };
      return batchNorm({ ...inputs, ...running }, { training: true }).output;
    },
  },
  dropout: one(
    'x mask / (1 - rate), one mask',
    (x) => engine.dropout(x, 0.25, { key: DROPOUT_KEY, index: 3 }),
    (x) => dropout(x, 0.25, DROPOUT_KEY, 3),
  ),
  maxPool2d: {
    inputs: { x: image([2, 2, 4, 4], 'apart') },
    statement: 'largest of 2 x 2, off ties',
    device: ({ x }) => engine.maxPool2d(x, { size: 2 }),
    reference: ({ x }) => maxPool2d(x, { size: 2 }),
  },
  averagePool2d: {
    inputs: { x: image([2, 2, 4, 4]) },
    statement: 'mean of 2 x 2',
    device: ({ x }) => engine.averagePool2d(x, { size: 2 }),
    reference: ({ x }) => averagePool2d(x, { size: 2 }),
  },
  upsample2x: one('each pixel 2 x 2 times', engine.upsample2x, (x) =>
    upsample(x, [2 * x.shape[2], 2 * x.shape[3]], 'nearest'),
  ),
  upsampleNearest: one(
    'nearest pixel, 3 x 3 to 5 x 7',
    (x) => engine.upsampleNearest(x, [5, 7]),
    (x) => upsample(x, [5, 7], 'nearest'),
  ),
  upsampleBilinear: one(
    'bilinear, 3 x 3 to 5 x 7',
    (x) => engine.upsampleBilinear(x, [5, 7], 'half-pixel'),
    (x) => upsample(x, [5, 7], 'half-pixel'),
  ),
  crossEntropy: {
    inputs: { logits: { axes: 'NC', shape: [4, 3] } },
    statement: 'mean of ln sum e^z - z_label (Eq. 3)',
    device: ({ logits }, gpu) => engine.crossEntropy(logits, upload(gpu, 'N', [4], Uint32Array.from(LABELS))),
    reference: ({ logits }) => crossEntropy(logits, LABELS),
  },
  bceWithLogits: {
    inputs: { logits: { axes: 'NC', shape: [4, 3] } },
    statement: 'mean of ln(1 + e^z) - y z',
    device: ({ logits }, gpu) => engine.bceWithLogits(logits, upload(gpu, 'NC', [4, 3], TARGETS)),
    reference: ({ logits }) => bceWithLogits(logits, values('NC', [4, 3], TARGETS)),
  },
  klDivergence: {
    inputs: { logits: { axes: 'NHW', shape: [2, 3, 3] } },
    statement: 'sum q (ln q - ln p), batch mean, p = softmax(z) (Eq. 2)',
    device: ({ logits }, gpu) =>
      engine.klDivergence(engine.logSoftmax(logits, 'HW'), upload(gpu, 'NHW', [2, 3, 3], MAPS)),
    reference: ({ logits }) => klDivergence(logSoftmax(logits, 'HW'), values('NHW', [2, 3, 3], MAPS)),
  },
};
