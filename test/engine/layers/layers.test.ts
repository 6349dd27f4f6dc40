/** Each layer calls its operation with its own tensors and options. */
import { describe, expect, it } from 'vitest';
import {
  BatchNorm2d,
  backward,
  Conv2d,
  type Conv2dOptions,
  Dropout,
  type Gpu,
  Linear,
  type Module,
  Sequential,
  sum,
  type Tensor,
  Upsample2x,
  upload,
} from '../../../src/engine/index.ts';
import { normal } from '../../../src/engine/normal.ts';
import { deriveKey, uniform } from '../../../src/engine/random.ts';
import { batchNorm } from '../../../src/reference/batch-norm.ts';
import { conv2d } from '../../../src/reference/conv2d.ts';
import { dropout } from '../../../src/reference/dropout.ts';
import { linear } from '../../../src/reference/matmul.ts';
import { upsample } from '../../../src/reference/upsample.ts';
import { draw, type Values, values } from '../../../src/reference/values.ts';
import { expectAllClose } from '../../support/all-close.ts';
import { testGpu } from '../../support/gpu.ts';

const image = draw('NCHW', [2, 3, 6, 5]);

const onDevice = <A extends string>(gpu: Gpu, { axes, shape, data }: Values<A>): Tensor<A> =>
  upload(gpu, axes, shape, Float32Array.from(data));

/** A module's state as reference tensors. */
async function stateOf(module: Module) {
  const { tensors, counters } = await module.stateDict();
  const axesOf = (shape: readonly number[]) => (shape.length === 4 ? 'OCRS' : 'OC'.slice(2 - shape.length));
  const get = (name: string) => {
    const { shape, values: data } = tensors.get(name)!;
    return values(axesOf(shape), shape, data);
  };
  // biome-ignore lint/suspicious/noExplicitAny: letters differ from layer to layer
  return { get: get as (name: string) => any, counters };
}

describe('Conv2d and Linear', () => {
  it('convolve with their options', async () => {
    const gpu = await testGpu();
    using layer = new Conv2d(gpu, 3, 4, { kernel: [3, 2], stride: 2, padding: [1, 0] }).initialise(1);
    const { get } = await stateOf(layer);
    const got = await gpu.step(() => layer.call(onDevice(gpu, image)));
    const expected = conv2d({ input: image, weight: get('weight'), bias: get('bias') }, { stride: 2, padding: [1, 0] });
    expectAllClose(got, expected.data, 'output');
  });

  it('multiply', async () => {
    const gpu = await testGpu();
    using layer = new Linear(gpu, 7, 4).initialise(1);
    const { get } = await stateOf(layer);
    const input = draw('NC', [3, 7]);
    const got = await gpu.step(() => layer.call(onDevice(gpu, input)));
    expectAllClose(got, linear({ input, weight: get('weight'), bias: get('bias') }).data, 'output');
  });

  // Of 8 x 6 x 5 x 4 weights: fan-in 120, fan-out 160.
  const convolution = (gpu: Gpu, initial: Conv2dOptions['initial']) =>
    new Conv2d(gpu, 6, 8, { kernel: [5, 4], initial });
  it.each([
    { name: "PyTorch's", make: (gpu: Gpu) => convolution(gpu, 'torch'), weight: 120 ** -0.5, bias: 120 ** -0.5 },
    { name: "Glorot's", make: (gpu: Gpu) => convolution(gpu, 'glorot'), weight: (6 / 280) ** 0.5, bias: 0 },
    { name: "PyTorch's dense", make: (gpu: Gpu) => new Linear(gpu, 40, 25), weight: 40 ** -0.5, bias: 40 ** -0.5 },
    {
      name: "torchvision's dense",
      make: (gpu: Gpu) => new Linear(gpu, 40, 25, { initial: 'fan-out' }),
      weight: 25 ** -0.5,
      bias: 0,
    },
  ])('begin with $name uniform values', async ({ make, ...bounds }) => {
    using layer = make(await testGpu()).initialise(3);
    const { get } = await stateOf(layer);
    for (const [name, bound] of Object.entries(bounds).filter(([key]) => key !== 'name') as [string, number][]) {
      const drawn = Float32Array.from(get(name).data);
      expectAllClose(drawn, uniform(drawn.length, -bound, bound, deriveKey(3, name)), name);
      if (bound === 0) expect(new Set(drawn)).toEqual(new Set([0]));
      else if (drawn.length > 500) expect(Math.max(...drawn.map(Math.abs)) / bound).toBeGreaterThan(0.99);
    }
  });

  it("begin with He's normal values", async () => {
    using layer = convolution(await testGpu(), 'fan-out').initialise(3);
    const { get } = await stateOf(layer);
    const weight: number[] = Array.from(get('weight').data as Float64Array);
    expect(weight).toEqual(Array.from(normal(960, 0, (2 / 160) ** 0.5, deriveKey(3, 'weight'))));
    const deviation = (weight.reduce((total, x) => total + x * x, 0) / weight.length) ** 0.5;
    expect(Math.abs(deviation / (2 / 160) ** 0.5 - 1)).toBeLessThan(0.12); // five standard deviations
    expect(new Set(get('bias').data)).toEqual(new Set([0]));
  });

  it('of groups count the inputs of one group', async () => {
    using layer = new Conv2d(await testGpu(), 6, 6, { kernel: 3, groups: 6 }).initialise(3);
    const { get } = await stateOf(layer);
    const weight: number[] = Array.from(get('weight').data as Float64Array);
    expect(weight).toEqual(Array.from(uniform(54, -1 / 3, 1 / 3, deriveKey(3, 'weight'))));
  });
});

