/**
 * Inception-ResNet-v2 (Szegedy et al. 2017), timm's form, which is that of the TensorFlow release without its auxiliary head.
 *
 *     stem       3x3 / 2, 3x3, 3x3, max / 2, 1x1, 3x3, max / 2 (unpadded), mixed_5b                N 320
 *     repeat     10 blocks of scale 0.17, mixed_6a / 2                                             N 1088
 *     repeat_1   20 blocks of scale 0.10, mixed_7a / 2                                             N 2080
 *     repeat_2   9 blocks of scale 0.20, one of scale 1 without ReLU, conv 1x1                     N 1536
 *     head       mean over H W, dropout, linear                                                    N K
 *     block      relu(x + scale conv1x1(concat(branches of x)))
 *
 * Parameter names are timm's.
 */
import {
  Apply,
  add,
  averagePool2d,
  BatchNorm2d,
  Conv2d,
  type Conv2dOptions,
  concat,
  Dropout,
  type Gpu,
  type Layer,
  Linear,
  Module,
  maxPool2d,
  mean,
  type Pair,
  relu,
  Sequential,
  scale,
  type Tensor,
} from '../../engine/index.ts';
import { Network, type Prediction } from '../network.ts';

export interface InceptionResNetV2Config {
  readonly inputChannels?: number;
  readonly classes?: number;
  /** Before the last layer; 0.2 in the paper of Szegedy et al., 0 in timm. */
  readonly dropout?: number;
}

const FEATURES = 1536;

export class InceptionResNetV2 extends Network {
  readonly tasks = { diagnosis: true, saliency: false };
  readonly inputChannels: number;
  private readonly body: Sequential;
  private readonly dropout: Dropout;
  private readonly classif: Linear;

  /** Initial values are PyTorch's defaults, drawn from `seed`; with null they are left open for loadStateDict(). */
  constructor(
    gpu: Gpu,
    { inputChannels = 1, classes = 3, dropout = 0 }: InceptionResNetV2Config = {},
    seed: number | null = 0,
  ) {
    super();
    this.inputChannels = inputChannels;
    const conv = (inputs: number, outputs: number, options: Conv2dOptions) =>
      new BasicConv2d(gpu, inputs, outputs, options);
    const repeat = (count: number, make: () => Layer) => new Sequential(Array.from({ length: count }, make));
    this.body = new Sequential({
      conv2d_1a: conv(inputChannels, 32, { kernel: 3, stride: 2 }),
      conv2d_2a: conv(32, 32, { kernel: 3 }),
      conv2d_2b: conv(32, 64, { kernel: 3, padding: 1 }),
      maxpool_3a: halve(),
      conv2d_3b: conv(64, 80, { kernel: 1 }),
      conv2d_4a: conv(80, 192, { kernel: 3 }),
      maxpool_5a: halve(),
      mixed_5b: mixed5b(gpu),
      repeat: repeat(10, () => block35(gpu, 0.17)),
      mixed_6a: mixed6a(gpu),
      repeat_1: repeat(20, () => block17(gpu, 0.1)),
      mixed_7a: mixed7a(gpu),
      repeat_2: repeat(9, () => block8(gpu, 0.2, 'relu')),
      block8: block8(gpu, 1, 'none'),
      conv2d_7b: conv(2080, FEATURES, { kernel: 1 }),
    });
    this.dropout = new Dropout(dropout);
    this.classif = new Linear(gpu, FEATURES, classes);
    this.initialise(seed);
  }

  members() {
    return { ...this.body.members(), drop: this.dropout, classif: this.classif };
  }

  call(image: Tensor<'NCHW'>): Prediction {
    const features = mean(this.body.call(image), 'HW');
    return { diagnosis: this.classif.call(this.dropout.call(features)), saliency: null };
  }
}

/** Convolution without bias, normalisation, ReLU. */
class BasicConv2d extends Module {
  private readonly conv: Conv2d;
  private readonly bn: BatchNorm2d;

  constructor(gpu: Gpu, inputs: number, outputs: number, options: Conv2dOptions) {
    super();
    this.conv = new Conv2d(gpu, inputs, outputs, { bias: false, ...options });
    this.bn = new BatchNorm2d(gpu, outputs, { epsilon: 1e-3, activation: 'relu' });
  }

  members() {
    return { conv: this.conv, bn: this.bn };
  }

  call(input: Tensor<'NCHW'>): Tensor<'NCHW'> {
    return input.gpu.scope(() => this.bn.call(this.conv.call(input)));
  }
}

/** The branches' outputs side by side. */
class Mixed extends Module {
  private readonly branches: readonly Layer[];

  constructor(branches: readonly Layer[]) {
    super();
    this.branches = branches;
  }

  members() {
    return Object.fromEntries(this.branches.map((branch, i) => [`branch${i}`, branch]));
  }

  call(input: Tensor<'NCHW'>): Tensor<'NCHW'> {
    return input.gpu.scope(() =>
      concat(
        this.branches.map((branch) => branch.call(input)),
        'C',
      ),
    );
  }
}

interface ResidualShape {
  /** Channels of the branches together, and of the block. */
  readonly joined: number;
  readonly channels: number;
  readonly scale: number;
  readonly activation: 'relu' | 'none';
}

