/**
 * Every differentiable operation: sum_i g_i d_i from reverse mode against differences of the outputs along the same direction d,
 *
 *     f(t) = sum_j u_j y_j(x + t d),   d_i = +-1 at random, so that one wrong element of any gradient changes the sum.
 *
 * The outputs are float32 numbers of the device, the sums and differences float64. Inputs are multiples of 2^-12 and the step is 2^-5, so x + t d is
 * exact; they keep away from the kinks of relu, of maxima and of pooling. (test/engine holds each operation to a float64 reference as well.)
 */
import * as engine from '../../engine/index.ts';
import { type Gpu, gradients, parameter, type Tensor, upload } from '../../engine/index.ts';
import { deriveKey, permutation, uint32At, uniformAt } from '../../engine/random.ts';
import { type CheckRow, rowOf, type Sample, slopeAt0 } from './row.ts';

const STEP = 2 ** -5;
const TOLERANCE = 1e-4;

type Shape = readonly number[];
/** Where an input's values lie: around 0, above 0, away from 0, or all different by at least 1/4. */
type Range = 'any' | 'positive' | 'off-zero' | 'apart';
interface Input {
  readonly axes: string;
  readonly shape: Shape;
  readonly range?: Range;
}
interface Operation {
  readonly inputs: Readonly<Record<string, Input>>;
  readonly statement: string;
  // biome-ignore lint/suspicious/noExplicitAny: the table's rows have tensors of all axes, which each operation checks by itself
  readonly call: (tensors: any, gpu: Gpu) => Tensor;
}

const image = (shape: Shape = [2, 3, 4, 4], range?: Range): Input => ({ axes: 'NCHW', shape, range });
const one = (statement: string, call: Operation['call'], range?: Range): Operation => ({
  inputs: { x: image([2, 2, 3, 3], range) },
  statement,
  call,
});
const two = (statement: string, call: Operation['call'], range?: Range): Operation => ({
  inputs: { a: image([2, 2, 3, 3], range), b: { axes: 'C', shape: [2], range } },
  statement,
  call,
});

