/**
 * ResNet-50 (He et al. 2016), torchvision's form: a bottleneck halves the size in its 3x3 convolution.
 *
 *     stem    conv 7x7 / 2, normalisation, ReLU, max 3x3 / 2                       N 64 H/4 W/4
 *     layers  3, 4, 6, 3 bottlenecks of width 64, 128, 256, 512 (times 4 out)      N 2048 H/32 W/32
 *     head    mean over H W, linear                                                N K
 *
 * Parameter names are torchvision's.
 */
import {
  add,
  BatchNorm2d,
  Conv2d,
  type Conv2dOptions,
  type Gpu,
  Linear,
  Module,
  maxPool2d,
  mean,
  relu,
  Sequential,
  type Tensor,
} from '../../engine/index.ts';
import { Network, type Prediction } from '../network.ts';

const stages = [
  { blocks: 3, width: 64, stride: 1 },
  { blocks: 4, width: 128, stride: 2 },
  { blocks: 6, width: 256, stride: 2 },
  { blocks: 3, width: 512, stride: 2 },
] as const;
const EXPANSION = 4;

export interface ResNet50Config {
  readonly inputChannels?: number;
  readonly classes?: number;
}

export class ResNet50 extends Network {
  readonly tasks = { diagnosis: true, saliency: false };
  readonly inputChannels: number;
  private readonly conv1: Conv2d;
  private readonly bn1: BatchNorm2d;
  private readonly layers: readonly Sequential[];
  private readonly fc: Linear;

  /** Initial values are torchvision's, drawn from `seed`; with null they are left open for loadStateDict(). */
  constructor(gpu: Gpu, { inputChannels = 1, classes = 3 }: ResNet50Config = {}, seed: number | null = 0) {
    super();
    this.inputChannels = inputChannels;
    this.conv1 = convolution(gpu, inputChannels, 64, { kernel: 7, stride: 2, padding: 3 });
    this.bn1 = new BatchNorm2d(gpu, 64, { activation: 'relu' });
    let channels = 64;
    this.layers = stages.map(({ blocks, width, stride }) => {
      const layer: Bottleneck[] = [];
      for (let i = 0; i < blocks; i++) {
        layer.push(new Bottleneck(gpu, channels, width, i === 0 ? stride : 1));
        channels = width * EXPANSION;
      }
      return new Sequential(layer);
    });
    this.fc = new Linear(gpu, channels, classes);
    this.initialise(seed);
  }

  members() {
    const [layer1, layer2, layer3, layer4] = this.layers;
    return { conv1: this.conv1, bn1: this.bn1, layer1, layer2, layer3, layer4, fc: this.fc };
  }

  call(image: Tensor<'NCHW'>): Prediction {
    let features = image.gpu.scope(() =>
      maxPool2d(this.bn1.call(this.conv1.call(image)), { size: 3, stride: 2, padding: 1 }),
    );
    for (const layer of this.layers) features = layer.call(features);
    return { diagnosis: this.fc.call(mean(features, 'HW')), saliency: null };
  }
}

/** N C H W -> N 4w H/stride W/stride: 1x1, 3x3 and 1x1 convolutions, added to the input (or to its projection). */
class Bottleneck extends Module {
  private readonly conv1: Conv2d;
  private readonly bn1: BatchNorm2d;
  private readonly conv2: Conv2d;
  private readonly bn2: BatchNorm2d;
  private readonly conv3: Conv2d;
  private readonly bn3: BatchNorm2d;
  private readonly downsample: Sequential | null = null;

  constructor(gpu: Gpu, inputs: number, width: number, stride: number) {
    super();
    const outputs = width * EXPANSION;
    this.conv1 = convolution(gpu, inputs, width, { kernel: 1 });
    this.bn1 = new BatchNorm2d(gpu, width, { activation: 'relu' });
    this.conv2 = convolution(gpu, width, width, { kernel: 3, stride, padding: 1 });
    this.bn2 = new BatchNorm2d(gpu, width, { activation: 'relu' });
    this.conv3 = convolution(gpu, width, outputs, { kernel: 1 });
    this.bn3 = new BatchNorm2d(gpu, outputs);
    if (inputs !== outputs) {
      this.downsample = new Sequential({
        0: convolution(gpu, inputs, outputs, { kernel: 1, stride }),
        1: new BatchNorm2d(gpu, outputs),
      });
    }
  }

  members() {
    const { conv1, bn1, conv2, bn2, conv3, bn3, downsample } = this;
    return { conv1, bn1, conv2, bn2, conv3, bn3, ...(downsample && { downsample }) };
  }

  call(input: Tensor<'NCHW'>): Tensor<'NCHW'> {
    return input.gpu.scope(() => {
      const narrow = this.bn1.call(this.conv1.call(input));
      const spread = this.bn2.call(this.conv2.call(narrow));
      const residual = this.bn3.call(this.conv3.call(spread));
      return relu(add(residual, this.downsample ? this.downsample.call(input) : input));
    });
  }
}

const convolution = (gpu: Gpu, inputs: number, outputs: number, options: Conv2dOptions) =>
  new Conv2d(gpu, inputs, outputs, { bias: false, initial: 'fan-out', ...options });
