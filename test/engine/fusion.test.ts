/** Convolutions that take in what is around them: inputs that nobody writes, and statistics on the way. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  add,
  BatchNorm2d,
  backward,
  Conv2d,
  concat,
  type Gpu,
  gradients,
  maxPool2d,
  mean,
  parameter,
  Sequential,
  square,
  type Tensor,
  upload,
  upsample2x,
  write,
} from '../../src/engine/index.ts';
import { draw } from '../../src/reference/values.ts';
import { testGpu } from '../support/gpu.ts';

let gpu: Gpu;
let fuses: boolean;

beforeEach(async () => {
  gpu = await testGpu();
  ({ fuses } = gpu);
  gpu.fuses = true;
});

afterEach(() => {
  gpu.fuses = fuses;
});

const norm = (channels: number) => new BatchNorm2d(gpu, channels, { activation: 'relu' });
const conv = (inputs: number, outputs: number) => new Conv2d(gpu, inputs, outputs, { kernel: 3, padding: 1 });

interface Size {
  readonly N: number;
  /** Of the input, of the skip, of what is joined to it and of the output. */
  readonly channels: readonly [number, number, number, number];
  readonly H: number;
  readonly W: number;
}

/** A level of a U-Net: a skip, what comes back from below it, both joined. `see` is shown every tensor that could be left unwritten. */
async function level({ N, channels: [C, S, U, O], H, W }: Size, see: (tensor: Tensor, name: string) => void) {
  const image = parameter(gpu, 'NCHW', [N, C, H, W], Float32Array.from(draw('NCHW', [N, C, H, W]).data), 'image');
  const parts = {
    encoder: new Sequential([conv(C, S), norm(S)]).initialise(1),
    below: new Sequential([conv(S, U), norm(U)]).initialise(2),
    up: new Sequential([conv(U, U), norm(U)]).initialise(3),
    decoder: new Sequential([conv(S + U, O), norm(O), conv(O, O), norm(O)]).initialise(4),
  };
  const shown = <T extends Tensor>(tensor: T, name: string): T => {
    see(tensor, name);
    return tensor;
  };
  try {
    return await gpu.step(() => {
      const skip = shown(parts.encoder.call(image), 'skip');
      const below = shown(parts.below.call(shown(maxPool2d(skip, { size: 2 }), 'pooled')), 'below');
      const raised = shown(parts.up.call(shown(upsample2x(below), 'enlarged')), 'raised');
      const joined = shown(concat([skip, raised], 'C'), 'joined');
      const output = parts.decoder.call(joined);
      const loss = add(mean(square(output)), mean(output)) as Tensor<''>;
      backward(loss);
      const state = Object.values(parts).flatMap((part) => [...part.entries()].map(({ member }) => member));
      const gradients = state.flatMap((member) => ('gradient' in member && member.gradient ? [member.gradient] : []));
      return { loss, gradients: [image.gradient!, ...gradients] };
    });
  } finally {
    image.release();
    for (const part of Object.values(parts)) part.dispose();
  }
}

const sizes: Size[] = [
  { N: 2, channels: [3, 8, 8, 8], H: 20, W: 24 },
  { N: 1, channels: [1, 12, 20, 10], H: 22, W: 30 }, // tiles that are not full, in channels, rows and columns
  { N: 2, channels: [2, 6, 5, 9], H: 4, W: 18 }, // groups of channels that are not whole
];

describe('what convolutions read in place', () => {
  it.each(sizes)('gives the bits of what is written first: %j', async (size) => {
    const written = await level(size, (tensor) => void tensor.storage);
    const present: string[] = [];
    const inPlace = await level(size, (tensor, name) => {
      if (tensor.isPresent) present.push(name);
    });
    expect(present, 'only the pooled is written').toEqual(['pooled']);
    expect(inPlace).toEqual(written);
    for (const gradient of inPlace.gradients)
      expect(Array.from(gradient as Float32Array).every(Number.isFinite)).toBe(true);
  });

  it.each(sizes)('is what other convolutions compute, which write it: %j', async (size) => {
    const fused = await level(size, () => {});
    gpu.fuses = false;
    const present: boolean[] = [];
    const apart = await level(size, ({ isPresent }) => present.push(isPresent));
    expect(present.every(Boolean)).toBe(true);
    expect(fused.loss).toBeCloseTo(apart.loss as number, 5);
    fused.gradients.forEach((gradient, i) => {
      const other = apart.gradients[i] as Float32Array;
      const scale = Math.max(...Array.from(other, Math.abs), 1e-3);
      const apartBy = Array.from(gradient as Float32Array, (value, k) => Math.abs(value - other[k]) / scale);
      expect(Math.max(...apartBy), `gradient ${i}`).toBeLessThan(2e-4);
    });
  });
});

