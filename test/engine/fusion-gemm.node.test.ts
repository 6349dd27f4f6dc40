/** The kernels of real GPUs take in what is around them, too. Any adapter can run them; all their tiles are one text, so the smallest stands for them. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type ConvOptions, type Gpu, openGpu, type Tensor } from '../../src/engine/index.ts';
import {
  conv,
  drawn,
  expectNear,
  expectStatistics,
  level,
  norm,
  type Outcome,
  sizes,
  under,
} from '../support/fusion.ts';
import { testGpu } from '../support/gpu.ts';

let gpu: Gpu;
let fuses: boolean;

beforeEach(async () => {
  gpu = await testGpu();
  ({ fuses } = gpu);
  gpu.fuses = true;
  gpu.choices.everywhere = 'gemm-16';
});

afterEach(() => {
  gpu.fuses = fuses;
  gpu.choices.everywhere = null;
});

type Run = (see: Parameters<typeof level>[2]) => Promise<Outcome>;

/** What is read in place gives the bits of what is written first, and about what a device computes that fuses nothing. */
async function expectSame(run: Run, written: readonly string[]): Promise<void> {
  const first = await run((tensor) => void tensor.storage);
  const present: string[] = [];
  const inPlace = await run((tensor, name) => {
    if (tensor.isPresent) present.push(name);
  });
  expect(present).toEqual(written);
  expect(inPlace).toEqual(first);
  gpu.fuses = false;
  expectNear(inPlace, await run(({ isPresent }) => expect(isPresent).toBe(true)));
}

it.each(sizes)('a level of a U-Net: %j', async (size) => {
  await expectSame((see) => level(gpu, size, see), ['pooled']);
});

it.each<[what: string, shape: readonly number[], outputs: number, options: ConvOptions & { kernel?: number }]>([
  ['a stride of two', [2, 6, 9, 11], 7, { stride: 2 }],
  ['two groups', [2, 6, 7, 6], 10, { groups: 2 }],
  ['1 x 1 by vectors', [2, 20, 6, 6], 18, { kernel: 1, padding: 0 }],
])('a normalised input under %s', async (_, shape, outputs, options) => {
  await expectSame((see) => under(gpu, shape, outputs, options, see), []);
});

it.each([
  { outputs: 10, H: 20, W: 24, slices: 8 },
  { outputs: 18, H: 5, W: 9, slices: 1 },
  { outputs: 18, H: 10, W: 10, kernel: 1 as const, slices: 2 }, // by vectors
])('statistics keep the digits of channels far from zero: %j', async (gathering) => {
  await expectStatistics(gpu, gathering);
});

it('merges many slices by a workgroup a channel', async () => {
  const { description } = gpu;
  Object.assign(gpu, { description: { ...description, software: false } });
  try {
    await expectStatistics(gpu, { outputs: 9, H: 130, W: 128, slices: 260 });
  } finally {
    Object.assign(gpu, { description });
  }
});

it('writes first what a kernel could not bind beside what it takes in', async () => {
  // 73,728 bytes are read and as many written: with the packed weight and the bias as many bindings as there are.
  const most = gpu.limits.maxStorageBuffersPerShaderStage;
  using few = await openGpu({ largestBinding: most > 12 ? 12288 : 16384 });
  Object.assign(few, { fuses: true });
  few.choices.everywhere = 'gemm-16';
  const run = async (on: Gpu) => {
    const image = drawn(on, [2, 16, 24, 24]);
    const [layer, convolution] = [norm(on, 16).initialise(1), conv(on, 16, 16).initialise(2)];
    let seen = {};
    const { output } = await on.step(() => {
      const input = layer.call(image);
      const output = convolution.call(input, { statistics: true });
      seen = { isWritten: input.isPresent, leavesStatistics: output.statistics !== null };
      return { output: output as Tensor as Tensor<'C'> };
    });
    for (const owner of [image, layer, convolution]) 'release' in owner ? owner.release() : owner.dispose();
    return { output, seen };
  };
  const [whole, spread] = [await run(gpu), await run(few)];
  expect(whole.seen).toEqual({ isWritten: false, leavesStatistics: true });
  expect(spread.seen).toEqual({ isWritten: true, leavesStatistics: false });
  expect(spread.output).toEqual(whole.output);
});
