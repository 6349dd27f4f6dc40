/**
 * MT-UNet (Zhu, Rohling & Salcudean, MIDL 2022) and its relatives: a U-Net whose decoder predicts where a reader looks, and whose bottleneck
 * and top features together predict the diagnosis.
 *
 *     encoder  e1 = block(x), e(i+1) = block(maxPool(e(i)))                       widths b, 2b, 4b, 8b, 16b
 *     decoder  d(i) = block(concat(e(i-1), up(d(i+1))))                           up: nearest x2, convolution, normalisation, ReLU
 *     diagnosis  linear(relu(dropout(linear(concat(mean e5, mean d2)))))          logits N C
 *     saliency   conv1x1(relu(norm(conv3x3(d2))))                                 logits N H W
 *
 * Both outputs are logits; the losses apply softmax over the classes and over all pixels. Parameter names are those of the released code.
 */
import {
  BatchNorm2d,
  Conv2d,
  Counter,
  concat,
  Dropout,
  type Gpu,
  Linear,
  Module,
  maxPool2d,
  mean,
  relu,
  Sequential,
  ShapeError,
  type Tensor,
  Upsample2x,
} from '../engine/index.ts';
import { Network, type Prediction } from './network.ts';

export interface MTUNetConfig {
  /** Channels of the first level; 64 in the paper. */
  readonly base: number;
  readonly inputChannels: number;
  readonly classes: number;
  /** Features of the class head: bottleneck and top (MT-UNet), one of them (MT-UNetB, MT-UNetT), or no class head. */
  readonly diagnosis: 'both' | 'bottleneck' | 'top' | 'none';
  /** Saliency head: 3x3 convolution, normalisation, ReLU and 1x1 convolution; the 1x1 convolution alone; or none. */
  readonly saliency: 'conv' | 'plain' | 'none';
  /** Share of the class head's hidden units that a training step leaves out. */
  readonly dropout: number;
}

export const defaultConfig: MTUNetConfig = {
  base: 64,
  inputChannels: 1,
  classes: 3,
  diagnosis: 'both',
  saliency: 'conv',
  dropout: 0.25,
};

/** The networks of the paper's tables that are U-Nets, as differences from MT-UNet. */
export const unetFamily = {
  'mt-unet': {},
  'mt-unet-b': { diagnosis: 'bottleneck' },
  'mt-unet-t': { diagnosis: 'top' },
  'unet-c': { saliency: 'none' },
  'unet-s': { diagnosis: 'none' },
} as const satisfies Record<string, Partial<MTUNetConfig>>;

const LEVELS = 5;

export class MTUNet extends Network {
  readonly config: MTUNetConfig;
  private readonly parts: Readonly<Record<string, Module | Counter>>;
  private readonly encoder: readonly Sequential[];
  private readonly up: readonly Sequential[];
  private readonly decoder: readonly Sequential[];
  private readonly classHead: ClassHead | null = null;
  private readonly saliencyHead: SaliencyHead | null = null;

  /** Initial values are PyTorch's defaults, drawn from `seed`; with null they are left open for loadStateDict(). */
  constructor(gpu: Gpu, config: Partial<MTUNetConfig> = {}, seed: number | null = 0) {
    super();
    this.config = { ...defaultConfig, ...config };
    const { base, inputChannels, classes, diagnosis, saliency, dropout } = this.config;
    if (diagnosis === 'none' && saliency === 'none')
      throw new Error('MT-UNet: a network without heads predicts nothing; keep one of them.');
    const widths = Array.from({ length: LEVELS }, (_, level) => base * 2 ** level);
    this.encoder = widths.map((width, level) => block(gpu, level === 0 ? inputChannels : widths[level - 1], width));
    this.up = widths.slice(1).map((width, level) => upConvolution(gpu, width, widths[level]));
    this.decoder = widths.slice(1).map((width, level) => block(gpu, width, widths[level]));

    const parts: Record<string, Module | Counter> = { dummy_tensor: new Counter() };
    this.encoder.forEach((stage, level) => {
      parts[`Conv${level + 1}`] = stage;
    });
    for (let level = LEVELS - 1; level > 0; level--) {
      parts[`Up${level + 1}`] = this.up[level - 1];
      parts[`Up_conv${level + 1}`] = this.decoder[level - 1];
    }
    if (diagnosis !== 'none') {
      const features = { both: widths[4] + widths[0], bottleneck: widths[4], top: widths[0] }[diagnosis];
      parts.out_classification = this.classHead = new ClassHead(gpu, { features, hidden: base, classes, dropout });
    }
    if (saliency === 'conv') parts.out_conv_image = this.saliencyHead = new ConvSaliencyHead(gpu, base);
    if (saliency === 'plain') parts.out_conv = this.saliencyHead = new Conv2d(gpu, base, 1, { kernel: 1 });
    this.parts = parts;
    this.initialise(seed);
  }

  get tasks() {
    return { diagnosis: this.config.diagnosis !== 'none', saliency: this.config.saliency !== 'none' };
  }

  get inputChannels() {
    return this.config.inputChannels;
  }

  members() {
    return this.parts;
  }

