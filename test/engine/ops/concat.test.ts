import { describe, expect, it } from 'vitest';
import { concat, type Shape, upload } from '../../../src/engine/index.ts';
import { concat as reference } from '../../../src/reference/concat.ts';
import { draw } from '../../../src/reference/values.ts';
import { testGpu } from '../../support/gpu.ts';
import { checkOperation } from '../../support/grad-check.ts';

describe('concat', () => {
  it.each([
    ['C', [1, 1, 1, 1], [1, 1, 1, 1]],
    ['C', [2, 3, 5, 7], [2, 9, 5, 7]],
    ['C', [3, 17, 1, 1], [3, 1, 1, 1]],
    ['N', [1, 2, 3, 3], [5, 2, 3, 3]],
    ['H', [2, 3, 1, 7], [2, 3, 4, 7]],
    ['W', [2, 3, 5, 7], [2, 3, 5, 1]],
    ['C', [2, 3, 33, 31], [2, 2, 33, 31]],
  ] as [string, Shape, Shape][])('along %s of %j and %j', (letter, a, b) =>
    checkOperation(
      { a: draw('NCHW', a, { name: 'a' }), b: draw('NCHW', b, { name: 'b' }) },
      ({ a, b }) => concat([a, b], letter),
      ({ a, b }) => reference([a, b], letter),
    ),
  );

  it('of one, of three, and of the same twice', async () => {
    const [a, b, c] = [1, 5, 2].map((C) => draw('NC', [3, C]));
    await checkOperation(
      { a },
      ({ a }) => concat([a], 'C'),
      ({ a }) => a,
    );
    await checkOperation(
      { a, b, c },
      ({ a, b, c }) => concat([a, b, c], 'C'),
      ({ a, b, c }) => reference([a, b, c], 'C'),
    );
    await checkOperation(
      { b },
      ({ b }) => concat([b, b], 'N'),
      ({ b }) => reference([b, b], 'N'),
    );
  });

  it('refuses what does not fit', async () => {
    const gpu = await testGpu();
    const make = (shape: Shape, name: string) => upload(gpu, 'NC', shape, new Float32Array(shape[0] * shape[1]), name);
    await expect(async () => gpu.step(() => concat([make([2, 3], 'skip'), make([1, 3], 'up')], 'C'))).rejects.toThrow(
      /concat: all axes but C must agree\.\n {2}first N=2 C=3 {3}\(skip\)\n {2}other N=1 C=3 {3}\(up\)/,
    );
    await expect(async () => gpu.step(() => concat([make([2, 3], 'skip')], 'H'))).rejects.toThrow(
      /concat: there is no axis H to join along\.\n {2}first N=2 C=3/,
    );
    await expect(async () => gpu.step(() => concat([], 'C'))).rejects.toThrow('there is nothing to join');
  });
});