/** By the name under which the engine exports the operation. */
export const operations: Readonly<Record<string, Operation>> = {
  add: two('a + b', ({ a, b }) => engine.add(a, b)),
  subtract: two('a - b', ({ a, b }) => engine.subtract(a, b)),
  multiply: two('a b', ({ a, b }) => engine.multiply(a, b)),
  divide: two('a / b', ({ a, b }) => engine.divide(a, b), 'positive'),
  minimum: two('min(a, b), off ties', ({ a, b }) => engine.minimum(a, b), 'apart'),
  maximum: two('max(a, b), off ties', ({ a, b }) => engine.maximum(a, b), 'apart'),
  relu: one('max(x, 0), off 0', ({ x }) => engine.relu(x), 'off-zero'),
  silu: one('x sigmoid(x)', ({ x }) => engine.silu(x)),
  sigmoid: one('1 / (1 + e^-x)', ({ x }) => engine.sigmoid(x)),
  exp: one('e^x', ({ x }) => engine.exp(x)),
  log: one('ln x', ({ x }) => engine.log(x), 'positive'),
  softplus: one('ln(1 + e^x)', ({ x }) => engine.softplus(x)),
  square: one('x^2', ({ x }) => engine.square(x)),
  sqrt: one('x^(1/2)', ({ x }) => engine.sqrt(x), 'positive'),
  reciprocal: one('1 / x', ({ x }) => engine.reciprocal(x), 'positive'),
  scale: one('3 x', ({ x }) => engine.scale(x, 3)),
  shift: one('x + 3', ({ x }) => engine.shift(x, 3)),
  sum: one('sum over H W', ({ x }) => engine.sum(x, 'HW')),
  mean: one('mean over N H W', ({ x }) => engine.mean(x, 'NHW')),
  max: one('max over H W, off ties', ({ x }) => engine.max(x, 'HW'), 'apart'),
  softmax: one('e^x / sum e^x', ({ x }) => engine.softmax(x, 'HW')),
  logSoftmax: one('x - ln sum e^x', ({ x }) => engine.logSoftmax(x, 'HW')),
  expand: {
    inputs: { x: { axes: 'C', shape: [3] } },
    statement: 'repetition along new axes',
    call: ({ x }) => engine.expand(x, 'NCHW', [2, 3, 2, 2]),
  },
  permute: one('axes in another order', ({ x }) => engine.permute(x, 'HWNC')),
  slice: one('a part', ({ x }) => engine.slice(x, { H: [1, 3] })),
  pad: one('a margin', ({ x }) => engine.pad(x, { H: [1, 0], W: [0, 2] })),
  concat: {
    inputs: { a: image([2, 1, 3, 3]), b: image([2, 2, 3, 3]) },
    statement: 'one after the other along C',
    call: ({ a, b }) => engine.concat([a, b], 'C'),
  },
  matmul: {
    inputs: { a: { axes: 'BIK', shape: [2, 3, 4] }, b: { axes: 'BKJ', shape: [2, 4, 5] } },
    statement: 'sum_k a_ik b_kj',
    call: ({ a, b }) => engine.matmul(a, b),
  },
  linear: {
    inputs: {
      x: { axes: 'NC', shape: [3, 4] },
      weight: { axes: 'OC', shape: [5, 4] },
      bias: { axes: 'C', shape: [5] },
    },
    statement: 'W x + b',
    call: ({ x, weight, bias }) => engine.linear(x, weight, bias),
  },
  conv2d: {
    inputs: { x: image([2, 3, 5, 5]), weight: { axes: 'OCRS', shape: [4, 3, 3, 3] }, bias: { axes: 'C', shape: [4] } },
    statement: '3 x 3 convolution with a margin',
    call: ({ x, weight, bias }) => engine.conv2d(x, weight, bias, { padding: 1 }),
  },
  convTranspose2d: {
    inputs: { x: image([2, 3, 3, 3]), weight: { axes: 'CORS', shape: [3, 2, 2, 2] }, bias: { axes: 'C', shape: [2] } },
    statement: 'transposed 2 x 2 convolution, stride 2',
    call: ({ x, weight, bias }) => engine.convTranspose2d(x, weight, bias, { stride: 2 }),
  },
  batchNorm: {
    inputs: { input: image(), weight: { axes: 'C', shape: [3], range: 'positive' }, bias: { axes: 'C', shape: [3] } },
    statement: '(x - mean) / (variance + epsilon)^(1/2) weight + bias, statistics of the batch',
    call: ({ input, weight, bias }, gpu) => {
      const statistics = (value: number) => upload(gpu, 'C', [3], new Float32Array(3).fill(value));
      const running = { runningMean: statistics(0), runningVariance: statistics(1) };
      return engine.batchNorm({ input, weight, bias, ...running }, { training: true });
    },
  },
  dropout: one('x mask / (1 - rate), one mask', ({ x }) => engine.dropout(x, 0.25, { key: [1, 2], index: 3 })),
  maxPool2d: {
    inputs: { x: image([2, 2, 4, 4], 'apart') },
    statement: 'largest of 2 x 2, off ties',
    call: ({ x }) => engine.maxPool2d(x, { size: 2 }),
  },
  averagePool2d: {
    inputs: { x: image([2, 2, 4, 4]) },
    statement: 'mean of 2 x 2',
    call: ({ x }) => engine.averagePool2d(x, { size: 2 }),
  },
  upsample2x: one('each pixel 2 x 2 times', ({ x }) => engine.upsample2x(x)),
  upsampleNearest: one('nearest pixel, 3 x 3 to 5 x 7', ({ x }) => engine.upsampleNearest(x, [5, 7])),
  upsampleBilinear: one('bilinear, 3 x 3 to 5 x 7', ({ x }) => engine.upsampleBilinear(x, [5, 7], 'half-pixel')),
  crossEntropy: {
    inputs: { logits: { axes: 'NC', shape: [4, 3] } },
    statement: 'mean of ln sum e^z - z_label (Eq. 3)',
    call: ({ logits }, gpu) => engine.crossEntropy(logits, upload(gpu, 'N', [4], Uint32Array.of(0, 2, 1, 1))),
  },
  bceWithLogits: {
    inputs: { logits: { axes: 'NC', shape: [4, 3] } },
    statement: 'mean of ln(1 + e^z) - y z',
    call: ({ logits }, gpu) => {
      const targets = Float32Array.from({ length: 12 }, (_, i) => (i % 3) / 2);
      return engine.bceWithLogits(logits, upload(gpu, 'NC', [4, 3], targets));
    },
  },
  klDivergence: {
    inputs: { logits: { axes: 'NHW', shape: [2, 3, 3] } },
    statement: 'sum q (ln q - ln p), batch mean, p = softmax(z) (Eq. 2)',
    call: ({ logits }, gpu) => {
      const q = Float32Array.from({ length: 18 }, (_, i) => (i % 9) / 36);
      return engine.klDivergence(engine.logSoftmax(logits, 'HW'), upload(gpu, 'NHW', [2, 3, 3], q));
    },
  },
};

