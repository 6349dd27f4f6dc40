/** More rows than workgroups fit along one axis of a dispatch (65,535): values of the first, a middle and the last row are those of few rows. */
import { describe, expect, it } from 'vitest';
import * as engine from '../../../src/engine/index.ts';
import { type Gpu, type Scalar, type Tensor, upload } from '../../../src/engine/index.ts';
import { testGpu } from '../../support/gpu.ts';

const ROWS = 65_535 * 2 + 3;
/** Rows repeat after so many, so that a reference needs only these. */
const PERIOD = 97;

const valueAt = (row: number, i: number) => Math.fround((((row % PERIOD) * 31 + i * 17) % 23) / 7 - 1.5);
function rowsOf(count: number, length: number): Float32Array {
  return Float32Array.from({ length: count * length }, (_, k) => valueAt(Math.floor(k / length), k % length));
}

/** An operation on N rows of `length` elements; each row's result and gradient depend on that row alone. */
type Build = (gpu: Gpu, input: Tensor, rows: number) => Tensor;

async function run(build: Build, axes: string, rowShape: readonly number[], rows: number) {
  const gpu = await testGpu();
  const length = rowShape.reduce((a, b) => a * b, 1);
  const shape = axes === 'CHW' ? [1, rows, ...rowShape] : [rows, ...rowShape];
  const letters = axes === 'CHW' ? 'NCHW' : axes;
  const x = engine.parameter(gpu, letters, shape, rowsOf(rows, length), 'x');
  try {
    const found = await gpu.step(() => {
      const output = build(gpu, x, rows).keep();
      const upstream = upload(gpu, output.axes, output.shape, rowsOf(rows, output.size / rows));
      engine.backward(engine.sum(engine.multiply(output, upstream)) as Scalar);
      return { output, gradient: x.gradient! };
    });
    return { output: found.output as Float32Array, gradient: found.gradient as Float32Array };
  } finally {
    x.release();
  }
}

async function check(build: Build, axes: string, rowShape: readonly number[]): Promise<void> {
  const few = await run(build, axes, rowShape, PERIOD);
  const many = await run(build, axes, rowShape, ROWS);
  for (const what of ['output', 'gradient'] as const) {
    const length = few[what].length / PERIOD;
    expect(many[what].length).toBe(ROWS * length);
    const differing = many[what].findIndex((value, k) => {
      const row = Math.floor(k / length);
      return !Object.is(value, few[what][(row % PERIOD) * length + (k % length)]);
    });
    expect(differing, `${what}, first element that differs`).toBe(-1);
  }
}

const image = (x: Tensor) => x as Tensor<'NCHW'>;
const perRow: [string, Build, string, readonly number[]][] = [
  ['softmax', (_, x) => engine.softmax(x, 'C'), 'NC', [3]],
  ['logSoftmax', (_, x) => engine.logSoftmax(x, 'C'), 'NC', [2]],
  ['maxPool2d', (_, x) => engine.maxPool2d(image(x), { size: 2 }), 'NCHW', [1, 2, 2]],
  ['maxPool2d that overlaps', (_, x) => engine.maxPool2d(image(x), { size: 2, stride: 1 }), 'NCHW', [1, 2, 3]],
  ['averagePool2d', (_, x) => engine.averagePool2d(image(x), { size: 2 }), 'NCHW', [1, 2, 2]],
  ['maxPool2d of many channels', (_, x) => engine.maxPool2d(image(x), { size: 2 }), 'CHW', [2, 2]],
  ['upsample2x', (_, x) => engine.upsample2x(image(x)), 'NCHW', [1, 1, 2]],
  ['upsampleBilinear', (_, x) => engine.upsampleBilinear(image(x), [2, 3], 'half-pixel'), 'NCHW', [1, 1, 2]],
  ['upsampleNearest of many channels', (_, x) => engine.upsampleNearest(image(x), [1, 3]), 'CHW', [1, 2]],
  ['relu', (_, x) => engine.relu(x), 'NC', [2]],
  ['sum over the last axis', (_, x) => engine.sum(x, 'C'), 'NC', [3]],
  ['max over the last axis', (_, x) => engine.max(x, 'C'), 'NC', [3]],
  ['concat', (_, x) => engine.concat([x, x], 'C'), 'NC', [2]],
  ['slice', (_, x) => engine.slice(x, { C: [1, 3] }), 'NC', [3]],
  ['permute', (_, x) => engine.permute(engine.permute(x, 'CN'), 'NC'), 'NC', [2]],
  ['batchNorm in evaluation', evaluated, 'NCHW', [1, 1, 2]],
];