describe('BatchNorm2d', () => {
  it('counts batches and moves its statistics in training, and only then', async () => {
    const gpu = await testGpu();
    using layer = new BatchNorm2d(gpu, 3, { momentum: 0.5, activation: 'relu', epsilon: 1e-3 }).initialise(1);
    const call = () => gpu.step(() => layer.call(onDevice(gpu, image)));
    const options = { momentum: 0.5, activation: 'relu', epsilon: 1e-3 } as const;
    const of = async () => {
      const { get, counters } = await stateOf(layer);
      const given = {
        input: image,
        weight: get('weight'),
        bias: get('bias'),
        runningMean: get('running_mean'),
        runningVariance: get('running_var'),
      };
      return { given, count: counters.get('num_batches_tracked') };
    };

    const first = await of();
    const trained = batchNorm(first.given, { training: true, ...options });
    expectAllClose(await call(), trained.output.data, 'training');
    const second = await of();
    expect([first.count, second.count]).toEqual([0, 1]);
    expectAllClose(second.given.runningMean.data, trained.newMean.data, 'running mean');
    expectAllClose(second.given.runningVariance.data, trained.newVariance.data, 'running variance');

    layer.train(false);
    expectAllClose(await call(), batchNorm(second.given, { training: false, ...options }).output.data, 'evaluation');
    expect(await of()).toEqual(second);
    layer.train();
    await call();
    expect((await of()).count).toBe(2);
    layer.initialise(1);
    expect((await of()).count).toBe(0);
  });
});

describe('Dropout', () => {
  it('draws another mask at every call, the same ones for the same seed and name', async () => {
    const gpu = await testGpu();
    const input = draw('NC', [4, 50]);
    const layer = new Dropout(0.4).initialise(5);
    const call = () => gpu.step(() => layer.call(onDevice(gpu, input)));
    const drawn = [await call(), await call()];
    drawn.forEach((mask, i) => {
      expectAllClose(mask, dropout(input, 0.4, deriveKey(5, '.mask'), i).data, `mask ${i}`);
    });
    expect(drawn[0]).not.toEqual(drawn[1]);
    expect(layer.draws).toBe(2);
    layer.initialise(5);
    expect([await call(), await call()]).toEqual(drawn);
    expect(await gpu.step(() => new Dropout(0.4).initialise(6).call(onDevice(gpu, input)))).not.toEqual(drawn[0]);
    layer.draws = 1; // as a checkpoint does
    expect(await call()).toEqual(drawn[1]);
  });

  it('draws other masks under another name', async () => {
    const gpu = await testGpu();
    const input = draw('NCHW', [1, 1, 8, 8]);
    const network = new Sequential({ 0: new Dropout(0.5), 1: new Dropout(0.5) }).initialise(1);
    const [first, second] = Object.values(network.members());
    const [a, b] = await gpu.step(() => [first.call(onDevice(gpu, input)), second.call(onDevice(gpu, input))]);
    expect(a).not.toEqual(b);
  });

  it('does nothing and draws nothing in evaluation, or at rate 0', async () => {
    const gpu = await testGpu();
    const layer = new Dropout(0.4).initialise(5).train(false);
    const none = new Dropout(0).initialise(5);
    const x = upload(gpu, 'N', [2], [1, 2]);
    await gpu.step(() => {
      expect(layer.call(x)).toBe(x);
      expect(none.call(x)).toBe(x);
    });
    expect([layer.draws, none.draws]).toEqual([0, 0]);
    x.release();
  });
});

describe('Sequential', () => {
  it('calls one layer after another, and gives intermediates back when no gradient is wanted', async () => {
    const gpu = await testGpu();
    using network = new Sequential({
      0: new Conv2d(gpu, 3, 2, { kernel: 1 }),
      1: new Upsample2x(),
      2: new Dropout(0.5),
      3: new Conv2d(gpu, 2, 1, { kernel: 3 }),
    }).initialise(1);
    network.train(false);
    const { get } = await stateOf(network);
    const narrow = conv2d({ input: image, weight: get('0.weight'), bias: get('0.bias') });
    const expected = conv2d({
      input: upsample(narrow, [12, 10], 'nearest'),
      weight: get('3.weight'),
      bias: get('3.bias'),
    });

    const made: Tensor[] = [];
    const watch = async (recordsGradients: boolean) => {
      made.length = 0;
      gpu.onTensor = (tensor) => made.push(tensor);
      gpu.recordsGradients = recordsGradients;
      let alive: boolean[] = [];
      const input = onDevice(gpu, image);
      const output = await gpu.step(() => {
        const last = network.call(input);
        alive = [input, ...made].map(({ isAlive }) => isAlive);
        if (recordsGradients) backward(sum(last.keep()));
        return last;
      });
      gpu.onTensor = null;
      gpu.recordsGradients = true;
      input.release();
      expectAllClose(output, expected.data, 'output');
      return alive;
    };
    expect(await watch(false)).toEqual([true, false, false, true]);
    // With them, what no rule of the backward pass reads: upsampling's does not need its input.
    expect(await watch(true)).toEqual([true, false, true, true]);
  });
});
