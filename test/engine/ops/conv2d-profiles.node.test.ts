/**
 * What the rule chooses on devices that are not here: with and without subgroups, half precision, more than the default limits.
 * Every kernel of every choice is compiled by Dawn's null backend on a device that has just that, so one that needs what is missing is found.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { create, globals } from 'webgpu';
import { Gpu } from '../../../src/engine/gpu.ts';
import { type Gpu as EngineGpu, gradients, type Tensor, upload } from '../../../src/engine/index.ts';
import { conv2d } from '../../../src/engine/ops/conv2d.ts';

interface Profile {
  readonly name: string;
  readonly features: readonly string[];
  readonly defaultLimits: boolean;
  readonly software: boolean;
  readonly adapter: string;
}

const profiles: Profile[] = [false, true].flatMap((software) =>
  [[], ['subgroups'], ['shader-f16'], ['subgroups', 'shader-f16']].flatMap((features) =>
    [true, false].map((defaultLimits) => ({
      name: `${software ? 'a processor' : 'a GPU'} with ${features.join(' and ') || 'no feature'}${defaultLimits ? ' and the default limits' : ''}`,
      features,
      defaultLimits,
      software,
      adapter: software ? 'llvmpipe' : 'null',
    })),
  ),
);

/** N C H W, O C R S, stride, padding, groups: layers of the networks, small. */
const layers: readonly (readonly [readonly number[], readonly number[], number, number, number])[] = [
  [[2, 1, 20, 28], [8, 1, 3, 3], 1, 1, 1],
  [[2, 8, 20, 28], [8, 8, 3, 3], 1, 1, 1],
  [[2, 16, 10, 7], [32, 16, 3, 3], 1, 1, 1],
  [[1, 64, 9, 9], [64, 64, 3, 3], 1, 1, 1],
  [[1, 16, 9, 9], [1, 16, 1, 1], 1, 0, 1],
  [[1, 3, 23, 23], [16, 3, 7, 7], 2, 3, 1],
  [[1, 32, 12, 12], [64, 32, 1, 1], 2, 0, 1],
  [[1, 16, 12, 12], [16, 1, 3, 3], 1, 1, 16],
];

let gpu: GPU; // held here, because a collected one takes its device with it
const open: EngineGpu[] = [];
beforeAll(() => {
  Object.assign(globalThis, globals);
  gpu = create(['backend=null']);
});
afterAll(() => {
  for (const one of open) one.destroy();
});

async function deviceOf({ features, defaultLimits, software, adapter: name }: Profile) {
  const adapter = (await gpu.requestAdapter())!;
  const { maxComputeInvocationsPerWorkgroup, maxStorageBuffersPerShaderStage } = adapter.limits;
  const device = await adapter.requestDevice({
    requiredFeatures: features as GPUFeatureName[],
    requiredLimits: defaultLimits ? {} : { maxComputeInvocationsPerWorkgroup, maxStorageBuffersPerShaderStage },
  });
  const problems: string[] = [];
  device.addEventListener('uncapturederror', ({ error }) => problems.push(error.message));
  const description = { name, driver: '', backend: 'null', software, rung: 'hardware', why: '' } as const;
  const made = new Gpu(device, description);
  open.push(made);
  return { made, problems };
}

describe.each(profiles)('$name', (profile) => {
  it('gets kernels that it can run, for every pass', async () => {
    const { made, problems } = await deviceOf(profile);
    for (const [input, weight, stride, padding, groups] of layers) {
      const filled = (axes: string, shape: readonly number[]) => {
        const tensor = upload(made, axes, shape, new Float32Array(shape.reduce((a, b) => a * b, 1)));
        tensor.requiresGradient = true;
        return tensor;
      };
      const [x, w] = [filled('NCHW', input) as Tensor<'NCHW'>, filled('OCRS', weight) as Tensor<'OCRS'>];
      await made.step(() => {
        const output = conv2d(x, w, null, { stride, padding, groups });
        const upstream = upload(made, 'NCHW', output.shape, new Float32Array(output.size));
        void gradients(output, [x, w], upstream);
        return {};
      });
      x.release();
      w.release();
    }
    await made.device.queue.onSubmittedWorkDone();
    expect(problems).toEqual([]);
    expect(Object.keys(made.choices.used).length).toBeGreaterThan(10);
    for (const { code } of made.kernels.compiled) {
      if (!profile.features.includes('subgroups')) expect(code).not.toMatch(/enable subgroups/);
      if (!profile.features.includes('shader-f16')) expect(code).not.toMatch(/enable f16/);
    }
  });
});
