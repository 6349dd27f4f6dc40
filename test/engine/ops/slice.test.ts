import { describe, expect, it } from 'vitest';
import { pad, slice, upload } from '../../../src/engine/index.ts';
import * as reference from '../../../src/reference/slice.ts';
import { draw } from '../../../src/reference/values.ts';
import { testGpu } from '../../support/gpu.ts';
import { checkOperation } from '../../support/grad-check.ts';

type Ranges = Record<string, readonly [number, number?]>;
type Margins = Record<string, readonly [number, number]>;

describe('slice', () => {
  it.each([
    [{}],
    [{ N: [1] }],
    [{ C: [0, 1] }],
    [{ H: [1, 4], W: [2, 3] }],
    [{ H: [1, -1], W: [0, -2] }],
    [{ N: [1, 2], C: [2, 3], H: [4, 5], W: [6, 7] }], // the last element
  ] as [Ranges][])('%j', (ranges) =>
    checkOperation(
      { x: draw('NCHW', [2, 3, 5, 7]) },
      ({ x }) => slice(x, ranges),
      ({ x }) => reference.slice(x, ranges),
      { elements: 12 },
    ),
  );

  it('of more than one workgroup', () =>
    checkOperation(
      { x: draw('NC', [67, 83]) },
      ({ x }) => slice(x, { N: [1, 66], C: [5, 80] }),
      ({ x }) => reference.slice(x, { N: [1, 66], C: [5, 80] }),
    ));

  it.each([[[3, 3]], [[-1, 2]], [[0, 6]], [[2, 1]]] as const)('refuses %j of 5', async (range) => {
    const gpu = await testGpu();
    await expect(async () =>
      gpu.step(() => slice(upload(gpu, 'N', [5], [1, 2, 3, 4, 5], 'row'), { N: range })),
    ).rejects.toThrow(/slice: -?\d to \d is not within axis N of length 5\.\n {2}input N=5 {3}\(row\)/);
  });
});

describe('pad', () => {
  it.each([
    [{}, 0],
    [{ H: [0, 1], W: [0, 1] }, 0],
    [{ H: [2, 0] }, 0],
    [{ N: [1, 1], C: [0, 2], H: [3, 1], W: [1, 0] }, -2.5],
  ] as [Margins, number][])('%j with %d', (margins, value) =>
    checkOperation(
      { x: draw('NCHW', [2, 3, 5, 7]) },
      ({ x }) => pad(x, margins, value),
      ({ x }) => reference.pad(x, margins, value),
      { elements: 12 },
    ),
  );

  it('one pixel to a large image', () =>
    checkOperation(
      { x: draw('NCHW', [1, 1, 1, 1]) },
      ({ x }) => pad(x, { H: [30, 31], W: [40, 29] }),
      ({ x }) => reference.pad(x, { H: [30, 31], W: [40, 29] }),
    ));

  it('refuses negative margins and axes that are not there', async () => {
    const gpu = await testGpu();
    const row = upload(gpu, 'N', [2], [1, 2], 'row');
    await expect(async () => gpu.step(() => pad(row, { N: [-1, 0] }))).rejects.toThrow(/pad: margins of -1,0/);
    await expect(async () => gpu.step(() => pad(row, { H: [1, 0] }))).rejects.toThrow(/pad: there is no axis H/);
    row.release();
  });
});
