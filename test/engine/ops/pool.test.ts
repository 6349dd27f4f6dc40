import { describe, expect, it } from 'vitest';
import { averagePool2d, maxPool2d, type Shape, upload } from '../../../src/engine/index.ts';
import type { PoolOptions } from '../../../src/engine/ops/pool.ts';
import * as reference from '../../../src/reference/pool.ts';
import { drawDistinct, values } from '../../../src/reference/values.ts';
import { testGpu } from '../../support/gpu.ts';
import { checkOperation } from '../../support/grad-check.ts';

const cases: [what: string, input: Shape, options: PoolOptions][] = [
  ['one pixel', [1, 1, 1, 1], { size: 1 }],
  ['2 x 2', [2, 3, 6, 8], { size: 2 }],
  ['2 x 2, odd sides', [1, 5, 7, 9], { size: 2 }],
  ['2 x 2, above one workgroup', [1, 2, 34, 46], { size: 2 }],
  ['3 x 3 that overlap', [2, 3, 7, 9], { size: 3, stride: 2, padding: 1 }],
  ['3 x 3 at every pixel', [1, 2, 5, 6], { size: 3, stride: 1, padding: 1 }],
  ['windows with gaps', [1, 2, 11, 10], { size: 2, stride: 3 }],
  ['oblong windows', [2, 2, 7, 8], { size: [3, 2], stride: [1, 2], padding: [1, 0] }],
  ['5 x 5, the padding at its largest', [1, 2, 6, 5], { size: 5, stride: 2, padding: 2 }],
  ['the whole image', [2, 3, 5, 7], { size: [5, 7] }],
  ['an image above 4,096 pixels', [1, 1, 67, 65], { size: 3, stride: 2, padding: 1 }],
];

describe('maxPool2d', () => {
  it.each(cases)('of %s', async (_, shape, options) => {
    const x = drawDistinct('NCHW', shape);
    await checkOperation(
      { x },
      ({ x }) => maxPool2d(x, options),
      ({ x }) => reference.maxPool2d(x, options),
    );
    await checkOperation(
      { x },
      ({ x }) => maxPool2d(x, options),
      ({ x }) => reference.maxPool2d(x, options),
      { gradients: ({ x }, upstream) => ({ x: reference.maxPool2dGradient(x, upstream, options) }) },
    );
  });

  it('gives the gradient of a tie to the first in row-major order', () =>
    checkOperation(
      { x: values('NCHW', [1, 1, 4, 4], [1, 1, 0, 2, 1, 1, 2, 2, -1, -2, 0, 0, -2, -1, 0, 0]) },
      ({ x }) => maxPool2d(x, { size: 3, stride: 1, padding: 1 }),
      ({ x }) => reference.maxPool2d(x, { size: 3, stride: 1, padding: 1 }),
      {
        gradients: ({ x }, upstream) => ({
          x: reference.maxPool2dGradient(x, upstream, { size: 3, stride: 1, padding: 1 }),
        }),
      },
    ));

  it('pads with minus infinity, not with zeros', () =>
    checkOperation(
      { x: values('NCHW', [1, 1, 2, 2], [-4, -3, -2, -1]) },
      ({ x }) => maxPool2d(x, { size: 3, stride: 1, padding: 1 }),
      ({ x }) => reference.maxPool2d(x, { size: 3, stride: 1, padding: 1 }),
    ));
});

describe.each([true, false])('averagePool2d, countPadding %s', (countPadding) => {
  it.each(cases)('of %s', (_, shape, options) =>
    checkOperation(
      { x: drawDistinct('NCHW', shape) },
      ({ x }) => averagePool2d(x, { ...options, countPadding }),
      ({ x }) => reference.averagePool2d(x, { ...options, countPadding }),
      { elements: 8 },
    ),
  );
});

it('refuses windows that do not fit', async () => {
  const gpu = await testGpu();
  const image = upload(gpu, 'NCHW', [1, 1, 2, 3], new Float32Array(6), 'image');
  await expect(async () => gpu.step(() => maxPool2d(image, { size: 3 }))).rejects.toThrow(
    /maxPool2d: a 3 x 3 window does not fit, the output would be 0 x 1\.\n {2}input N=1 C=1 H=2 W=3 {3}\(image\)/,
  );
  await expect(async () => gpu.step(() => averagePool2d(image, { size: 3, padding: 2 }))).rejects.toThrow(
    'averagePool2d: a padding of 2 x 2 is more than half of the 3 x 3 window',
  );
  image.release();
});
