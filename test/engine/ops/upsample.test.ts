import { describe, expect, it } from 'vitest';
import {
  type Shape,
  type Tensor,
  upload,
  upsample2x,
  upsampleBilinear,
  upsampleNearest,
} from '../../../src/engine/index.ts';
import { type Mode, upsample } from '../../../src/reference/upsample.ts';
import { draw } from '../../../src/reference/values.ts';
import { testGpu } from '../../support/gpu.ts';
import { checkOperation } from '../../support/grad-check.ts';

const modes: Mode[] = ['nearest', 'half-pixel', 'align', 'asymmetric'];

/** input N C H W, output P x Q */
const cases: [Shape, [number, number]][] = [
  [
    [1, 1, 1, 1],
    [1, 1],
  ],
  [
    [1, 1, 1, 1],
    [3, 5],
  ],
  [
    [2, 3, 5, 7],
    [1, 1],
  ],
  [
    [2, 3, 5, 7],
    [5, 7],
  ],
  [
    [2, 3, 5, 7],
    [10, 14],
  ],
  [
    [1, 2, 3, 4],
    [9, 8],
  ],
  [
    [1, 2, 1, 5],
    [4, 11],
  ],
  [
    [1, 2, 7, 5],
    [13, 12],
  ],
  [
    [1, 2, 13, 12],
    [7, 5],
  ],
  [
    [1, 2, 9, 4],
    [2, 31],
  ], // smaller one way, larger the other
  [
    [1, 1, 33, 35],
    [66, 70],
  ], // more than 4,096 outputs
  [
    [1, 1, 40, 3],
    [3, 40],
  ],
];

function resize(input: Tensor<'NCHW'>, size: [number, number], mode: Mode): Tensor<'NCHW'> {
  return mode === 'nearest' ? upsampleNearest(input, size) : upsampleBilinear(input, size, mode);
}

describe.each(modes)('%s', (mode) => {
  it.each(cases)('%j to %j', (shape, size) =>
    checkOperation(
      { x: draw('NCHW', shape) },
      ({ x }) => resize(x, size, mode),
      ({ x }) => upsample(x, size, mode),
      { elements: 8 },
    ),
  );

  it('every size up to 12 from every size up to 7', async () => {
    for (let H = 1; H <= 7; H++)
      for (let P = 1; P <= 12; P++)
        await checkOperation(
          { x: draw('NCHW', [1, 1, H, 2]) },
          ({ x }) => resize(x, [P, 3], mode),
          ({ x }) => upsample(x, [P, 3], mode),
          { directions: 1, elements: 2 },
        );
  });
});

it.each([[[1, 1, 1, 1]], [[2, 3, 5, 7]], [[1, 2, 31, 33]]])('upsample2x of %j', (shape) =>
  checkOperation(
    { x: draw('NCHW', shape) },
    ({ x }) => upsample2x(x),
    ({ x }) => upsample(x, [2 * shape[2], 2 * shape[3]], 'nearest'),
    { elements: 8 },
  ),
);

it('refuses a size of nothing', async () => {
  const gpu = await testGpu();
  const image = upload(gpu, 'NCHW', [1, 1, 2, 3], new Float32Array(6), 'image');
  await expect(async () => gpu.step(() => upsampleNearest(image, [0, 3]))).rejects.toThrow(
    /upsample: 0 x 3 is not a size\.\n {2}input N=1 C=1 H=2 W=3 {3}\(image\)/,
  );
  image.release();
});
