import { describe, expect, it } from 'vitest';
import { batchNorm, type Shape, upload } from '../../../src/engine/index.ts';
import { type BatchNormOptions, batchNorm as reference } from '../../../src/reference/batch-norm.ts';
import { draw, map } from '../../../src/reference/values.ts';
import { expectAllClose } from '../../support/all-close.ts';
import { testGpu } from '../../support/gpu.ts';
import { checkOperation } from '../../support/grad-check.ts';

function inputsOf(shape: Shape, mean = 0) {
  const [, C] = shape;
  return {
    input: map(draw('NCHW', shape), (x) => Math.fround(x + mean)),
    weight: draw('C', [C], { low: 0.5, high: 1.5, name: 'weight' }),
    bias: draw('C', [C], { name: 'bias' }),
    runningMean: map(draw('C', [C], { name: 'mean' }), (x) => Math.fround(x * 0.25 + mean)),
    runningVariance: draw('C', [C], { low: 0.5, high: 2, name: 'variance' }),
  };
}

const running = ['runningMean', 'runningVariance'] as const;

const shapes: Shape[] = [
  [1, 1, 1, 2],
  [2, 3, 1, 1], // one pixel an image
  [2, 3, 5, 7],
  [1, 17, 3, 3],
  [3, 65, 3, 5], // more channels than a workgroup
  [2, 2, 23, 29], // more than 512 pixels
  [1, 2, 65, 64], // more than one slice of 4,096 an image
  [2, 1, 91, 91],
];

describe.each([true, false])('training %s', (training) => {
  describe.each(['none', 'relu'] as const)('activation %s', (activation) => {
    const options: BatchNormOptions = { training, activation };

    it.each(shapes.map((shape) => [shape]))('%j', (shape) =>
      checkOperation(
        inputsOf(shape),
        (given) => batchNorm(given, options),
        (given) => reference(given, options).output,
        { constant: running, tolerance: { absolute: 2e-6, relative: 1e-5 } },
      ),
    );
  });

  it('keeps its digits around a mean of 100', () =>
    checkOperation(
      inputsOf([2, 3, 33, 31], 100),
      (given) => batchNorm(given, { training }),
      (given) => reference(given, { training }).output,
      // Two units in the last place of 100 are 1.5e-5.
      { constant: running, tolerance: { absolute: 1e-6, relative: 2e-4 } },
    ));
});

it('takes an epsilon', () =>
  checkOperation(
    inputsOf([2, 3, 4, 4]),
    (given) => batchNorm(given, { training: true, epsilon: 0.1 }),
    (given) => reference(given, { training: true, epsilon: 0.1 }).output,
    { constant: running },
  ));

describe('running statistics', () => {
  async function statisticsAfter(shape: Shape, mean: number, options: BatchNormOptions) {
    const gpu = await testGpu();
    const given = inputsOf(shape, mean);
    const onDevice = <A extends string>({ axes, shape, data }: { axes: A; shape: Shape; data: Float64Array }) =>
      upload(gpu, axes, shape, Float32Array.from(data));
    const got = await gpu.step(() => {
      const runningMean = onDevice(given.runningMean);
      const runningVariance = onDevice(given.runningVariance);
      const [input, weight, bias] = [onDevice(given.input), onDevice(given.weight), onDevice(given.bias)];
      batchNorm({ input, weight, bias, runningMean, runningVariance }, options);
      return { runningMean, runningVariance };
    });
    return { got, expected: reference(given, options), given };
  }

  it.each([
    [[2, 3, 5, 7], 0, undefined],
    [[1, 2, 1, 2], 0, 0.5],
    [[2, 5, 65, 65], 0, 0.1],
    [[2, 3, 17, 9], 100, 0.1],
    [[2, 2, 3, 3], 0, 1],
  ] as [Shape, number, number | undefined][])('of %j around %d with momentum %d', async (shape, mean, momentum) => {
    const { got, expected } = await statisticsAfter(shape, mean, { training: true, momentum });
    expectAllClose(got.runningMean, expected.newMean.data, 'running mean');
    expectAllClose(got.runningVariance, expected.newVariance.data, 'running variance');
  });

  it('stay as they are in evaluation', async () => {
    const { got, given } = await statisticsAfter([2, 3, 5, 7], 0, { training: false });
    expect(Array.from(got.runningMean)).toEqual(Array.from(given.runningMean.data));
    expect(Array.from(got.runningVariance)).toEqual(Array.from(given.runningVariance.data));
  });
});

describe('refuses', () => {
  it('a single value a channel in training, but not in evaluation', async () => {
    const gpu = await testGpu();
    const given = inputsOf([1, 3, 1, 1]);
    const run = (training: boolean) =>
      gpu.step(() => {
        const onDevice = ([role, { axes, shape, data }]: [string, (typeof given)[keyof typeof given]]) =>
          [role, upload(gpu, axes as 'NCHW', shape, Float32Array.from(data))] as const;
        const tensors = Object.fromEntries(Object.entries(given).map(onDevice));
        return batchNorm(tensors as never, { training });
      });
    await expect(async () => run(true)).rejects.toThrow(
      /batchNorm: one value a channel has no variance\.\n {2}input N=1 C=3 H=1 W=1.*\n.*evaluation mode/,
    );
    expect(Array.from(await run(false)).every(Number.isFinite)).toBe(true);
  });

  it('a weight of another length', async () => {
    const gpu = await testGpu();
    await expect(async () =>
      gpu.step(() => {
        const input = upload(gpu, 'NCHW', [1, 2, 1, 2], new Float32Array(4), 'image');
        const [two, three] = [2, 3].map((C) => upload(gpu, 'C', [C], new Float32Array(C)));
        batchNorm({ input, weight: three, bias: two, runningMean: two, runningVariance: two }, { training: true });
      }),
    ).rejects.toThrow(/batchNorm: weight has 3 values for C=2\.\n {2}input {2}N=1 C=2 H=1 W=2 {3}\(image\)/);
  });
});
