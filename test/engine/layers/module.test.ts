import { describe, expect, it } from 'vitest';
import {
  BatchNorm2d,
  Conv2d,
  type Gpu,
  Linear,
  Sequential,
  type StateDict,
  Upsample2x,
} from '../../../src/engine/index.ts';
import { Counter, Module, stateTensor } from '../../../src/engine/layers/module.ts';
import { deriveKey, uniform } from '../../../src/engine/random.ts';
import { testGpu } from '../../support/gpu.ts';

class Network extends Module {
  readonly body: Sequential;
  readonly head: Linear;

  constructor(gpu: Gpu) {
    super();
    // As in PyTorch's nn.Sequential(Conv2d, BatchNorm2d, ReLU, Conv2d, Upsample): the ReLU is number 2.
    this.body = new Sequential({
      0: new Conv2d(gpu, 3, 4, { kernel: 3, padding: 1 }),
      1: new BatchNorm2d(gpu, 4, { activation: 'relu' }),
      3: new Conv2d(gpu, 4, 2, { kernel: [1, 5], bias: false, groups: 2 }),
      4: new Upsample2x(),
    });
    this.head = new Linear(gpu, 2, 5);
  }

  members() {
    return { body: this.body, head: this.head };
  }
}

const NAMES = [
  'body.0.weight',
  'body.0.bias',
  'body.1.weight',
  'body.1.bias',
  'body.1.running_mean',
  'body.1.running_var',
  'body.1.num_batches_tracked',
  'body.3.weight',
  'head.weight',
  'head.bias',
];

/** A network that is given back when the test ends. */
async function using<T>(body: (network: Network, gpu: Gpu) => Promise<T>): Promise<T> {
  const gpu = await testGpu();
  using network = new Network(gpu);
  return await body(network, gpu);
}

describe('names', () => {
  it('are those of a state_dict, in its order', () =>
    using(async (network) => {
      expect([...network.entries()].map(({ name }) => name)).toEqual(NAMES);
      const parameters = [...network.parameters()].map(({ name }) => name);
      expect(parameters).toEqual(NAMES.filter((name) => !/running|num_batches/.test(name)));
      expect([...network.modules()].map(({ name }) => name)).toEqual([
        '',
        'body',
        'body.0',
        'body.1',
        'body.3',
        'body.4',
        'head',
      ]);
    }));

  it('count what is trained', () =>
    using(async (network) => {
      expect(network.parameterCount).toBe(3 * 4 * 9 + 4 + 4 + 4 + 2 * 2 * 5 + 2 * 5 + 5);
    }));
});

describe('initial values', () => {
  it('lie within 1 / sqrt(fan-in), use that range, and depend on the seed and the name alone', () =>
    using(async (network) => {
      network.initialise(7);
      const { tensors, counters } = await network.stateDict();
      for (const [name, bound] of [
        ['body.0.weight', 1 / Math.sqrt(27)],
        ['body.0.bias', 1 / Math.sqrt(27)],
        ['body.3.weight', 1 / Math.sqrt(2 * 5)],
        ['head.weight', 1 / Math.sqrt(2)],
      ] as const) {
        const { values } = tensors.get(name)!;
        expect(values).toEqual(uniform(values.length, -bound, bound, deriveKey(7, name)));
        expect(Math.max(...values.map(Math.abs)), name).toBeGreaterThan(bound / 2);
        expect(Math.max(...values.map(Math.abs)), name).toBeLessThanOrEqual(Math.fround(bound));
      }
      expect([...tensors.get('body.1.weight')!.values, ...tensors.get('body.1.running_var')!.values]).toEqual(
        Array(8).fill(1),
      );
      expect([...tensors.get('body.1.bias')!.values, ...tensors.get('body.1.running_mean')!.values]).toEqual(
        Array(8).fill(0),
      );
      expect([...counters]).toEqual([['body.1.num_batches_tracked', 0]]);
    }));

  it('are the same again, and others for another seed', () =>
    using(async (network) => {
      const draw = async (seed: number) =>
        (await network.initialise(seed).stateDict()).tensors.get('head.weight')?.values;
      const first = await draw(1);
      expect(await draw(2)).not.toEqual(first);
      expect(await draw(1)).toEqual(first);
    }));

  it('must be defined for every tensor', async () => {
    const gpu = await testGpu();
    class Bare extends Module {
      readonly scale = stateTensor(gpu, 'C', [1], 'scale', true);
      members() {
        return { scale: this.scale };
      }
    }
    using bare = new Bare();
    expect(() => bare.initialise(1)).toThrow('scale: no initial value is defined for this tensor.');
  });
});