function evaluated(gpu: Gpu, x: Tensor): Tensor {
  const [, C] = x.shape;
  const values = (value: number, name: string) => upload(gpu, 'C', [C], new Float32Array(C).fill(value), name);
  return engine.batchNorm(
    {
      input: image(x),
      weight: values(2, 'weight'),
      bias: values(1, 'bias'),
      runningMean: values(0.5, 'mean'),
      runningVariance: values(4, 'variance'),
    },
    { training: false },
  );
}

describe('more rows than an axis has workgroups', () => {
  it.each(perRow)('%s', async (_, build, axes, rowShape) => check(build, axes, rowShape));
});

it('batchNorm in training gathers over all of them', async () => {
  const gpu = await testGpu();
  const x = engine.parameter(gpu, 'NCHW', [ROWS, 1, 1, 4], rowsOf(ROWS, 4), 'x');
  const ones = (value: number) => upload(gpu, 'C', [1], Float32Array.of(value));
  const found = await gpu.step(() => {
    const running = { runningMean: ones(0), runningVariance: ones(1) };
    const output = engine
      .batchNorm({ input: x, weight: ones(1), bias: ones(0), ...running }, { training: true })
      .keep();
    engine.backward(engine.sum(engine.square(output)) as Scalar);
    return { output, mean: running.runningMean };
  });
  const values = rowsOf(ROWS, 4);
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  const variance = values.reduce((a, b) => a + (b - mean) ** 2, 0) / values.length;
  expect((found.mean as Float32Array)[0]).toBeCloseTo(0.1 * mean, 5);
  const output = found.output as Float32Array;
  for (const k of [0, 4 * 65_535, 4 * 65_536 + 1, output.length - 1])
    expect(output[k]).toBeCloseTo((values[k] - mean) / Math.sqrt(variance + 1e-5), 4);
  x.release();
});

describe('crossEntropy', () => {
  const labelAt = (row: number) => (row * 7) % 3;
  it('takes more images than an axis has workgroups', async () => {
    const gpu = await testGpu();
    const x = engine.parameter(gpu, 'NC', [ROWS, 3], rowsOf(ROWS, 3), 'logits');
    const weights = [1, 2, 0.5];
    const labels = Uint32Array.from({ length: ROWS }, (_, n) => labelAt(n));
    const found = await gpu.step(() => {
      const loss = engine.crossEntropy(
        x as Tensor<'NC'>,
        upload(gpu, 'N', [ROWS], labels),
        upload(gpu, 'C', [3], weights),
      );
      engine.backward(loss);
      return { loss, gradient: x.gradient! };
    });
    let [total, weight] = [0, 0];
    const probabilities = (n: number) => {
      const powers = [0, 1, 2].map((c) => Math.exp(valueAt(n, c)));
      const sum = powers.reduce((a, b) => a + b, 0);
      return powers.map((power) => power / sum);
    };
    for (let n = 0; n < ROWS; n++) {
      const w = weights[labels[n]];
      total -= w * Math.log(probabilities(n)[labels[n]]);
      weight += w;
    }
    expect(found.loss as number).toBeCloseTo(total / weight, 5);
    const gradient = found.gradient as Float32Array;
    for (const n of [0, 65_535, 65_536, 131_070, ROWS - 1])
      for (let c = 0; c < 3; c++) {
        const expected = (weights[labels[n]] / weight) * (probabilities(n)[c] - (labels[n] === c ? 1 : 0));
        expect(gradient[3 * n + c] / expected).toBeCloseTo(1, 4);
      }
    x.release();
  });
});
