/** MT-UNet and its relatives as networks: sizes, initial values, what a pass changes and what it costs. */
import { afterAll, describe, expect, it, vi } from 'vitest';
import { Adam, backward, type Gpu, type StateDict, upload, withoutGradient } from '../../src/engine/index.ts';
import { predictBatch } from '../../src/mtunet/losses.ts';
import { MTUNet, type MTUNetConfig, unetFamily } from '../../src/mtunet/model.ts';
import { schemes, UncertaintyScheme } from '../../src/mtunet/schemes/uncertainty.ts';
import { testGpu } from '../support/gpu.ts';

type Name = keyof typeof unetFamily;
const names = Object.keys(unetFamily) as Name[];

const N = 2;
const size = { height: 32, width: 48 };
const area = size.height * size.width;
const batch = {
  images: Float32Array.from({ length: N * area }, (_, i) => Math.sin(i * 0.37) + Math.cos(i * 0.011)),
  gaze: new Float32Array(N * area).fill(1 / area),
  labels: Uint32Array.of(0, 2),
};

const small = (gpu: Gpu, config: Partial<MTUNetConfig> = {}, seed = 0) => new MTUNet(gpu, { base: 4, ...config }, seed);

/** One pass through the network, and where `learn` is set through its loss and back. */
function pass(gpu: Gpu, model: MTUNet, learn: boolean) {
  const { prediction, losses } = predictBatch(gpu, model, batch, size);
  if (learn) backward(new UncertaintyScheme(gpu, schemes.sum).call(losses));
  return prediction;
}

describe('at the width of the paper', () => {
  afterAll(async () => (await testGpu()).trim());

  // Counted on the released code.
  const counts: Record<Name, number> = {
    'mt-unet': 34_632_836,
    'mt-unet-b': 34_628_740,
    'mt-unet-t': 34_567_300,
    'unet-c': 34_595_715,
    'unet-s': 34_562_945,
  };

  it.each(names)('%s has its number of parameters', async (name) => {
    using model = new MTUNet(await testGpu(), unetFamily[name]);
    expect(model.parameterCount).toBe(counts[name]);
  });
});

describe('sizes', () => {
  it.each([
    { height: 30, width: 48, remedy: '32 x 48' },
    { height: 48, width: 40, remedy: '48 x 48' },
    { height: 24, width: 16, remedy: '32 x 16' },
    { height: 5, width: 71, remedy: '16 x 64' },
  ])('refuses $height x $width', async ({ height, width, remedy }) => {
    const gpu = await testGpu();
    using model = small(gpu);
    const image = upload(gpu, 'NCHW', [1, 1, height, width], new Float32Array(height * width), 'film');
    const problem = `MT-UNet: height ${height} and width ${width} must be multiples of 16.`;
    const run = () => gpu.step(() => model.call(image).saliency);
    expect(run).toThrow(problem);
    expect(run).toThrow(`Use ${remedy}: four poolings by two must divide both.`);
    image.release();
  });

  it('takes a single image of the smallest size', async () => {
    const gpu = await testGpu();
    using model = small(gpu).train(false);
    const prediction = await gpu.step(() => {
      const { diagnosis, saliency } = model.call(upload(gpu, 'NCHW', [1, 1, 16, 16], new Float32Array(256).fill(0.5)));
      expect([diagnosis?.shape, saliency?.shape]).toEqual([
        [1, 3],
        [1, 16, 16],
      ]);
      return { diagnosis: diagnosis!, saliency: saliency! };
    });
    expect([...prediction.diagnosis, ...prediction.saliency].every(Number.isFinite)).toBe(true);
  });

  it('refuses to be without heads', async () => {
    const gpu = await testGpu();
    expect(() => small(gpu, { diagnosis: 'none', saliency: 'none' })).toThrow(
      'a network without heads predicts nothing',
    );
  });
});

