import { describe, expect, it } from 'vitest';
import { linear, matmul, type Shape, type Tensor, upload } from '../../../src/engine/index.ts';
import * as reference from '../../../src/reference/matmul.ts';
import { draw } from '../../../src/reference/values.ts';
import { testGpu } from '../../support/gpu.ts';
import { checkOperation } from '../../support/grad-check.ts';

describe('linear', () => {
  it.each([
    [1, 1, 1],
    [1, 5, 3],
    [7, 1, 9],
    [3, 17, 5],
    [2, 64, 64],
    [5, 129, 33], // sums in three blocks of 64
    [9, 1000, 3],
  ])('N=%i C=%i O=%i', async (N, C, O) => {
    const inputs = { input: draw('NC', [N, C]), weight: draw('OC', [O, C]), bias: draw('C', [O]) };
    await checkOperation(inputs, ({ input, weight, bias }) => linear(input, weight, bias), reference.linear);
    const { input, weight } = inputs;
    await checkOperation({ input, weight }, ({ input, weight }) => linear(input, weight, null), reference.linear);
  });

  it('names both shapes when features disagree', async () => {
    const gpu = await testGpu();
    await expect(async () =>
      gpu.step(() => {
        const input = upload(gpu, 'NC', [1, 2], [1, 2], 'features');
        linear(input, upload(gpu, 'OC', [1, 3], [1, 2, 3], 'head.weight'), null);
      }),
    ).rejects.toThrow(
      /linear: features disagree\. input has C=2, weight expects C=3\.\n {2}input {2}N=1 C=2 {3}\(features\)\n {2}weight O=1 C=3 {3}\(head\.weight\)/,
    );
  });
});

describe('matmul', () => {
  it.each([
    [1, 1, 1, 1],
    [3, 2, 5, 7],
    [1, 17, 65, 9],
    [2, 1, 200, 1],
    [5, 9, 1, 8],
  ])('B=%i I=%i K=%i J=%i', (B, I, K, J) =>
    checkOperation(
      { left: draw('BIK', [B, I, K]), right: draw('BKJ', [B, K, J]) },
      ({ left, right }) => matmul(left, right),
      ({ left, right }) => reference.matmul(left, right),
    ),
  );

  it('spreads more elements than one row of workgroups holds', async () => {
    const gpu = await testGpu();
    const [I, J]: Shape = [2049, 2049]; // 65,600 workgroups of 64
    const { corner } = await gpu.step(() => {
      const column = upload(
        gpu,
        'BIK',
        [1, I, 1],
        Float32Array.from({ length: I }, (_, i) => i),
      );
      const row = upload(gpu, 'BKJ', [1, 1, J], new Float32Array(J).fill(2));
      return { corner: matmul(column, row) as Tensor<'BIJ'> };
    });
    const wrong = corner.findIndex((value, i) => value !== 2 * Math.floor(i / J));
    expect(wrong).toBe(-1);
  });

  it('refuses batches and inner lengths that disagree', async () => {
    const gpu = await testGpu();
    await expect(async () =>
      gpu.step(() => matmul(upload(gpu, 'BIK', [1, 1, 2], [1, 2]), upload(gpu, 'BKJ', [1, 3, 1], [1, 2, 3]))),
    ).rejects.toThrow(
      /matmul: left has B=1 K=2, right has B=1 K=3\.\n {2}left {2}B=1 I=1 K=2.*\n {2}right B=1 K=3 J=1/,
    );
  });
});
