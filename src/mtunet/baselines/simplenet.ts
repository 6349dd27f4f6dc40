/**
 * SimpleNet (Reddy et al. 2020) with its PNASNet-5-Large encoder, after the authors' code: a U-shaped decoder of plain convolutions.
 *
 *     encoder  outputs of 1/2, 1/4, 1/8, 1/16, 1/32 of the size                                   N 96, 270, 1080, 2160, 4320
 *     decoder  five times conv 3x3, ReLU, bilinear x2 (corners aligned), joined with the next finer output
 *     head     conv 3x3, ReLU, conv 3x3                                                           N 1 H W
 *
 * Parameter names are the authors'. The encoder's classifier (1,001 classes) is a part of their network that nothing reads and nothing trains.
 */
import {
  Apply,
  Conv2d,
  concat,
  type Gpu,
  relu,
  Sequential,
  sigmoid,
  type Tensor,
  upsampleBilinear,
} from '../../engine/index.ts';
import { PnasNet5Large, pnasnetWidths } from './pnasnet5-large.ts';
import { SaliencyNetwork, type SaliencyOutput } from './saliency-network.ts';

export interface SimpleNetConfig {
  readonly inputChannels?: number;
  readonly output?: SaliencyOutput;
}

/** Channels of the decoder's levels, coarsest first; each level but the first reads its predecessor and a skip. */
const widths = [512, 256, 270, 96, 128] as const;

export class SimpleNet extends SaliencyNetwork {
  protected readonly epsilon = 2.2204e-16;
  private readonly encoder: PnasNet5Large;
  private readonly levels: readonly Sequential[];
  private readonly head: Sequential;

  /** Initial values are PyTorch's defaults, drawn from `seed`; with null they are left open for loadStateDict(). */
  constructor(gpu: Gpu, { inputChannels = 1, output = 'logits' }: SimpleNetConfig = {}, seed: number | null = 0) {
    super(inputChannels, output);
    this.encoder = new PnasNet5Large(gpu, inputChannels);
    const convolution = (inputs: number, outputs: number) =>
      new Conv2d(gpu, inputs, outputs, { kernel: 3, padding: 1 });
    const skips = [...pnasnetWidths].reverse(); // 4320 2160 1080 270 96
    this.levels = widths.map(
      (width, i) =>
        new Sequential([convolution(i === 0 ? skips[0] : widths[i - 1] + skips[i], width), new Apply(relu)]),
    );
    this.head = new Sequential([convolution(128, 128), new Apply(relu), convolution(128, 1)]);
    this.initialise(seed);
  }

  members() {
    const levels = this.levels.map((level, i) => [`deconv_layer${i}`, level]);
    return { pnas: this.encoder, ...Object.fromEntries(levels), deconv_layer5: this.head };
  }

  protected map(image: Tensor<'NCHW'>): Tensor<'NCHW'> {
    const { gpu } = image;
    const [coarsest, ...skips] = this.encoder.call(image).reverse();
    let features = coarsest;
    this.levels.forEach((level, i) => {
      const below = features;
      features = gpu.scope(() => {
        const [, , H, W] = below.shape;
        const raised = upsampleBilinear(level.call(below), [2 * H, 2 * W], 'align');
        return i < skips.length ? concat([raised, skips[i]], 'C') : raised;
      });
    });
    return this.head.call(features);
  }

  native(logits: Tensor<'NHW'>): Tensor<'NHW'> {
    return sigmoid(logits);
  }
}