describe('initial values', () => {
  it('are the same for the same seed, and others for another', async () => {
    const gpu = await testGpu();
    const [first, again, other] = await Promise.all([3, 3, 4].map((seed) => stateOf(small(gpu, {}, seed))));
    expectSameState(again, first);
    // Normalisations begin with constants, everything else at random.
    const names = [...first.tensors.keys()];
    const normalises = (name: string) => first.tensors.has(name.replace(/\w+$/, 'running_mean'));
    const differs = (name: string) => first.tensors.get(name)!.values[0] !== other.tensors.get(name)!.values[0];
    expect(names.filter(differs)).toEqual(names.filter((name) => !normalises(name)));
  });

  it.each(names)('of %s are those of MT-UNet where both have the part', async (name) => {
    const gpu = await testGpu();
    const whole = await stateOf(small(gpu));
    const relative = await stateOf(small(gpu, unetFamily[name]));
    // A class head that sees fewer features is another layer.
    const shared = [...relative.tensors].filter(
      ([part]) => name === 'unet-c' || !part.startsWith('out_classification.linear_1'),
    );
    const trunk = shared.filter(([part]) => part.startsWith('Conv') || part.startsWith('Up'));
    expect(trunk).toHaveLength(9 * 12 + 4 * 6); // Nine blocks and four raisings.
    for (const [part, { values }] of shared) expect(values, part).toEqual(whole.tensors.get(part)?.values);
  });
});

describe('passes', () => {
  it.each(names)('a gradient reaches every parameter of %s', async (name) => {
    const gpu = await testGpu();
    using model = small(gpu, { ...unetFamily[name], dropout: 0 });
    const parameters = [...model.parameters()];
    const gradients = await gpu.step(() => {
      pass(gpu, model, true);
      return Object.fromEntries(parameters.map((parameter) => [parameter.name, parameter.tensor.gradient]));
    });
    for (const { name, tensor } of parameters) {
      const gradient = gradients[name] as unknown as Float32Array;
      expect(gradient, name).toHaveLength(tensor.size);
      expect(gradient.every(Number.isFinite), name).toBe(true);
      // A bias that a normalisation subtracts again, or the softmax over all pixels, has no effect.
      const idle = name === 'out_conv_image.conv_last.bias' || /(\.0|\.3|Up\d\.1|conv2d)\.bias$/.test(name);
      const largest = gradient.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      if (idle) expect(largest, name).toBeLessThan(1e-4);
      else expect(largest, name).toBeGreaterThan(1e-5);
    }
  });

  it('training moves the statistics and evaluation leaves everything as it was', async () => {
    const gpu = await testGpu();
    using model = small(gpu);
    await gpu.step(() => void pass(gpu, model, true));
    const before = await model.stateDict();
    expect(before.counters.get('Conv1.1.num_batches_tracked')).toBe(1);
    expect(before.tensors.get('Conv1.1.running_mean')!.values).not.toEqual(new Float32Array(4));
    model.train(false);
    const first = await gpu.step(() => pass(gpu, model, false));
    const second = await gpu.step(() => withoutGradient(gpu, () => pass(gpu, model, false)));
    expect(second).toEqual(first);
    expectSameState(await model.stateDict(), before);
  });

  it('evaluation without gradients holds less memory than with', async () => {
    const gpu = await testGpu();
    using model = small(gpu).train(false);
    const peak = async (step: () => void) => {
      gpu.pool.resetPeak();
      const before = gpu.memory().liveBytes;
      await gpu.step(step);
      expect(gpu.memory().liveBytes).toBe(before);
      return gpu.memory().peakBytes - before;
    };
    const remembering = await peak(() => void pass(gpu, model, false));
    const forgetting = await peak(() => withoutGradient(gpu, () => void pass(gpu, model, false)));
    expect(forgetting).toBeLessThan(remembering / 3);
    expect(forgetting).toBeGreaterThan(0);
  });

  it('a repeated training step makes no buffers and bind groups', async () => {
    const gpu = await testGpu();
    using model = small(gpu);
    const optimizer = new Adam(model.parameters());
    const step = () =>
      gpu.step(() => {
        pass(gpu, model, true);
        optimizer.step();
      });
    await step();
    await step();
    const makers = [vi.spyOn(gpu.device, 'createBuffer'), vi.spyOn(gpu.device, 'createBindGroup')];
    for (let k = 0; k < 3; k++) await step();
    const made = makers.map((maker) => maker.mock.calls.length);
    for (const maker of makers) maker.mockRestore();
    optimizer.dispose();
    expect(made).toEqual([0, 0]);
  });
});

async function stateOf(model: MTUNet): Promise<StateDict> {
  const state = await model.stateDict();
  model.dispose();
  return state;
}

function expectSameState(got: StateDict, want: StateDict): void {
  expect(got.counters).toEqual(want.counters);
  expect([...got.tensors.keys()]).toEqual([...want.tensors.keys()]);
  for (const [name, { shape, values }] of got.tensors) {
    expect([shape, values], name).toEqual([want.tensors.get(name)!.shape, want.tensors.get(name)!.values]);
  }
}