  /** image N C H W, H and W multiples of 16. */
  call(image: Tensor<'NCHW'>): Prediction {
    checkImage(image);
    const skips: Tensor<'NCHW'>[] = [];
    let features = image;
    this.encoder.forEach((stage, level) => {
      const pooled = level === 0 ? features : maxPool2d(features, { size: 2 });
      features = stage.call(pooled);
      if (level > 0) pooled.passOn();
      if (level < LEVELS - 1) skips.push(features);
    });
    const bottleneck = features; // N 16b H/16 W/16
    for (let level = LEVELS - 2; level >= 0; level--) {
      const raised = this.up[level].call(features);
      if (features !== bottleneck) features.passOn();
      const joined = concat([skips[level], raised], 'C');
      raised.passOn();
      skips[level].passOn();
      features = this.decoder[level].call(joined);
      joined.passOn();
    }
    // The decoder reads the bottleneck, too; under a name of its own it is what the class head alone reads.
    const pooledFrom = this.config.diagnosis === 'top' ? bottleneck : bottleneck.view('NCHW', bottleneck.shape);
    const representation = this.config.diagnosis === 'top' ? [features] : [pooledFrom, features];
    const [diagnosis, saliency] = [this.diagnose(pooledFrom, features), this.attend(features)];
    features.withdraw();
    return { diagnosis, saliency, representation };
  }

  private diagnose(bottleneck: Tensor<'NCHW'>, top: Tensor<'NCHW'>): Tensor<'NC'> | null {
    if (!this.classHead) return null;
    const { diagnosis } = this.config;
    const pooled: Tensor<'NC'>[] = [];
    if (diagnosis !== 'top') pooled.push(mean(bottleneck, 'HW'));
    if (diagnosis !== 'bottleneck') pooled.push(mean(top, 'HW'));
    return this.classHead.call(pooled.length === 1 ? pooled[0] : concat(pooled, 'C'));
  }

  private attend(top: Tensor<'NCHW'>): Tensor<'NHW'> | null {
    if (!this.saliencyHead) return null;
    const logits = this.saliencyHead.call(top); // N 1 H W
    const [N, , H, W] = logits.shape;
    return logits.view('NHW', [N, H, W]);
  }
}

function checkImage(image: Tensor<'NCHW'>): void {
  const [, , H, W] = image.shape;
  const nearest = (length: number) => Math.max(16, Math.round(length / 16) * 16);
  if (H % 16 !== 0 || W % 16 !== 0) {
    const remedy = `Use ${nearest(H)} x ${nearest(W)}: four poolings by two must divide both.`;
    throw new ShapeError('MT-UNet', `height ${H} and width ${W} must be multiples of 16`, { image }, remedy);
  }
}

/** Twice: convolution 3x3, normalisation, ReLU. The ReLUs, numbers 2 and 5 in the released code, are part of the normalisations. */
function block(gpu: Gpu, inputs: number, outputs: number): Sequential {
  return new Sequential({
    0: new Conv2d(gpu, inputs, outputs, { kernel: 3, padding: 1 }),
    1: new BatchNorm2d(gpu, outputs, { activation: 'relu' }),
    3: new Conv2d(gpu, outputs, outputs, { kernel: 3, padding: 1 }),
    4: new BatchNorm2d(gpu, outputs, { activation: 'relu' }),
  });
}

function upConvolution(gpu: Gpu, inputs: number, outputs: number): Sequential {
  return new Sequential({
    0: new Upsample2x(),
    1: new Conv2d(gpu, inputs, outputs, { kernel: 3, padding: 1 }),
    2: new BatchNorm2d(gpu, outputs, { activation: 'relu' }),
  });
}

/** N features -> N classes. Dropout comes before the ReLU, as in the released code; for the same mask the order makes no difference. */
class ClassHead extends Module {
  private readonly hidden: Linear;
  private readonly dropout: Dropout;
  private readonly output: Linear;

  constructor(
    gpu: Gpu,
    { features, hidden, classes, dropout }: { features: number; hidden: number; classes: number; dropout: number },
  ) {
    super();
    this.hidden = new Linear(gpu, features, hidden);
    this.dropout = new Dropout(dropout);
    this.output = new Linear(gpu, hidden, classes);
  }

  members() {
    return { linear_1: this.hidden, dropout: this.dropout, linear_2: this.output };
  }

  call(features: Tensor<'NC'>): Tensor<'NC'> {
    return this.output.call(relu(this.dropout.call(this.hidden.call(features))));
  }
}

interface SaliencyHead extends Module {
  call(features: Tensor<'NCHW'>): Tensor<'NCHW'>;
}

/** N b H W -> N 1 H W */
class ConvSaliencyHead extends Module implements SaliencyHead {
  private readonly conv: Conv2d;
  private readonly norm: BatchNorm2d;
  private readonly last: Conv2d;

  constructor(gpu: Gpu, width: number) {
    super();
    this.conv = new Conv2d(gpu, width, width, { kernel: 3, padding: 1 });
    this.norm = new BatchNorm2d(gpu, width, { activation: 'relu' });
    this.last = new Conv2d(gpu, width, 1, { kernel: 1 });
  }

  members() {
    return { conv2d: this.conv, BatchNorm2d: this.norm, conv_last: this.last };
  }

  call(features: Tensor<'NCHW'>): Tensor<'NCHW'> {
    const hidden = this.conv.call(features, { statistics: this.norm.training });
    const normalised = this.norm.call(hidden);
    hidden.passOn();
    const logits = this.last.call(normalised);
    normalised.passOn();
    return logits;
  }
}
