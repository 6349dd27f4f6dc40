import { describe, expect, it } from 'vitest';
import { expand, type Shape, upload } from '../../../src/engine/index.ts';
import { expand as reference } from '../../../src/reference/expand.ts';
import { draw } from '../../../src/reference/values.ts';
import { testGpu } from '../../support/gpu.ts';
import { checkOperation } from '../../support/grad-check.ts';

describe('expand', () => {
  it.each([
    ['', [], 'N', [5]],
    ['', [], 'NCHW', [2, 3, 5, 7]],
    ['C', [3], 'NCHW', [2, 3, 5, 7]],
    ['NC', [2, 3], 'NCHW', [2, 3, 5, 7]],
    ['HW', [5, 7], 'NCHW', [2, 3, 5, 7]],
    ['NCHW', [1, 3, 1, 7], 'NCHW', [2, 3, 5, 7]],
    ['NW', [2, 1], 'NCHW', [2, 3, 5, 7]],
    ['NC', [2, 3], 'NC', [2, 3]],
    ['NC', [2, 3], 'NCHW', [2, 3, 1, 1]],
    ['NC', [3, 5], 'NCHW', [3, 5, 41, 43]],
  ] as [string, Shape, string, Shape][])('"%s" %j to "%s" %j', (axes, shape, wantedAxes, wantedShape) =>
    checkOperation(
      { x: draw(axes, shape) },
      ({ x }) => expand(x, wantedAxes, wantedShape),
      ({ x }) => reference(x, wantedAxes, wantedShape),
    ),
  );

  it('refuses a shape that the input does not repeat to', async () => {
    const gpu = await testGpu();
    const x = upload(gpu, 'NC', [1, 2], [1, 2], 'weights');
    for (const [axes, shape] of [
      ['NC', [3, 4]],
      ['CN', [2, 3]],
      ['NH', [1, 2]],
    ] as const) {
      await expect(async () => gpu.step(() => expand(x, axes, shape))).rejects.toThrow(
        /expand: the input does not repeat to the wanted shape\.\n {2}input {2}N=1 C=2 {3}\(weights\)\n {2}wanted/,
      );
    }
    x.release();
  });
});