export async function operationRows(gpu: Gpu, samples: number): Promise<CheckRow[]> {
  const rows: CheckRow[] = [];
  for (const [name, operation] of Object.entries(operations)) {
    const got: Sample[] = [];
    for (let i = 0; i < samples; i++) got.push(await sampleOf(gpu, name, operation, i));
    const what = {
      group: 'operation',
      name,
      statement: operation.statement,
      tolerance: TOLERANCE,
      method: 'device',
    } as const;
    rows.push(rowOf(what, got));
  }
  return rows;
}

const sizeOf = (shape: Shape) => shape.reduce((product, length) => product * length, 1);

function valuesOf(name: string, { shape, range = 'any' }: Input): Float32Array {
  const size = sizeOf(shape);
  const key = deriveKey(7, `gradcheck ${name}`);
  const grid = (value: number) => Math.round(value * 4096) / 4096;
  const order = permutation(size, key);
  return Float32Array.from({ length: size }, (_, i) => {
    const u = uniformAt(key, i + size);
    if (range === 'positive') return grid(0.5 + u);
    if (range === 'off-zero') return grid((0.25 + u) * (uint32At(key, i, 1) & 1 ? 1 : -1));
    // The input named b falls between the places of the one named a.
    if (range === 'apart') return order[i] / 4 - size / 8 + (name.endsWith('.b') ? 1 / 8 : 0);
    return grid(2 * u - 1);
  });
}

async function sampleOf(gpu: Gpu, name: string, { inputs, call }: Operation, i: number): Promise<Sample> {
  const at = Object.entries(inputs).map(([role, input]) => {
    const key = deriveKey(i, `gradcheck direction ${name}.${role}`);
    const x = valuesOf(`${name} ${i}.${role}`, input);
    return { role, input, x, d: x.map((_, k) => (uint32At(key, k) & 1 ? 1 : -1)) };
  });
  const upstreamOf = (size: number) =>
    Float32Array.from({ length: size }, (_, k) => uniformAt(deriveKey(i, `upstream ${name}`), k) * 2 - 1);
  const evaluate = async (t: number) => {
    const output = await gpu.step(
      () =>
        call(
          Object.fromEntries(
            at.map(({ role, input, x, d }) => [
              role,
              upload(
                gpu,
                input.axes,
                input.shape,
                x.map((v, k) => v + t * d[k]),
                role,
              ),
            ]),
          ),
          gpu,
        ) as Tensor<'C'>,
    );
    const values = typeof output === 'number' ? [output as number] : Array.from(output);
    const u = upstreamOf(values.length);
    return values.reduce((total, value, k) => total + value * u[k], 0);
  };
  const points = new Map<number, number>();
  for (const t of [-2, -1, 1, 2]) points.set(t * STEP, await evaluate(t * STEP));
  const parameters = at.map(({ role, input, x }) => parameter(gpu, input.axes, input.shape, x, role));
  const found = await gpu.step(() => {
    const output = call(Object.fromEntries(at.map(({ role }, k) => [role, parameters[k]])), gpu);
    const upstream = upload(gpu, output.axes, output.shape, upstreamOf(sizeOf(output.shape)), 'upstream');
    return gradients(output, parameters, upstream) as Tensor<'C'>[];
  });
  for (const tensor of parameters) tensor.release();
  const products = found.flatMap((gradient, k) => Array.from(gradient, (g, j) => g * at[k].d[j]));
  return {
    difference: slopeAt0((t) => points.get(t)!, STEP),
    autograd: products.reduce((total, value) => total + value, 0),
    scale: Math.max(1, Math.sqrt(products.reduce((total, value) => total + value * value, 0))),
  };
}
