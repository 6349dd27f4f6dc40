import { describe, expect, it } from 'vitest';
import {
  type ConvOptions,
  conv2d,
  type Gpu,
  gradients,
  openGpu,
  type Shape,
  type Tensor,
  upload,
} from '../../../src/engine/index.ts';
import { conv2dGradients, conv2d as reference } from '../../../src/reference/conv2d.ts';
import { draw, type Values, values } from '../../../src/reference/values.ts';
import { convCases as cases } from '../../support/conv-cases.ts';
import { testGpu } from '../../support/gpu.ts';
import { checkOperation } from '../../support/grad-check.ts';

describe.each(cases)('%s', (_, inputShape, weightShape, options) => {
  const input = draw('NCHW', inputShape);
  const weight = draw('OCRS', weightShape);
  const bias = draw('C', [weightShape[0]]);

  it('computes every product, forward and backward', () => checkConv2d(input, weight, bias, options));

  it('has the gradients of finite differences', () =>
    checkOperation(
      { input, weight, bias },
      ({ input, weight, bias }) => conv2d(input, weight, bias, options),
      (given) => reference(given, options),
      { directions: 1, elements: 1 },
    ));
});

function checkConv2d(input: Values<'NCHW'>, weight: Values<'OCRS'>, bias: Values<'C'>, options: ConvOptions, on?: Gpu) {
  return checkOperation(
    { input, weight, bias },
    ({ input, weight, bias }) => conv2d(input, weight, bias, options),
    (given) => reference(given, options),
    { gradients: (given, upstream) => conv2dGradients(given, upstream, options), gpu: on },
  );
}

it('computes the same on a device without subgroups', async () => {
  using gpu = await openGpu({ without: ['subgroups'] });
  for (const [, input, weight, options] of cases)
    await checkConv2d(draw('NCHW', input), draw('OCRS', weight), draw('C', [weight[0]]), options, gpu);
});

/**
 * One after another, a thousand products lose about sqrt(500) roundings of 3.4e-8 of their sum, 7.6e-7; in blocks of blocks a fourth of that.
 * A network of hundreds of layers needs it: see shaders/conv2d-columns.ts.
 */
it.each([
  ['with subgroups', []],
  ['without subgroups', ['subgroups']],
])('rounds a sum of a thousand products like one of fifty, %s', async (_, without) => {
  using gpu = await openGpu({ without });
  const wide = { input: draw('NCHW', [1, 1024, 4, 8]), weight: draw('OCRS', [16, 1024, 1, 1]) };
  const narrow = { input: draw('NCHW', [1, 16, 4, 8]), weight: draw('OCRS', [1024, 16, 1, 1]) };
  const upstream = draw('NCHW', [1, 1024, 4, 8]);
  const onDevice = <A extends string>({ axes, shape, data }: Values<A>) =>
    upload(gpu, axes, shape, Float32Array.from(data));
  const got = await gpu.step(() => {
    const input = onDevice(narrow.input);
    input.requiresGradient = true;
    const output = conv2d(input, onDevice(narrow.weight), null);
    return {
      output: conv2d(onDevice(wide.input), onDevice(wide.weight), null),
      gradient: gradients(output, [input], onDevice(upstream))[0]!,
    };
  });
  const expected = { output: reference(wide).data, gradient: conv2dGradients(narrow, upstream).input.data };
  for (const [name, exact] of Object.entries(expected)) {
    const values = got[name as 'output'] as Float32Array;
    const squares = (of: (i: number) => number) => values.reduce((total, __, i) => total + of(i) ** 2, 0);
    const error = Math.sqrt(squares((i) => values[i] - exact[i]) / squares((i) => exact[i]));
    expect(error, name).toBeLessThan(2.2e-7);
  }
});

it('needs no bias', () =>
  checkOperation(
    { input: draw('NCHW', [2, 3, 5, 6]), weight: draw('OCRS', [4, 3, 3, 3]) },
    ({ input, weight }) => conv2d(input, weight, null, { padding: 1 }),
    (given) => reference(given, { padding: 1 }),
    { gradients: (given, upstream) => conv2dGradients(given, upstream, { padding: 1 }) },
  ));

it('computes no gradient that nobody wants', () =>
  checkOperation(
    { input: draw('NCHW', [2, 3, 5, 6]), weight: draw('OCRS', [4, 3, 3, 3]) },
    ({ input, weight }) => conv2d(input, weight, null, { padding: 1 }),
    (given) => reference(given, { padding: 1 }),
    { constant: ['input'] },
  ));

it('tells an image from its mirror image', () => {
  // A kernel with one tap, off centre on both axes: the output is the input moved down and left.
  const weight = values('OCRS', [1, 1, 3, 3], [0, 0, 1, 0, 0, 0, 0, 0, 0]);
  return checkOperation(
    { input: draw('NCHW', [1, 1, 9, 9]), weight },
    ({ input, weight }) => conv2d(input, weight, null, { padding: 1 }),
    (given) => reference(given, { padding: 1 }),
  );
});

describe('refuses', () => {
  const refused = async (input: Shape, weight: Shape, bias: number, options: ConvOptions, message: RegExp) => {
    const gpu = await testGpu();
    const zero = <A extends string>(axes: A, shape: Shape, name: string): Tensor<A> =>
      upload(gpu, axes, shape, new Float32Array(shape.reduce((product, length) => product * length, 1)), name);
    await expect(async () =>
      gpu.step(() =>
        conv2d(zero('NCHW', input, 'image'), zero('OCRS', weight, 'Conv2.0.weight'), zero('C', [bias], 'b'), options),
      ),
    ).rejects.toThrow(message);
  };

  it('channels that disagree, with both shapes by letter and name', () =>
    refused(
      [6, 3, 8, 8],
      [128, 64, 3, 3],
      128,
      {},
      /conv2d: channels disagree\. input has C=3, weight expects C=64\.\n {2}input {2}N=6 C=3 H=8 W=8 {3}\(image\)\n {2}weight O=128 C=64 R=3 S=3 {3}\(Conv2\.0\.weight\)\n {2}Did the layer before produce 64 channels\?/,
    ));
  it('groups that do not divide the outputs', () =>
    refused([1, 4, 5, 5], [3, 2, 3, 3], 3, { groups: 2 }, /O=3 outputs do not divide into 2 groups/));
  it('a bias of another length', () => refused([1, 2, 5, 5], [3, 2, 3, 3], 4, {}, /bias has 4 values for O=3 outputs/));
  it('an image smaller than the kernel', () =>
    refused([1, 2, 2, 5], [3, 2, 3, 3], 3, {}, /smaller than the dilated kernel, the output would be 0 x 3/));
});
