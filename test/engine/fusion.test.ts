/** Convolutions that take in what is around them: inputs that nobody writes, and statistics on the way. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { backward, concat, type Gpu, gradients, mean, parameter, square, type Tensor } from '../../src/engine/index.ts';
import { draw } from '../../src/reference/values.ts';
import { conv, expectNear, expectStatistics, level, norm, sizes, under } from '../support/fusion.ts';
import { testGpu } from '../support/gpu.ts';

let gpu: Gpu;
let fuses: boolean;

beforeEach(async () => {
  gpu = await testGpu();
  ({ fuses } = gpu);
  gpu.fuses = true;
});

afterEach(() => {
  gpu.fuses = fuses;
});

describe('what convolutions read in place', () => {
  it.each(sizes)('gives the bits of what is written first: %j', async (size) => {
    const written = await level(gpu, size, (tensor) => void tensor.storage);
    const present: string[] = [];
    const inPlace = await level(gpu, size, (tensor, name) => {
      if (tensor.isPresent) present.push(name);
    });
    expect(present, 'only the pooled is written').toEqual(['pooled']);
    expect(inPlace).toEqual(written);
    for (const gradient of inPlace.gradients) expect(gradient.every(Number.isFinite)).toBe(true);
  });

  it.each(sizes)('is what other convolutions compute, which write it: %j', async (size) => {
    const fused = await level(gpu, size, () => {});
    gpu.fuses = false;
    expectNear(fused, await level(gpu, size, ({ isPresent }) => expect(isPresent).toBe(true)));
  });
});

it('a normalised input of narrow images side by side is read in place', async () => {
  const seen: boolean[] = [];
  const run = (see: Parameters<typeof under>[4]) => under(gpu, [3, 8, 10, 7], 12, {}, see);
  const written = await run((tensor) => void tensor.storage);
  expect(await run(({ isPresent }) => seen.push(isPresent))).toEqual(written);
  expect(seen).toEqual([false]);
});

describe('a tensor that nobody has written', () => {
  const features = (N: number, C: number, H: number, W: number) =>
    parameter(gpu, 'NCHW', [N, C, H, W], Float32Array.from(draw('NCHW', [N, C, H, W]).data), 'features');

  it('is written when it is asked for, kept or returned, and at once where nothing is remembered', async () => {
    const input = features(1, 8, 6, 16);
    const layer = norm(gpu, 8).initialise(1);
    const { first, second } = await gpu.step(() => {
      const first = layer.call(input);
      const second = layer.call(input);
      const third = layer.call(input).keep();
      expect([first, second, third].map(({ isPresent }) => isPresent)).toEqual([false, false, true]);
      void second.storage;
      expect(second.isPresent).toBe(true);
      backward(mean(third) as Tensor<''>);
      return { first, second };
    });
    expect(first).toEqual(second);
    expect(Array.from(first as Float32Array).some((value) => value > 0)).toBe(true);
    await gpu.step(() => {
      input.requiresGradient = false;
      for (const { tensor } of layer.parameters()) tensor.requiresGradient = false;
      expect(layer.call(input).isPresent).toBe(true);
    });
    input.release();
    layer.dispose();
  });

  it('has a gradient that no rule writes over while someone wants it', async () => {
    const input = features(2, 8, 6, 16);
    const layer = norm(gpu, 8).initialise(1);
    const convolution = conv(gpu, 8, 8).initialise(2);
    const slopes = () =>
      gpu.step(() => {
        const lit = layer.call(input);
        const [ofLit, ofInput] = gradients(mean(square(convolution.call(lit))) as Tensor<''>, [lit, input]);
        return { ofLit, ofInput };
      });
    const both = await slopes();
    const { alone } = await gpu.step(() => {
      backward(mean(square(convolution.call(layer.call(input)))) as Tensor<''>);
      return { alone: input.gradient! };
    });
    expect(both.ofInput, 'written over the other one, or not').toEqual(alone);
    expect(both.ofLit).not.toEqual(both.ofInput);
    input.release();
    layer.dispose();
    convolution.dispose();
  });

  it('that was written for another one is given back with it', async () => {
    const input = features(1, 8, 6, 16);
    const layer = norm(gpu, 8).initialise(1);
    await gpu.step(() => {
      const skip = layer.call(input);
      const joined = concat([skip, skip], 'C');
      void joined.storage;
      expect([skip.isPresent, joined.isPresent]).toEqual([false, true]);
      backward(mean(square(joined)) as Tensor<''>);
    });
    input.release();
    layer.dispose();
  });
});

it.each([
  [20, 24],
  [22, 30],
  [5, 9], // rows of an odd number of columns
  [10, 7], // two images side by side
])(
  'statistics that a convolution gathers keep the digits of channels far from zero, in images of %i x %i',
  async (H, W) => {
    const beside = W <= 7;
    const slices = (beside ? 1 : 2) * Math.ceil(H / 4) * Math.ceil(W / 14);
    await expectStatistics(gpu, { outputs: 10, H, W, slices: beside && gpu.subgroupLanes !== 8 ? 0 : slices });
  },
);