/** The branches, brought back to the block's width, as a small change of the input. */
class ResidualBlock extends Module {
  private readonly mixed: Mixed;
  private readonly conv2d: Conv2d;
  private readonly shape: ResidualShape;

  constructor(gpu: Gpu, branches: readonly Layer[], shape: ResidualShape) {
    super();
    this.shape = shape;
    this.mixed = new Mixed(branches);
    this.conv2d = new Conv2d(gpu, shape.joined, shape.channels, { kernel: 1 });
  }

  members() {
    return { ...this.mixed.members(), conv2d: this.conv2d };
  }

  call(input: Tensor<'NCHW'>): Tensor<'NCHW'> {
    const { scale: factor, activation } = this.shape;
    return input.gpu.scope(() => {
      const change = this.conv2d.call(this.mixed.call(input));
      const output = add(input, factor === 1 ? change : scale(change, factor));
      return activation === 'relu' ? relu(output) : output;
    });
  }
}

/** A chain of convolutions from `inputs` channels; each pads to keep the size unless it says otherwise. */
function branch(
  gpu: Gpu,
  inputs: number,
  steps: readonly { readonly width: number; readonly kernel: Pair; readonly stride?: number }[],
): Layer {
  let channels = inputs;
  const layers = steps.map(({ width, kernel, stride }) => {
    const [R, S] = typeof kernel === 'number' ? [kernel, kernel] : kernel;
    const padding: Pair = stride ? 0 : [(R - 1) / 2, (S - 1) / 2];
    const layer = new BasicConv2d(gpu, channels, width, { kernel, stride, padding });
    channels = width;
    return layer;
  });
  return layers.length === 1 ? layers[0] : new Sequential(layers);
}

/** Max 3x3 / 2 without padding. */
const halve = () => new Apply((input) => maxPool2d(input, { size: 3, stride: 2 }));

/** N 192 -> N 320 */
function mixed5b(gpu: Gpu): Mixed {
  const average = new Apply((input) => averagePool2d(input, { size: 3, stride: 1, padding: 1, countPadding: false }));
  return new Mixed([
    branch(gpu, 192, [{ width: 96, kernel: 1 }]),
    branch(gpu, 192, [
      { width: 48, kernel: 1 },
      { width: 64, kernel: 5 },
    ]),
    branch(gpu, 192, [
      { width: 64, kernel: 1 },
      { width: 96, kernel: 3 },
      { width: 96, kernel: 3 },
    ]),
    new Sequential({ 0: average, 1: branch(gpu, 192, [{ width: 64, kernel: 1 }]) }),
  ]);
}

/** N 320 -> N 1088, half the size */
function mixed6a(gpu: Gpu): Mixed {
  return new Mixed([
    branch(gpu, 320, [{ width: 384, kernel: 3, stride: 2 }]),
    branch(gpu, 320, [
      { width: 256, kernel: 1 },
      { width: 256, kernel: 3 },
      { width: 384, kernel: 3, stride: 2 },
    ]),
    halve(),
  ]);
}

/** N 1088 -> N 2080, half the size */
function mixed7a(gpu: Gpu): Mixed {
  return new Mixed([
    branch(gpu, 1088, [
      { width: 256, kernel: 1 },
      { width: 384, kernel: 3, stride: 2 },
    ]),
    branch(gpu, 1088, [
      { width: 256, kernel: 1 },
      { width: 288, kernel: 3, stride: 2 },
    ]),
    branch(gpu, 1088, [
      { width: 256, kernel: 1 },
      { width: 288, kernel: 3 },
      { width: 320, kernel: 3, stride: 2 },
    ]),
    halve(),
  ]);
}

function block35(gpu: Gpu, scale: number): ResidualBlock {
  const branches = [
    branch(gpu, 320, [{ width: 32, kernel: 1 }]),
    branch(gpu, 320, [
      { width: 32, kernel: 1 },
      { width: 32, kernel: 3 },
    ]),
    branch(gpu, 320, [
      { width: 32, kernel: 1 },
      { width: 48, kernel: 3 },
      { width: 64, kernel: 3 },
    ]),
  ];
  return new ResidualBlock(gpu, branches, { joined: 128, channels: 320, scale, activation: 'relu' });
}

function block17(gpu: Gpu, scale: number): ResidualBlock {
  const branches = [
    branch(gpu, 1088, [{ width: 192, kernel: 1 }]),
    branch(gpu, 1088, [
      { width: 128, kernel: 1 },
      { width: 160, kernel: [1, 7] },
      { width: 192, kernel: [7, 1] },
    ]),
  ];
  return new ResidualBlock(gpu, branches, { joined: 384, channels: 1088, scale, activation: 'relu' });
}

function block8(gpu: Gpu, scale: number, activation: 'relu' | 'none'): ResidualBlock {
  const branches = [
    branch(gpu, 2080, [{ width: 192, kernel: 1 }]),
    branch(gpu, 2080, [
      { width: 192, kernel: 1 },
      { width: 224, kernel: [1, 3] },
      { width: 256, kernel: [3, 1] },
    ]),
  ];
  return new ResidualBlock(gpu, branches, { joined: 448, channels: 2080, scale, activation });
}
