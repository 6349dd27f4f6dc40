/**
 * MSI-Net (Kroner et al. 2020), after the authors' TensorFlow code: a VGG-16 whose last two poolings keep the size, atrous pyramid
 * pooling, and a decoder of bilinear raisings.
 *
 *     encoder  f3, f4, f5 = outputs of blocks 3, 4, 5 after pooling; block 5 has dilation 2       N 1280 H/8 W/8
 *     pyramid  1x1, 3x3 of dilation 4, 8, 12, and the mean of all pixels; joined; 1x1            N 256 H/8 W/8
 *     decoder  three times bilinear x2 and conv 3x3, widths 128, 64, 32; conv 3x3                N 1 H W
 *
 * Encoder names are torchvision's VGG-16 (`features.N`), the others those of the TensorFlow variables.
 */
import {
  Conv2d,
  type Corners,
  concat,
  divide,
  expand,
  type Gpu,
  Module,
  type ModuleList,
  max,
  maxPool2d,
  mean,
  pad,
  relu,
  type Sequential,
  scale,
  shift,
  subtract,
  type Tensor,
  upsampleBilinear,
} from '../../engine/index.ts';
import { SaliencyNetwork, type SaliencyOutput } from './saliency-network.ts';
import { joined, vgg16Blocks } from './vgg16.ts';

export interface MsiNetConfig {
  readonly inputChannels?: number;
  /** How the decoder's raisings sample: 'asymmetric' is TensorFlow 1's, which the published weights expect. */
  readonly corners?: Corners;
  readonly output?: SaliencyOutput;
}

const ENCODED = 256 + 512 + 512;
const PYRAMID = 256;

export class MsiNet extends SaliencyNetwork {
  protected readonly epsilon = 1e-7;
  private readonly blocks: readonly Sequential[];
  private readonly features: ModuleList;
  private readonly aspp: AtrousPyramid;
  private readonly decoder: Decoder;

  /**
   * Initial values are drawn from `seed`: torchvision's for the encoder, TensorFlow's for the rest; with null they are left open for
   * loadStateDict().
   */
  constructor(
    gpu: Gpu,
    { inputChannels = 1, corners = 'asymmetric', output = 'logits' }: MsiNetConfig = {},
    seed: number | null = 0,
  ) {
    super(inputChannels, output);
    this.blocks = vgg16Blocks(gpu, { inputChannels, lastDilation: 2 });
    this.features = joined(this.blocks);
    this.aspp = new AtrousPyramid(gpu);
    this.decoder = new Decoder(gpu, corners);
    this.initialise(seed);
  }

  members() {
    return { features: this.features, aspp: this.aspp, decoder: this.decoder };
  }

  protected map(image: Tensor<'NCHW'>): Tensor<'NCHW'> {
    const encoded = image.gpu.scope(() => {
      const outputs: Tensor<'NCHW'>[] = [];
      let features = image;
      this.blocks.forEach((block, level) => {
        const pool = level < 3 ? halve : smooth;
        const before = features;
        features = image.gpu.scope(() => pool(block.call(before)));
        outputs.push(features);
      });
      return concat(outputs.slice(2), 'C'); // N 1280 H/8 W/8
    });
    return this.decoder.call(this.aspp.call(encoded));
  }

  /** (y - min y) / (1e-7 + max (y - min y)), image by image */
  native(logits: Tensor<'NHW'>): Tensor<'NHW'> {
    const raised = subtract(logits, scale(max(scale(logits, -1), 'HW'), -1)) as Tensor<'NHW'>;
    return divide(raised, shift(max(raised, 'HW'), 1e-7)) as Tensor<'NHW'>;
  }
}

const halve = (input: Tensor<'NCHW'>) => maxPool2d(input, { size: 2 });

/** Max 2x2 of stride 1 that keeps the size: TensorFlow pads at the end, and after a ReLU zeros are as good as nothing. */
const smooth = (input: Tensor<'NCHW'>) => maxPool2d(pad(input, { H: [0, 1], W: [0, 1] }), { size: 2, stride: 1 });

const convolution = (gpu: Gpu, inputs: number, outputs: number, kernel: 1 | 3, dilation = 1) =>
  new Conv2d(gpu, inputs, outputs, { kernel, dilation, padding: ((kernel - 1) / 2) * dilation, initial: 'glorot' });

/** N 1280 H W -> N 256 H W: atrous spatial pyramid pooling (Chen et al. 2017). */
class AtrousPyramid extends Module {
  private readonly parallel: readonly Conv2d[];
  private readonly pooled: Conv2d;
  private readonly fusion: Conv2d;

  constructor(gpu: Gpu) {
    super();
    this.parallel = [
      convolution(gpu, ENCODED, PYRAMID, 1),
      ...[4, 8, 12].map((dilation) => convolution(gpu, ENCODED, PYRAMID, 3, dilation)),
    ];
    this.pooled = convolution(gpu, ENCODED, PYRAMID, 1);
    this.fusion = convolution(gpu, 5 * PYRAMID, PYRAMID, 1);
  }

  members() {
    const [conv1_1, conv1_2, conv1_3, conv1_4] = this.parallel;
    return { conv1_1, conv1_2, conv1_3, conv1_4, conv1_5: this.pooled, conv2: this.fusion };
  }

  call(input: Tensor<'NCHW'>): Tensor<'NCHW'> {
    const [N, C, H, W] = input.shape;
    return input.gpu.scope(() => {
      const everywhere = relu(this.pooled.call(mean(input, 'HW').view('NCHW', [N, C, 1, 1])));
      const branches = this.parallel.map((convolve) => relu(convolve.call(input)));
      return relu(this.fusion.call(concat([...branches, expand(everywhere, 'NCHW', [N, PYRAMID, H, W])], 'C')));
    });
  }
}

/** N 256 H W -> N 1 8H 8W */
class Decoder extends Module {
  private readonly convolutions: readonly Conv2d[];
  private readonly corners: Corners;

  constructor(gpu: Gpu, corners: Corners) {
    super();
    this.corners = corners;
    const widths = [PYRAMID, 128, 64, 32, 1];
    this.convolutions = widths.slice(1).map((width, i) => convolution(gpu, widths[i], width, 3));
  }

  members() {
    const [conv1, conv2, conv3, conv4] = this.convolutions;
    return { conv1, conv2, conv3, conv4 };
  }

  call(input: Tensor<'NCHW'>): Tensor<'NCHW'> {
    const { gpu } = input;
    return gpu.scope(() => {
      let features = input;
      for (const convolve of this.convolutions.slice(0, -1)) {
        const [, , H, W] = features.shape;
        const low = features;
        features = gpu.scope(() => relu(convolve.call(upsampleBilinear(low, [2 * H, 2 * W], this.corners))));
      }
      return this.convolutions[3].call(features);
    });
  }
}
