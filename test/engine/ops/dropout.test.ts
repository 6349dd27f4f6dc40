import { describe, expect, it } from 'vitest';
import { deriveKey, dropout, type Shape, upload } from '../../../src/engine/index.ts';
import { dropout as reference } from '../../../src/reference/dropout.ts';
import { draw } from '../../../src/reference/values.ts';
import { testGpu } from '../../support/gpu.ts';
import { checkOperation } from '../../support/grad-check.ts';

const key = deriveKey(7, 'dropout');

describe('dropout', () => {
  it.each([
    [[1, 1], 0.5, 0],
    [[3, 5], 0.5, 1],
    [[2, 257], 0.2, 2],
    [[17, 300], 0.9, 0xffffffff],
    [[1, 4099], 0.25, 12345],
  ] as [Shape, number, number][])('of %j at %d, draw %i', (shape, rate, index) =>
    checkOperation(
      { x: draw('NC', shape) },
      ({ x }) => dropout(x, rate, { key, index }),
      ({ x }) => reference(x, rate, key, index),
    ),
  );

  it('drops about as many as asked, differently in each draw and for each key', async () => {
    const gpu = await testGpu();
    const size = 10_000;
    const mask = (which: typeof key, index: number) =>
      gpu.step(() => dropout(upload(gpu, 'N', [size], new Float32Array(size).fill(1)), 0.3, { key: which, index }));
    const first = await mask(key, 0);
    expect(await mask(key, 0)).toEqual(first);
    for (const other of [await mask(key, 1), await mask(deriveKey(7, 'other'), 0)]) {
      const same = other.filter((value, i) => value === first[i]).length / size;
      expect(Math.abs(same - (0.3 ** 2 + 0.7 ** 2))).toBeLessThan(0.02); // five standard deviations are 0.025
    }
    const kept = first.filter((value) => value > 0).length / size;
    expect(Math.abs(kept - 0.7)).toBeLessThan(0.02);
  });

  it('hands back its input at rate 0, and refuses 1', async () => {
    const gpu = await testGpu();
    const x = upload(gpu, 'N', [2], [1, 2]);
    await gpu.step(() => {
      expect(dropout(x, 0, { key, index: 0 })).toBe(x);
      expect(() => dropout(x, 1, { key, index: 0 })).toThrow('dropout: a rate of 1 is not in [0, 1)');
    });
    x.release();
  });
});
