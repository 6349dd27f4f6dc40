import { describe, expect, it } from 'vitest';
import { add, bceWithLogits, crossEntropy, StepRecorder, upload } from '../../../src/engine/index.ts';
import { findNonFinite } from '../../../src/engine/ops/audit.ts';
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

  it('refuses labels outside the classes, also when a recorded step is done again', async () => {
    const gpu = await testGpu();
    const logits = () => upload(gpu, 'NC', [2, 3], () => [1, 2, 3, 4, 5, 6]);
    for (const [label, name] of [
      [3, '3'],
      [-1, '4294967295'],
      [255, '255'],
    ] as const) {
      const labels = Uint32Array.of(1, label);
      const sentence = new RegExp(`label ${name} of image 1 is none of the 3 classes, 0 to 2`);
      await expect(
        (async () => gpu.step(() => ({ loss: crossEntropy(logits(), upload(gpu, 'N', [2], labels)) })))(),
      ).rejects.toThrow(sentence);
    }
    const recorder = new StepRecorder(gpu);
    const step = (labels: Uint32Array) =>
      recorder.step('labels', [labels], () => ({ loss: crossEntropy(logits(), upload(gpu, 'N', [2], labels)) }));
    await step(Uint32Array.of(0, 1));
    const { loss } = await step(Uint32Array.of(2, 2));
    expect(loss).toBeCloseTo(Math.log(1 + Math.exp(-1) + Math.exp(-2)), 5);
    expect(recorder.count.replayed).toBe(1);
    await expect((async () => step(Uint32Array.of(0, 7)))()).rejects.toThrow(/label 7 of image 1/);
    recorder.dispose();
  });

  it('is not a number for labels that only the device knows, and the audit names the labels', async () => {
    const gpu = await testGpu();
    const logits = () => upload(gpu, 'NC', [2, 3], [1, 2, 3, 4, 5, 6]);
    const unknown = (values: number[]) => {
      const labels = upload(gpu, 'N', [2], Uint32Array.from(values));
      labels.uploaded = null;
      return labels;
    };
    const { right, wrong } = await gpu.step(() => ({
      right: crossEntropy(logits(), unknown([2, 2])),
      wrong: crossEntropy(logits(), unknown([2, 3])),
    }));
    expect(right).toBeCloseTo(Math.log(1 + Math.exp(-1) + Math.exp(-2)), 5);
    expect(wrong).toBeNaN();
    const origin = await findNonFinite(gpu, [], () => {
      add(crossEntropy(logits(), unknown([2, 3])), upload(gpu, '', [], [1]));
    });
    expect(origin).toBe('crossEntropy terms');
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
