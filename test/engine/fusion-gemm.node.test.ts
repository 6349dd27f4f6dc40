/** The kernels of real GPUs take in what is around them, too. Any adapter can run them; all their tiles are one text, so the smallest stands for them. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { ConvOptions, Gpu } from '../../src/engine/index.ts';
import { expectNear, expectStatistics, level, type Outcome, sizes, under } from '../support/fusion.ts';
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
