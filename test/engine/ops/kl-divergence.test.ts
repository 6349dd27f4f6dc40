import { describe, expect, it } from 'vitest';
import { klDivergence, logSoftmax, type Shape, upload } from '../../../src/engine/index.ts';
import { klDivergence as reference } from '../../../src/reference/kl-divergence.ts';
import * as softmaxReference from '../../../src/reference/softmax.ts';
import { draw, map, sizeOf, type Values, values } from '../../../src/reference/values.ts';
import { expectAllClose } from '../../support/all-close.ts';
import { testGpu } from '../../support/gpu.ts';
import { checkOperation } from '../../support/grad-check.ts';

/** Distributions, one an image, with a third of the pixels at zero. */
function targetOf(axes: string, shape: Shape): Values {
  const raw = map(draw(axes, shape, { low: -0.5, high: 1, name: 'target' }), (x) => Math.max(x, 0) + 0);
  const each = sizeOf(shape.slice(1));
  const totals = Array.from({ length: shape[0] }, (_, n) =>
    raw.data.subarray(n * each, (n + 1) * each).reduce((total, x) => total + x, 0),
  );
  return { ...raw, data: raw.data.map((x, i) => Math.fround(x / totals[Math.floor(i / each)])) };
}

describe('klDivergence', () => {
  it.each([
    ['NHW', [1, 3, 5]],
    ['NHW', [3, 9, 7]],
    ['NCHW', [2, 1, 17, 31]],
    ['NHW', [2, 67, 65]],
    ['NC', [5, 3]],
  ] as [string, Shape][])('of %s %j', (axes, shape) =>
    checkOperation(
      { logProbability: softmaxOf(draw(axes, shape, { low: -3, high: 3 })), target: targetOf(axes, shape) },
      ({ logProbability, target }) => klDivergence(logProbability, target),
      ({ logProbability, target }) => reference(logProbability, target),
      { constant: ['target'] },
    ),
  );

  it('behind a softmax', () =>
    checkOperation(
      { logits: draw('NHW', [2, 9, 11], { low: -3, high: 3 }), target: targetOf('NHW', [2, 9, 11]) },
      ({ logits, target }) => klDivergence(logSoftmax(logits, 'HW'), target),
      ({ logits, target }) => reference(softmaxReference.logSoftmax(logits, 'HW'), target),
      { constant: ['target'] },
    ));

  it('is 0 between equals, and a zero in the target asks nothing, not even of minus infinity', async () => {
    const gpu = await testGpu();
    const target = values('NC', [2, 3], [0.25, 0.75, 0, 1, 0, 0]);
    const minus = Number.NEGATIVE_INFINITY;
    const logProbability = values('NC', [2, 3], [Math.log(0.25), Math.log(0.75), minus, 0, minus, minus]);
    const loss = await gpu.step(() => {
      const [p, t] = [logProbability, target].map(({ shape, data }) =>
        upload(gpu, 'NC', shape, Float32Array.from(data)),
      );
      return klDivergence(p, t);
    });
    expectAllClose(loss, 0, 'loss', { absolute: 1e-7, relative: 0 });
  });

  it('names both shapes when they differ', async () => {
    const gpu = await testGpu();
    await expect(async () =>
      gpu.step(() =>
        klDivergence(upload(gpu, 'NC', [1, 2], [1, 2], 'saliency'), upload(gpu, 'NC', [2, 1], [1, 2], 'gaze')),
      ),
    ).rejects.toThrow(
      /klDivergence: prediction and target differ in shape\.\n.*N=1 C=2 {3}\(saliency\)\n.*N=2 C=1 {3}\(gaze\)/,
    );
  });

  function softmaxOf<A extends string>(logits: Values<A>): Values<A> {
    return map(softmaxReference.logSoftmax(logits, logits.axes.slice(1)), Math.fround);
  }
});
