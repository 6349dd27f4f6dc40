/** The registry: every network trains for its tasks, obeys its size rule, and freezes what it is told to. */
import { describe, expect, it } from 'vitest';
import { syntheticChests } from '../../src/data/synthetic.ts';
import { resolveConfig } from '../../src/mtunet/config.ts';
import { evaluate } from '../../src/mtunet/evaluate.ts';
import { buildNetwork, networkNames, sizeProblem } from '../../src/mtunet/networks.ts';
import type { StepRecord } from '../../src/mtunet/records.ts';
import { Trainer } from '../../src/mtunet/train.ts';
import { testGpu } from '../support/gpu.ts';

const size = { height: 32, width: 32 };
const dataset = syntheticChests({ seed: 3, train: 4, valid: 3, test: 3, ...size });
const shared = { ...size, network: { base: 4 }, epochs: 1, batchSize: 4 };

describe('configuration', () => {
  it('gives a network with one task the plain loss, unless another scheme is asked for', () => {
    const schemeOf = (...overrides: unknown[]) => resolveConfig('tiny', ...overrides).scheme.name;
    expect(schemeOf({ network: { name: 'unet-c' } })).toBe('sum');
    expect(schemeOf({ network: { name: 'mt-unet-t' } })).toBe('mtls3');
    expect(schemeOf({ scheme: { name: 'mtls1' } }, { network: { name: 'unet-s' } })).toBe('mtls1');
  });

  it('says which length a network does not take, and which one it does', () => {
    expect(sizeProblem('mt-unet', 104)).toBe('is not a multiple of 16, which four poolings by two need; use 112');
    expect(sizeProblem('mt-unet', 112)).toBeNull();
    expect(sizeProblem('inception-resnet-v2', 64)).toBe(
      'is smaller than 75, which its unpadded convolutions need; use 75 or more',
    );
    expect(sizeProblem('simplenet', 112)).toMatch(/^is not a multiple of 32, .*; use 128$/);
    expect(() => resolveConfig('tiny', { width: 72 })).toThrow(/mt-unet: width 72 is not a multiple of 16.*use 80/);
  });

  it.each(networkNames)('%s takes the sizes of presets paper and released', (name) => {
    for (const preset of ['paper', 'released']) {
      const { network } = resolveConfig(preset, { network: { name } });
      expect(network.name).toBe(name);
    }
  });

  it('reads a run that was configured before a network had these options', () => {
    const { inputChannels, frozen, ...before } = resolveConfig('tiny').network;
    expect(resolveConfig('tiny', { network: before }).network).toEqual({ ...before, inputChannels, frozen });
  });
});

describe('training', () => {
  it.each([
    { name: 'unet-c', classLoss: expect.any(Number), saliencyLoss: null },
    { name: 'unet-s', classLoss: null, saliencyLoss: expect.any(Number) },
    { name: 'mt-unet', classLoss: expect.any(Number), saliencyLoss: expect.any(Number) },
  ])('$name has the losses of its tasks and no other', async ({ name, ...losses }) => {
    const gpu = await testGpu();
    const config = resolveConfig('tiny', shared, { network: { name } });
    const steps: StepRecord[] = [];
    using trainer = new Trainer(gpu, config, dataset, { step: (record) => steps.push(record) });
    await trainer.run();
    expect(steps).toEqual([expect.objectContaining({ step: 1, ...losses })]);
    const { record } = await evaluate(gpu, trainer.model, dataset, { batchSize: 2, epoch: 1 });
    expect([record.classification !== null, record.saliency !== null]).toEqual(
      [losses.classLoss, losses.saliencyLoss].map((loss) => loss !== null),
    );
  });

  it('repeats the film for a network that expects colour', async () => {
    const gpu = await testGpu();
    const config = resolveConfig('tiny', shared, { network: { name: 'unet-c', inputChannels: 3 } });
    using trainer = new Trainer(gpu, config, dataset);
    const first = [...trainer.model.parameters()][0];
    expect(first.tensor.shape).toEqual([4, 3, 3, 3]);
    expect((await trainer.run()).bestEpoch).toBe(1);
  });

  it('leaves frozen parts as they were, statistics included, and trains the rest', async () => {
    const gpu = await testGpu();
    const config = resolveConfig('tiny', shared, { network: { frozen: ['encoder', 'Up5.1.weight'] } });
    using trainer = new Trainer(gpu, config, dataset);
    const before = await trainer.model.stateDict();
    await trainer.run();
    const after = await trainer.model.stateDict();
    const moved = [...after.tensors].filter(([name, { values }]) =>
      values.some((value, i) => value !== before.tensors.get(name)!.values[i]),
    );
    const names = moved.map(([name]) => name);
    expect(names.filter((name) => name.startsWith('Conv') || name === 'Up5.1.weight')).toEqual([]);
    for (const name of ['Up5.1.bias', 'Up5.2.running_mean', 'out_classification.linear_2.weight'])
      expect(names, name).toContain(name);
    expect(after.counters.get('Conv1.1.num_batches_tracked')).toBe(0);
    expect(after.counters.get('Up5.2.num_batches_tracked')).toBe(1);
  });

  it('gives parts their own learning rates, the most particular name first', async () => {
    const gpu = await testGpu();
    const rates = { encoder: 0, 'Conv5.0': 0.5, Up5: 1 };
    const config = resolveConfig('tiny', shared, { optimizer: { learningRate: 0.01, rates } });
    using trainer = new Trainer(gpu, config, dataset);
    const before = await trainer.model.stateDict();
    await trainer.run();
    const after = await trainer.model.stateDict();
    // Adam's first step has the length of the rate wherever the gradient is not tiny.
    const largestMove = (name: string) => {
      const [old, now] = [before, after].map(({ tensors }) => tensors.get(name)!.values);
      return now.reduce((most, value, i) => Math.max(most, Math.abs(value - old[i])), 0);
    };
    expect(largestMove('Conv4.3.weight')).toBe(0);
    expect(largestMove('Conv5.0.weight')).toBeCloseTo(0.005, 4);
    expect(largestMove('Up5.1.weight')).toBeCloseTo(0.01, 4);
    expect(() => new Trainer(gpu, resolveConfig('tiny', shared, { optimizer: { rates: { Up: 1 } } }), dataset)).toThrow(
      /rates: no part .*"Up"/,
    );
  });

  it('gives the scheme its own learning rate', async () => {
    const gpu = await testGpu();
    const sigmasAfter = async (rates: Record<string, number>) => {
      const config = resolveConfig('tiny', shared, { optimizer: { learningRate: 0.01, rates } });
      using trainer = new Trainer(gpu, config, dataset);
      await trainer.run();
      const { tensors } = await trainer.scheme.stateDict();
      return [...tensors.values()].map(({ values }) => Math.abs(values[0]));
    };
    for (const moved of await sigmasAfter({ scheme: 3 })) expect(moved).toBeCloseTo(0.03, 4);
    for (const moved of await sigmasAfter({})) expect(moved).toBeCloseTo(0.01, 4);
    const plain = resolveConfig('tiny', shared, { scheme: { name: 'sum' }, optimizer: { rates: { scheme: 3 } } });
    expect(() => new Trainer(gpu, plain, dataset)).toThrow(/learns nothing of its own/);
  });

  it('refuses to freeze what is not there', async () => {
    const gpu = await testGpu();
    const options = resolveConfig('tiny', { network: { frozen: ['Conv'] } }).network;
    expect(() => buildNetwork(gpu, options, 3, 1)).toThrow(
      /freeze: no part .*"Conv"; its parts are dummy_tensor, Conv1/,
    );
  });
});
