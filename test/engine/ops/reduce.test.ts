import { describe, expect, it } from 'vitest';
import { max, mean, parameter, type Shape, sum, type Tensor, upload } from '../../../src/engine/index.ts';
import * as reference from '../../../src/reference/reduce.ts';
import { draw, drawDistinct, sizeOf, values } from '../../../src/reference/values.ts';
import { testGpu } from '../../support/gpu.ts';
import { checkOperation } from '../../support/grad-check.ts';

const operations = { sum, mean, max };
const references = { sum: reference.sum, mean: reference.mean, max: reference.max };
const names = ['sum', 'mean', 'max'] as const;

/** Axes, shape, what is reduced. */
const cases: [string, Shape, string][] = [
  ['N', [1], 'N'],
  ['N', [31], 'N'], // the longest that one thread adds
  ['N', [32], 'N'],
  ['N', [65], 'N'],
  ['N', [4096], 'N'], // one slice
  ['N', [4097], 'N'], // two slices
  ['N', [131_077], 'N'], // more slices than one thread adds
  ['NC', [3, 4099], 'C'],
  ['NC', [4099, 3], 'N'],
  ['NCHW', [2, 3, 5, 7], 'HW'],
  ['NCHW', [2, 3, 5, 7], 'NHW'],
  ['NCHW', [2, 3, 5, 7], 'C'],
  ['NCHW', [2, 3, 5, 7], 'NW'],
  ['NCHW', [2, 3, 5, 7], 'CH'],
  ['NCHW', [2, 3, 5, 7], 'NCHW'],
  ['NCHW', [3, 17, 1, 1], 'HW'],
  ['NCHW', [1, 9, 65, 65], 'NHW'],
  ['NCHW', [3, 2, 41, 53], 'NHW'],
];

/** Elements of both signs nearly cancel, so the error is measured by how many they are. */
const ofSum = (shape: Shape) => ({
  absolute: 1e-6 + 1e-9 * sizeOf(shape),
  relative: 1e-5,
});

describe.each(names)('%s', (name) => {
  it.each(cases)('of %s %j over %s', (axes, shape, letters) =>
    checkOperation(
      { x: drawDistinct(axes, shape) },
      ({ x }) => operations[name](x, letters),
      ({ x }) => references[name](x, letters),
      name === 'max'
        ? { gradients: ({ x }, upstream) => ({ x: reference.maxGradient(x, upstream, letters) }) }
        : { tolerance: ofSum(shape), ...(sizeOf(shape) > 10_000 && { directions: 1, elements: 1 }) },
    ),
  );

  it('takes all axes unless told', () =>
    checkOperation(
      { x: drawDistinct('NC', [3, 7]) },
      ({ x }) => operations[name](x),
      ({ x }) => references[name](x),
    ));
});

it('max shares the gradient among ties', () =>
  checkOperation(
    { x: values('NC', [2, 5], [3, 1, 3, 3, 0, -1, -2, -1, -7, -1]) },
    ({ x }) => max(x, 'C'),
    ({ x }) => reference.max(x, 'C'),
    { gradients: ({ x }, upstream) => ({ x: reference.maxGradient(x, upstream, 'C') }) },
  ));

it('max of negative numbers is negative, in every path', async () => {
  for (const size of [5, 100, 5000])
    await checkOperation(
      { x: draw('N', [size], { low: -9, high: -8 }) },
      ({ x }) => max(x),
      ({ x }) => reference.max(x),
      { gradients: ({ x }, upstream) => ({ x: reference.maxGradient(x, upstream) }) },
    );
});

it('sums more places than one row of workgroups holds', () =>
  checkOperation(
    { x: draw('NC', [65_539, 33]) },
    ({ x }) => sum(x, 'C'),
    ({ x }) => reference.sum(x, 'C'),
    {
      gradients: ({ x }, upstream) => ({ x: { ...x, data: x.data.map((_, i) => upstream.data[Math.floor(i / 33)]) } }),
    },
  ));

it('keeps the digits of a long sum of equal signs', async () => {
  // 0.1 added a million times, one by one in float32, would be off by a hundredth.
  const gpu = await testGpu();
  const size = 1_000_003;
  const { total } = await gpu.step(() => ({ total: sum(upload(gpu, 'N', [size], new Float32Array(size).fill(0.1))) }));
  expect(Math.abs(total / (size * Math.fround(0.1)) - 1)).toBeLessThan(1e-6);
});

it('refuses an axis that is not there, and a largest of nothing', async () => {
  const gpu = await testGpu();
  const x = parameter(gpu, 'NC', [2, 3], new Float32Array(6), 'logits');
  const none = upload(gpu, 'N', [0], new Float32Array(0), 'none');
  await expect(async () => gpu.step(() => sum(x as Tensor, 'H'))).rejects.toThrow(
    /sum: there is no axis H to reduce over\.\n {2}input N=2 C=3 {3}\(logits\)/,
  );
  await expect(async () => gpu.step(() => max(none))).rejects.toThrow('there is no largest of no elements');
  x.release();
  none.release();
});
