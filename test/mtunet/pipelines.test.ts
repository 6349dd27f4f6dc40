/** What is compiled before a training's first step is all that it needs, and changes no bit. */
import { describe, expect, it } from 'vitest';
import { syntheticChests } from '../../src/data/synthetic.ts';
import { dryGpu } from '../../src/engine/dry.ts';
import { type Gpu, openGpu } from '../../src/engine/index.ts';
import { type ConfigOverrides, resolveConfig, type TrainConfig } from '../../src/mtunet/config.ts';
import { preparePipelines, trainingKernels } from '../../src/mtunet/pipelines.ts';
import type { EpochRecord, StepRecord } from '../../src/mtunet/records.ts';
import { schemeNames } from '../../src/mtunet/schemes/index.ts';
import { Trainer } from '../../src/mtunet/train.ts';
import { testGpu } from '../support/gpu.ts';

const small: ConfigOverrides = {
  height: 32,
  width: 32,
  epochs: 1,
  batchSize: 2,
  network: { base: 1 },
  synthetic: { train: 5, valid: 3, test: 3 },
};
const configure = (overrides: ConfigOverrides = {}) => resolveConfig('tiny', small, overrides);
const chests = ({ height, width, synthetic }: TrainConfig) => syntheticChests({ ...synthetic, height, width });

async function trained(gpu: Gpu, config: TrainConfig) {
  const steps: StepRecord[] = [];
  const epochs: Omit<EpochRecord, 'seconds'>[] = [];
  using trainer = new Trainer(gpu, config, chests(config), {
    step: (record) => steps.push(record),
    epoch: ({ seconds: _, ...record }) => epochs.push(record),
  });
  await trainer.run();
  return { steps, epochs };
}

const keys = (gpu: Gpu) => gpu.kernels.compiled.map(({ key }) => key).sort();

describe('found without a device', () => {
  const optimizers = ['adam', 'rmsprop', 'sgd'] as const;
  it.each([
    ...schemeNames.map((name, i): [string, ConfigOverrides] => [
      name,
      { scheme: { name }, optimizer: { name: optimizers[i % 3] } },
    ]),
    ['recomputed activations', { memory: 'recompute', network: { base: 8 } }],
    ['the entropy of the gaze', { saliencyLoss: 'cross-entropy' }],
    ['one task', { network: { name: 'unet-s' } }],
    ['frozen parts and three channels', { network: { frozen: ['encoder'], inputChannels: 3 } }],
    ['whole batches alone', { synthetic: { train: 4, valid: 4, test: 3 } }],
    ['a batch that is larger than the set', { batchSize: 6 }],
  ] satisfies [string, ConfigOverrides][])('a training on a GPU compiles nothing later: %s', async (_, overrides) => {
    const config = configure(overrides);
    using gpu = dryGpu();
    gpu.device.createComputePipeline = ({ label }) => expect.unreachable(`${label} at its first use`);
    const { steps } = await trained(gpu, config);
    expect(steps).toHaveLength(Math.ceil(config.synthetic.train / config.batchSize));
    // And little that is never asked for: mixed sizes share their kernels.
    expect(keys(gpu).length).toBeLessThan(80);
  });

  it('are those of the device: its kind, limits, features and pinned kernels', async () => {
    const gpu = await testGpu();
    const config = configure(gpu.features.has('shader-f16') ? { precision: 'f16' } : {});
    using device = dryGpu({ like: gpu, largestBinding: 8192 });
    await trained(device, config);
    const used = keys(device);
    const found = async (as: Gpu) => (await trainingKernels(as, config, chests(config))).map(({ key }) => key).sort();
    expect(await found(device)).toEqual(used);
    expect(used.filter((key) => / of 8192$/.test(key)).length, 'tensors in several bindings').toBeGreaterThan(0);
    expect(used.some((key) => key.includes(' f16'))).toBe(config.precision === 'f16');
    if (gpu.description.software) expect(keys(device), 'nothing is compiled ahead on a processor').toEqual(used);

    const [[layer]] = Object.entries(device.choices.used);
    const pinned = device.choices.used[layer] === 'plain' ? 'gemm-16' : 'plain';
    device.choices.pin({ [layer]: pinned });
    expect(await found(device)).not.toEqual(used);
    expect(device.choices.used, 'the record of what the run used is its own').toEqual({});
  });
});

describe('on this adapter', () => {
  it('a prepared training compiles nothing more and has the same bits', async () => {
    using plain = await openGpu();
    const config = configure({ scheme: { name: 'mtls1' } });
    const unprepared = await trained(plain, config);
    using gpu = await openGpu();
    await gpu.prepare(await trainingKernels(gpu, config, chests(config)));
    const prepared = keys(gpu);
    expect(await trained(gpu, config)).toEqual(unprepared);
    expect(keys(gpu)).toEqual(prepared);
    expect(keys(plain)).toEqual(prepared);
  });

  it('pipelines are made ahead unless it computes on a processor', async () => {
    const config = configure();
    using like = dryGpu({ like: await testGpu() });
    await preparePipelines(like, config, chests(config));
    expect(like.kernels.pipelineCount > 0).toBe(!like.description.software);
    using hardware = dryGpu();
    await preparePipelines(hardware, config, chests(config));
    expect(hardware.kernels.pipelineCount).toBeGreaterThan(30);
  });
});
