/** Networks whose convolutions can take in what is around them, and what is held to the same network that writes everything. */
import { expect } from 'vitest';
import {
  add,
  BatchNorm2d,
  backward,
  Conv2d,
  type ConvOptions,
  concat,
  type Gpu,
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

export const norm = (gpu: Gpu, channels: number) => new BatchNorm2d(gpu, channels, { activation: 'relu' });
export const conv = (gpu: Gpu, inputs: number, outputs: number, options: ConvOptions = {}) =>
  new Conv2d(gpu, inputs, outputs, { kernel: 3, padding: 1, ...options });

export interface Size {
  readonly N: number;
  /** Of the input, of the skip, of what is joined to it and of the output. */
  readonly channels: readonly [number, number, number, number];
  readonly H: number;
  readonly W: number;
}

export const sizes: Size[] = [
  { N: 2, channels: [3, 8, 8, 8], H: 20, W: 24 },
  { N: 1, channels: [1, 12, 20, 10], H: 22, W: 30 }, // tiles that are not full, in channels, rows and columns
  { N: 3, channels: [2, 8, 12, 9], H: 12, W: 14 }, // below, images that are so narrow that two lie side by side
  { N: 2, channels: [2, 6, 5, 9], H: 4, W: 18 }, // groups of channels that are not whole
];

/** Is shown every tensor that could be left unwritten. */
type See = (tensor: Tensor, name: string) => void;
export interface Outcome {
  readonly loss: number;
  readonly gradients: Float32Array[];
}

/** A level of a U-Net: a skip, what comes back from below it, both joined. */
export function level(gpu: Gpu, { N, channels: [C, S, U, O], H, W }: Size, see: See): Promise<Outcome> {
  const image = drawn(gpu, [N, C, H, W]);
  const parts = {
    encoder: new Sequential([conv(gpu, C, S), norm(gpu, S)]).initialise(1),
    below: new Sequential([conv(gpu, S, U), norm(gpu, U)]).initialise(2),
    up: new Sequential([conv(gpu, U, U), norm(gpu, U)]).initialise(3),
    decoder: new Sequential([conv(gpu, S + U, O), norm(gpu, O), conv(gpu, O, O), norm(gpu, O)]).initialise(4),
  };
  return slopes(gpu, image, Object.values(parts), () => {
    const skip = shown(parts.encoder.call(image), 'skip', see);
    const below = shown(parts.below.call(shown(maxPool2d(skip, { size: 2 }), 'pooled', see)), 'below', see);
    const raised = shown(parts.up.call(shown(upsample2x(below), 'enlarged', see)), 'raised', see);
    return parts.decoder.call(shown(concat([skip, raised], 'C'), 'joined', see));
  });
}

/** A normalised input under a convolution of any kind. */
export function under(gpu: Gpu, shape: readonly number[], outputs: number, options: ConvOptions, see: See) {
  const image = drawn(gpu, shape);
  const first = norm(gpu, shape[1]).initialise(1);
  const rest = new Sequential([conv(gpu, shape[1], outputs, options), norm(gpu, outputs)]).initialise(2);
  return slopes(gpu, image, [first, rest], () => rest.call(shown(first.call(image), 'normalised', see)));
}

function shown<T extends Tensor>(tensor: T, name: string, see: See): T {
  see(tensor, name);
  return tensor;
}

export const drawn = (gpu: Gpu, shape: readonly number[]) =>
  parameter(gpu, 'NCHW', shape, Float32Array.from(draw('NCHW', shape).data), 'image');

/** A loss of what `body` gives, and its gradients of the image and of every parameter. */
async function slopes(
  gpu: Gpu,
  image: Tensor<'NCHW'>,
  parts: readonly (Sequential | BatchNorm2d)[],
  body: () => Tensor<'NCHW'>,
): Promise<Outcome> {
  try {
    return (await gpu.step(() => {
      const output = body();
      const loss = add(mean(square(output)), mean(output)) as Tensor<''>;
      backward(loss);
      const state = parts.flatMap((part) => [...part.entries()].map(({ member }) => member));
      const gradients = state.flatMap((member) => ('gradient' in member && member.gradient ? [member.gradient] : []));
      return { loss, gradients: [image.gradient!, ...gradients] };
    })) as unknown as Outcome;
  } finally {
    image.release();
    for (const part of parts) part.dispose();
  }
}

/** Largest differences, relative to the largest gradient. */
export function expectNear(one: Outcome, other: Outcome): void {
  expect(one.loss).toBeCloseTo(other.loss, 5);
  one.gradients.forEach((gradient, i) => {
    const there = other.gradients[i];
    const scale = Math.max(...Array.from(there, Math.abs), 1e-3);
    const apart = Array.from(gradient, (value, k) => Math.abs(value - there[k]) / scale);
    expect(Math.max(...apart), `gradient ${i}`).toBeLessThan(2e-4);
  });
}

export interface Gathering {
  readonly outputs: number;
  readonly H: number;
  readonly W: number;
  readonly kernel?: 1 | 3;
  /** How many a channel's statistics must come in; 0 where a kernel gathers none. */
  readonly slices: number;
}

/** Mean and variance of what a convolution makes of two images, gathered on its way, against the exact ones of what it made. */
export async function expectStatistics(gpu: Gpu, { outputs, H, W, kernel = 3, slices }: Gathering): Promise<void> {
  const shape = [2, 8, H, W];
  const values = Float32Array.from(draw('NCHW', shape).data);
  const convolution = new Conv2d(gpu, 8, outputs, { kernel, padding: (kernel - 1) / 2 });
  const normalisation = new BatchNorm2d(gpu, outputs, { momentum: 1 });
  const layers = new Sequential([convolution, normalisation]).initialise(5);
  write(
    convolution.bias!,
    Float32Array.from({ length: outputs }, (_, o) => (o % 2 ? 100 : -3)),
  );
  const { gathered, convolved } = await gpu.step(() => {
    const input = upload(gpu, 'NCHW', shape, values);
    const gathered = convolution.call(input, { statistics: true }).statistics?.keep();
    layers.call(input);
    return { gathered: (gathered ?? null) as Tensor<'C'> | null, convolved: convolution.call(input) };
  });
  expect((gathered?.length ?? 0) / (4 * outputs)).toBe(slices);
  const means = await gpu.read(normalisation.runningMean);
  const variances = await gpu.read(normalisation.runningVariance);
  for (let o = 0; o < outputs; o++) {
    const pixels = (n: number) =>
      Array.from((convolved as Float32Array).subarray((n * outputs + o) * H * W, (n * outputs + o + 1) * H * W));
    const all = [...pixels(0), ...pixels(1)];
    const exact = all.reduce((sum, value) => sum + value, 0) / all.length;
    const variance = all.reduce((sum, value) => sum + (value - exact) ** 2, 0) / (all.length - 1);
    expect(Math.abs(means[o] - exact) / Math.max(1, Math.abs(exact)), `mean of channel ${o}`).toBeLessThan(1e-6);
    expect(Math.abs(variances[o] / variance - 1), `variance of channel ${o}`).toBeLessThan(2e-5);
  }
  layers.dispose();
}
