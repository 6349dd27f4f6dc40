import { describe, expect, it } from 'vitest';
import { bceWithLogits, crossEntropy, upload } from '../../../src/engine/index.ts';
import * as reference from '../../../src/reference/cross-entropy.ts';
import { draw, map, values } from '../../../src/reference/values.ts';
import { testGpu } from '../../support/gpu.ts';
import { checkOperation } from '../../support/grad-check.ts';

const labelsOf = (N: number, C: number) => Uint32Array.from({ length: N }, (_, n) => (n * n + 1) % C);

describe('crossEntropy', () => {
  it.each([
    [1, 1],
    [1, 3],
    [3, 2],
    [7, 17],
    [65, 3], // more images than a workgroup
    [130, 5],
  ])('N=%i C=%i', async (N, C) => {
    const labels = labelsOf(N, C);
    const logits = draw('NC', [N, C], { low: -3, high: 3 });
    const weights = draw('C', [C], { low: 0.25, high: 2 });
    await checkOperation(
      { logits },
      ({ logits }) => crossEntropy(logits, upload(logits.gpu, 'N', [N], labels)),
      ({ logits }) => reference.crossEntropy(logits, labels),
    );
    await checkOperation(
      { logits, weights },
      ({ logits, weights }) => crossEntropy(logits, upload(logits.gpu, 'N', [N], labels), weights),
      ({ logits, weights }) => reference.crossEntropy(logits, labels, weights),
      { constant: ['weights'] },
    );
  });

  it('of logits of +-300, right and wrong', () =>
    checkOperation(
      { logits: values('NC', [3, 3], [300, -300, 0, 300, -300, 0, -300, -299, -301]) },
      ({ logits }) => crossEntropy(logits, upload(logits.gpu, 'N', [3], Uint32Array.of(0, 1, 2))),
      ({ logits }) => reference.crossEntropy(logits, [0, 1, 2]),
      { elements: 9 },
    ));

  it('refuses labels of another number or type, and weights of another number', async () => {
    const gpu = await testGpu();
    const logits = upload(gpu, 'NC', [2, 3], new Float32Array(6), 'diagnosis');
    const labels = upload(gpu, 'N', [2], Uint32Array.of(0, 2), 'label');
    const run = (body: () => unknown) => expect(async () => gpu.step(() => void body())).rejects;
    await run(() => crossEntropy(logits, upload(gpu, 'N', [3], Uint32Array.of(0, 1, 2)))).toThrow(
      /crossEntropy: 2 images need as many u32 labels, not 3 u32\.\n {2}logits N=2 C=3 {3}\(diagnosis\)\n {2}labels N=3/,
    );
    await run(() => crossEntropy(logits, upload(gpu, 'N', [2], [0, 1]))).toThrow('not 2 f32');
    await run(() => crossEntropy(logits, labels, upload(gpu, 'C', [2], [1, 2]))).toThrow(
      '3 classes need as many weights',
    );
    logits.release();
    labels.release();
  });
});

describe('bceWithLogits', () => {
  it.each([
    [1, 1],
    [3, 5],
    [9, 517],
  ])('N=%i C=%i', (N, C) =>
    checkOperation(
      {
        logits: map(draw('NC', [N, C], { low: -5, high: 5 }), (x) => (Math.abs(x) < 0.05 ? x + 0.125 : x)),
        targets: draw('NC', [N, C], { low: 0, high: 1, name: 'targets' }),
      },
      ({ logits, targets }) => bceWithLogits(logits, targets),
      ({ logits, targets }) => reference.bceWithLogits(logits, targets),
      { constant: ['targets'] },
    ),
  );

  it('is finite at +-100', () =>
    checkOperation(
      { logits: values('N', [4], [100, -100, 100, -100]), targets: values('N', [4], [1, 0, 0, 1]) },
      ({ logits, targets }) => bceWithLogits(logits, targets),
      ({ logits, targets }) => reference.bceWithLogits(logits, targets),
      { constant: ['targets'], elements: 4 },
    ));
});