describe('a state', () => {
  it('that is loaded is the one that was saved', () =>
    using(async (network, gpu) => {
      const saved = await network.initialise(3).stateDict();
      (saved.counters as Map<string, number>).set('body.1.num_batches_tracked', 42);
      using other = new Network(gpu);
      other.initialise(4).loadStateDict(saved);
      expect(await other.stateDict()).toEqual(saved);
    }));

  it.each<[string, (state: { tensors: Map<string, unknown>; counters: Map<string, number> }) => void, RegExp]>([
    [
      'lacks some and has others',
      ({ tensors }) => {
        tensors.set('head.wait', tensors.get('head.weight'));
        tensors.delete('head.weight');
      },
      /^state: the names do not fit this network; missing: head\.weight; superfluous: head\.wait\.$/,
    ],
    [
      'lacks more than five',
      ({ tensors }) => tensors.clear(),
      /missing: body\.0\.weight, body\.0\.bias, body\.1\.weight, body\.1\.bias, body\.1\.running_mean, \.\.\.; superfluous: none\./,
    ],
    [
      'has another shape',
      ({ tensors }) => tensors.set('head.bias', { shape: [4], values: new Float32Array(4) }),
      /state: head\.bias has another shape in the file\.\n {2}network C=5 {3}\(.*\)\n {2}file {4}C=4/,
    ],
    [
      'has fewer values than its shape says',
      ({ tensors }) => tensors.set('head.bias', { shape: [5], values: new Float32Array(4) }),
      /head\.bias.*4 values/,
    ],
    [
      'has a tensor where a counter belongs',
      ({ tensors, counters }) => {
        counters.clear();
        tensors.set('body.1.num_batches_tracked', { shape: [], values: Float32Array.of(1) });
      },
      /body\.1\.num_batches_tracked.*counter/,
    ],
    [
      'has a counter where a tensor belongs',
      ({ tensors, counters }) => {
        tensors.delete('head.bias');
        counters.set('head.bias', 1);
      },
      /head\.bias.*counter/,
    ],
  ])('that %s is refused, and nothing is changed', (_, spoil, message) =>
    using(async (network) => {
      const before = await network.initialise(3).stateDict();
      const zeros = [...before.tensors].map(([name, { shape, values }]) => {
        return [name, { shape, values: new Float32Array(values.length) }] as const;
      });
      const state = { tensors: new Map(zeros), counters: new Map(before.counters) };
      spoil(state);
      expect(() => network.loadStateDict(state as StateDict)).toThrow(message);
      expect(await network.stateDict()).toEqual(before);
    }),
  );
});

describe('modes and life', () => {
  it('train() and train(false) reach every module below', () =>
    using(async (network) => {
      const modes = () => new Set([...network.modules()].map(({ module }) => module.training));
      expect(modes()).toEqual(new Set([true]));
      expect(network.train(false)).toBe(network);
      expect(modes()).toEqual(new Set([false]));
      network.train();
      expect(modes()).toEqual(new Set([true]));
    }));

  it('dispose gives every tensor back, once', async () => {
    const gpu = await testGpu();
    const { liveStorages } = gpu.memory();
    const network = new Network(gpu);
    expect(gpu.memory().liveStorages).toBe(liveStorages + NAMES.length - 1);
    network.dispose();
    network.dispose();
    expect(gpu.memory().liveStorages).toBe(liveStorages);
  });

  it('a module must be made outside a step', async () => {
    const gpu = await testGpu();
    await expect(async () => gpu.step(() => void new Linear(gpu, 1, 1))).rejects.toThrow(
      'linear weight: a module must be made outside a step, or its tensors would pass with it.',
    );
  });

  it('a state without tensors is empty', async () => {
    class Counting extends Module {
      readonly count = new Counter();
      members() {
        return { count: this.count };
      }
    }
    expect(await new Counting().stateDict()).toEqual({ tensors: new Map(), counters: new Map([['count', 0]]) });
  });
});
