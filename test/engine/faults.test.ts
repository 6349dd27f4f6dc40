/** What goes wrong on a device is told in one sentence, and an intended end is no fault. */
import { describe, expect, it } from 'vitest';
import {
  add,
  DeviceLostError,
  type Gpu,
  OutOfMemoryError,
  openGpu,
  ShaderError,
  sum,
  upload,
} from '../../src/engine/index.ts';
import { dispatch, type Kernel, kernel } from '../../src/engine/kernel.ts';
import { testGpu } from '../support/gpu.ts';

const three = (gpu: Gpu) => gpu.step(() => sum(upload(gpu, 'N', [2], [1, 2])));
const SENTENCE = /^[^\n]+[.;] ?[^\n]*\.$/;

/** The error of an awaited step, also where it is thrown at once. */
const failure = async (work: () => Promise<unknown>): Promise<Error> => {
  try {
    await work();
  } catch (error) {
    return error as Error;
  }
  throw new Error('nothing failed');
};

describe('a lost device', () => {
  it('is told from a closed one, for good', async () => {
    using gpu = await openGpu();
    const weight = upload(gpu, 'N', [2], [1, 2]);
    expect(await three(gpu)).toBe(3);
    gpu.device.destroy();
    for (const attempt of [() => three(gpu), () => three(gpu), () => gpu.read(weight), () => gpu.settle()]) {
      const error = await failure(attempt);
      expect(error).toBeInstanceOf(DeviceLostError);
      expect(error.message).toMatch(/the device was lost \(.*\); go on from the last checkpoint/);
      expect(error.message).toMatch(SENTENCE);
    }
    expect(await three(await testGpu()), 'another device works').toBe(3);
  });

  it('is told by the step under way', async () => {
    using gpu = await openGpu();
    const under = three(gpu);
    gpu.device.destroy();
    expect(await failure(() => under)).toBeInstanceOf(DeviceLostError);
  });

  it('is none when it was closed by intent', async () => {
    const gpu = await openGpu();
    const under = three(gpu);
    gpu.destroy();
    await gpu.device.lost;
    const error = await failure(() => under);
    expect(error).not.toBeInstanceOf(DeviceLostError);
    expect(error.message).toMatch(/was closed during a step; await its results before gpu\.destroy/);
    expect((await failure(() => three(gpu))).message).toMatch(/the device is closed; open another/);
  });
});

describe('a device without memory', () => {
  it('says how much was asked for, and goes on', async () => {
    using gpu = await openGpu();
    const { createBuffer } = gpu.device;
    const most = gpu.limits.maxBufferSize;
    // The largest buffer of a software adapter is more than it gives; where a GPU gives it, several are asked for.
    const error = await failure(async () => {
      for (let i = 0; i < 1024; i++)
        await gpu.step(() => {
          gpu.device.createBuffer = (descriptor) => createBuffer.call(gpu.device, { ...descriptor, size: most });
          const two = upload(gpu, 'N', [2 ** 14 + i * 2 ** 12], new Float32Array(2 ** 14 + i * 2 ** 12));
          gpu.device.createBuffer = createBuffer;
          return sum(two);
        });
    });
    expect(error).toBeInstanceOf(OutOfMemoryError);
    expect(error.message).toMatch(
      /has no memory for \d+ bytes beside the \d+ that it holds \(.*\); use a smaller batch/,
    );
    expect(error.message).toMatch(SENTENCE);
    expect(await three(gpu)).toBe(3);
    expect(await gpu.step(() => sum(upload(gpu, 'N', [2 ** 14], new Float32Array(2 ** 14).fill(1))))).toBe(2 ** 14);
  });
});

describe('a shader that does not compile', () => {
  it.each([
    ['text', 'fn main( {'],
    ['entry point', '@compute @workgroup_size(1) fn other() {}'],
  ])('is told by name every time: %s', async (_, code) => {
    using gpu = await openGpu();
    const broken = kernel({ name: 'broken', code }, 'main');
    for (let i = 0; i < 2; i++) {
      const error = await failure(() =>
        gpu.step(() => {
          dispatch(gpu, broken, {}, {}, [1]);
          return add(upload(gpu, 'N', [2], [1, 2]), upload(gpu, 'N', [2], [1, 2]));
        }),
      );
      expect(error).toBeInstanceOf(ShaderError);
      expect(error.message).toMatch(/does not compile the shader broken\.main \(.+\); update its driver/);
      expect(error.message).toMatch(SENTENCE);
    }
    expect(await three(gpu)).toBe(3);
  });

  it('is told again also where another one of the step was the cause', async () => {
    using gpu = await openGpu();
    const [first, second] = ['first', 'second'].map((name) => kernel({ name, code: 'fn main( {' }, 'main'));
    const use = (...kernels: Kernel[]) =>
      failure(() =>
        gpu.step(() => {
          for (const broken of kernels) dispatch(gpu, broken, {}, {}, [1]);
        }),
      );
    expect((await use(first, second)).message).toContain('does not compile the shader first.main');
    expect((await use(second)).message).toContain('does not compile the shader second.main');
  });
});