describe('a tensor that nobody has written', () => {
  const features = (N: number, C: number, H: number, W: number) =>
    parameter(gpu, 'NCHW', [N, C, H, W], Float32Array.from(draw('NCHW', [N, C, H, W]).data), 'features');

  it('is written when it is asked for, kept or returned, and at once where nothing is remembered', async () => {
    const input = features(1, 8, 6, 16);
    const layer = norm(8).initialise(1);
    const { first, second } = await gpu.step(() => {
      const first = layer.call(input);
      const second = layer.call(input);
      const third = layer.call(input).keep();
      expect([first, second, third].map(({ isPresent }) => isPresent)).toEqual([false, false, true]);
      void second.storage;
      expect(second.isPresent).toBe(true);
      backward(mean(third) as Tensor<''>);
      return { first, second };
    });
    expect(first).toEqual(second);
    expect(Array.from(first as Float32Array).some((value) => value > 0)).toBe(true);
    await gpu.step(() => {
      input.requiresGradient = false;
      for (const { tensor } of layer.parameters()) tensor.requiresGradient = false;
      expect(layer.call(input).isPresent).toBe(true);
    });
    input.release();
    layer.dispose();
  });

  it('has a gradient that no rule writes over while someone wants it', async () => {
    const input = features(2, 8, 6, 16);
    const layer = norm(8).initialise(1);
    const convolution = conv(8, 8).initialise(2);
    const slopes = () =>
      gpu.step(() => {
        const lit = layer.call(input);
        const [ofLit, ofInput] = gradients(mean(square(convolution.call(lit))) as Tensor<''>, [lit, input]);
        return { ofLit, ofInput };
      });
    const both = await slopes();
    const { alone } = await gpu.step(() => {
      backward(mean(square(convolution.call(layer.call(input)))) as Tensor<''>);
      return { alone: input.gradient! };
    });
    expect(both.ofInput, 'written over the other one, or not').toEqual(alone);
    expect(both.ofLit).not.toEqual(both.ofInput);
    input.release();
    layer.dispose();
    convolution.dispose();
  });

  it('that was written for another one is given back with it', async () => {
    const input = features(1, 8, 6, 16);
    const layer = norm(8).initialise(1);
    await gpu.step(() => {
      const skip = layer.call(input);
      const joined = concat([skip, skip], 'C');
      void joined.storage;
      expect([skip.isPresent, joined.isPresent]).toEqual([false, true]);
      backward(mean(square(joined)) as Tensor<''>);
    });
    input.release();
    layer.dispose();
  });
});

describe('statistics that a convolution gathers', () => {
  it.each([
    [20, 24],
    [22, 30],
    [5, 9], // rows of an odd number of columns
  ])('keep the digits of channels far from zero, in images of %i x %i', async (H, W) => {
    const shape = [2, 4, H, W];
    const values = Float32Array.from(draw('NCHW', shape).data);
    const convolution = conv(4, 10);
    const normalisation = new BatchNorm2d(gpu, 10, { momentum: 1 });
    const layers = new Sequential([convolution, normalisation]).initialise(5);
    write(
      convolution.bias!,
      Float32Array.from({ length: 10 }, (_, o) => (o % 2 ? 100 : -3)),
    );
    const { gathered, convolved } = await gpu.step(() => {
      const input = upload(gpu, 'NCHW', shape, values);
      const gathered = convolution.call(input, { statistics: true }).statistics!.keep();
      layers.call(input);
      return { gathered, convolved: convolution.call(input) };
    });
    expect((gathered as Float32Array).length / 40).toBe(2 * Math.ceil(H / 4) * Math.ceil(W / 14));
    const [means, variances] = [
      await gpu.read(normalisation.runningMean),
      await gpu.read(normalisation.runningVariance),
    ];
    for (let o = 0; o < 10; o++) {
      const pixels = (n: number) =>
        Array.from((convolved as Float32Array).subarray((n * 10 + o) * H * W, (n * 10 + o + 1) * H * W));
      const all = [...pixels(0), ...pixels(1)];
      const exact = all.reduce((sum, value) => sum + value, 0) / all.length;
      const variance = all.reduce((sum, value) => sum + (value - exact) ** 2, 0) / (all.length - 1);
      expect(Math.abs(means[o] - exact) / Math.max(1, Math.abs(exact)), `mean of channel ${o}`).toBeLessThan(1e-6);
      expect(Math.abs(variances[o] / variance - 1), `variance of channel ${o}`).toBeLessThan(2e-5);
    }
    layers.dispose();
  });
});
