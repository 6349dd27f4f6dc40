import { describe, expect, it } from 'vitest';
import { add, backward, parameter, relu, type Scalar, scale, square, sum, upload } from '../../../src/engine/index.ts';
import { findNonFinite } from '../../../src/engine/ops/audit.ts';
import { testGpu } from '../../support/gpu.ts';

describe('findNonFinite', () => {
  it('names nothing in a sound step', async () => {
    const gpu = await testGpu();
    const x = upload(gpu, 'N', [700], new Float32Array(700).fill(-3e38), 'image');
    expect(await findNonFinite(gpu, [x], () => void relu(add(x, relu(x))))).toBe(null);
    x.release();
  });

  it('names the first operation, not those that it spoils', async () => {
    const gpu = await testGpu();
    const values = new Float32Array(5000).fill(1);
    values[4999] = 1e20; // its square is beyond float32
    const x = upload(gpu, 'N', [5000], values, 'image');
    expect(await findNonFinite(gpu, [x], () => void relu(scale(square(relu(add(x, x))), 2)))).toBe('square');
    x.release();
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])('names an input with %d', async (bad) => {
    const gpu = await testGpu();
    const x = upload(gpu, 'N', [3], [1, bad, 3], 'image');
    expect(await findNonFinite(gpu, [x], () => void scale(x, 0))).toBe('image');
    x.release();
  });

  it('looks into gradients, too', async () => {
    const gpu = await testGpu();
    const x = parameter(gpu, 'N', [2], Float32Array.of(1e-30, 0), 'weight');
    const run = (learns: boolean) =>
      findNonFinite(gpu, [x], () => {
        const loss = sum(scale(scale(x, 1e30), 1e30)) as Scalar; // 1e30, but its slope is 1e60
        if (learns) backward(loss);
      });
    expect([await run(false), await run(true)]).toEqual([null, 'scale gradient']);
    x.release();
  });

  it('stops listening, also after an exception', async () => {
    const gpu = await testGpu();
    const failing = findNonFinite(gpu, [], () => {
      throw new Error('stopped');
    });
    await expect(failing).rejects.toThrow('stopped');
    expect([gpu.onTensor, gpu.stepOpen]).toEqual([null, false]);
  });
});
