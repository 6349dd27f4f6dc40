/** What networks cost, counted without an adapter, against counts of the published implementations at 640 x 416. */
import { describe, expect, it } from 'vitest';
import { presets, resolveConfig } from '../../src/mtunet/config.ts';
import { networkCosts, trainingMemory } from '../../src/mtunet/costs.ts';
import { type NetworkName, networkNames, networks } from '../../src/mtunet/networks.ts';

const { network } = resolveConfig('paper');
const options = (name: NetworkName) => ({ ...network, name, classes: 3 });
const paper = { height: 640, width: 416 };

describe('at the size of the paper', () => {
  // Sums over every layer of the reference implementations, run on one image with one channel.
  const multiplyAdds: Record<NetworkName, number> = {
    'mt-unet': 274_981_261_504,
    'mt-unet-b': 274_981_257_408,
    'mt-unet-t': 274_981_195_968,
    'unet-c': 265_149_550_784,
    'unet-s': 274_981_191_680,
    resnet50: 21_269_387_264,
    'efficientnet-v2-s': 15_070_573_056,
    'inception-resnet-v2': 41_031_453_984,
    simplenet: 144_404_190_624,
    'msi-net': 157_537_730_560,
    // The reference also computes attn1.value_conv, whose result nothing reads.
    'vgg-ssm': 304_972_595_200 - 512 * 512 * 40 * 26,
  };

  it.each(networkNames)('%s has the parameters and multiply-adds of its reference', (name) => {
    const costs = networkCosts(options(name), paper);
    expect(costs).toEqual({
      parameters: networks[name].parameters,
      trained: name === 'vgg-ssm' ? 27_972_674 : networks[name].parameters,
      multiplyAdds: multiplyAdds[name],
    });
  });
});

it.each([
  { name: 'resnet50', parameters: 25_557_032 },
  { name: 'efficientnet-v2-s', parameters: 21_458_488 },
  { name: 'inception-resnet-v2', parameters: 55_843_464 },
  { name: 'simplenet', parameters: 116_209_060 },
  { name: 'msi-net', parameters: 24_934_209 },
  { name: 'vgg-ssm', parameters: 42_687_362 },
] as const)('$name for colour and 1,000 classes has its published $parameters parameters', ({ name, parameters }) => {
  const size = { height: 96, width: 96 };
  expect(networkCosts({ ...options(name), inputChannels: 3, classes: 1000 }, size).parameters).toBe(parameters);
});

describe('memory of a training step', () => {
  const size = { height: 64, width: 64, batchSize: 2 };

  it('holds parameters, two moments and the statistics, and gradients and activations on top', () => {
    const { lasting, peak } = trainingMemory(options('resnet50'), size);
    const { parameters } = networks.resnet50;
    expect(lasting).toBeGreaterThan(3 * 4 * parameters);
    expect(lasting).toBeLessThan(3.4 * 4 * parameters); // buffers come in sizes, an eighth too large at most
    expect(peak).toBeGreaterThan(lasting + 4 * parameters);
  });

  it('is less with a frozen encoder', () => {
    const whole = trainingMemory({ ...options('vgg-ssm'), frozen: [] }, size);
    const frozen = trainingMemory(options('vgg-ssm'), size);
    expect(frozen.lasting).toBeLessThan(whole.lasting);
    expect(frozen.peak - frozen.lasting).toBeLessThan(whole.peak - whole.lasting);
  });

  it('of preset paper at batch 6 is at most 8 GB, recomputed, and at most 1.3 times what is needed, stored', () => {
    const { network, height, width, batchSize, memory } = presets.paper;
    const unet = { ...network, dropout: 0.25, classes: 3 };
    expect(memory).toBe('recompute');
    expect(trainingMemory(unet, { height, width, batchSize }, { memory }).pooled).toBeLessThan(8e9);
    const stored = trainingMemory(unet, { height, width, batchSize });
    expect(stored.pooled / (stored.lasting + stored.saved)).toBeLessThan(1.3);
  });
});
