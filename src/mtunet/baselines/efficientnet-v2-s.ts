/**
 * EfficientNetV2-S (Tan & Le 2021), torchvision's form.
 *
 *     stem    conv 3x3 / 2, normalisation, SiLU                                                     N 24 H/2 W/2
 *     stages  fused: 3x3 expands, 1x1 projects;  else: 1x1 expands, 3x3 depthwise, squeeze-excite, 1x1 projects
 *             branch plus input where neither size nor width changes, no activation after it        N 256 H/32 W/32
 *     head    conv 1x1, normalisation, SiLU, mean over H W, dropout, linear                         N K
 *
 * Parameter names are torchvision's. The i-th of all 40 blocks drops its branch with probability 0.2 i / 40 (stochastic depth).
 */
import {
  Apply,
  add,
  BatchNorm2d,
  Conv2d,
  type Conv2dOptions,
  Dropout,
  type Gpu,
  type Layer,
  Linear,
  Module,
  mean,
  multiply,
  pad,
  Sequential,
  StochasticDepth,
  sigmoid,
  silu,
  type Tensor,
} from '../../engine/index.ts';
import { Network, type Prediction } from '../network.ts';

const stages = [
  { fused: true, expand: 1, stride: 1, width: 24, blocks: 2 },
  { fused: true, expand: 4, stride: 2, width: 48, blocks: 4 },
  { fused: true, expand: 4, stride: 2, width: 64, blocks: 4 },
  { fused: false, expand: 4, stride: 2, width: 128, blocks: 6 },
  { fused: false, expand: 6, stride: 1, width: 160, blocks: 9 },
  { fused: false, expand: 6, stride: 2, width: 256, blocks: 15 },
] as const;
const STEM = 24;
const HEAD = 1280;

export interface EfficientNetV2Config {
  readonly inputChannels?: number;
  readonly classes?: number;
  /** Before the last layer. */
  readonly dropout?: number;
  /** Probability with which the last block's branch is left out; it grows linearly from 0 at the first block. */
  readonly stochasticDepth?: number;
  /** 'same' is TensorFlow's, for Google's own weights: a convolution of stride 2 on an even length pads only at its end. */
  readonly padding?: 'symmetric' | 'same';
  /** Of all normalisations; timm's efficientnetv2_s has 1e-5. */
  readonly epsilon?: number;
}

/** What every block needs to know. */
interface Style {
  readonly padding: 'symmetric' | 'same';
  readonly epsilon: number;
}

export class EfficientNetV2S extends Network {
  readonly tasks = { diagnosis: true, saliency: false };
  readonly inputChannels: number;
  private readonly features: Sequential;
  private readonly classifier: Classifier;

  /** Initial values are torchvision's, drawn from `seed`; with null they are left open for loadStateDict(). */
  constructor(gpu: Gpu, config: EfficientNetV2Config = {}, seed: number | null = 0) {
    super();
    const { inputChannels = 1, classes = 3, dropout = 0.2, stochasticDepth = 0.2 } = config;
    const style: Style = { padding: config.padding ?? 'symmetric', epsilon: config.epsilon ?? 1e-3 };
    this.inputChannels = inputChannels;
    const parts: Layer[] = [normalised(gpu, inputChannels, STEM, { kernel: 3, stride: 2 }, style)];
    const total = stages.reduce((sum, { blocks }) => sum + blocks, 0);
    let channels: number = STEM;
    let index = 0;
    for (const { fused, expand, stride, width, blocks } of stages) {
      const stage: Layer[] = [];
      for (let i = 0; i < blocks; i++) {
        const Block = fused ? FusedBlock : InvertedBlock;
        const rate = (stochasticDepth * index++) / total;
        stage.push(new Block(gpu, { inputs: channels, width, expand, stride: i === 0 ? stride : 1, rate }, style));
        channels = width;
      }
      parts.push(new Sequential(stage));
    }
    parts.push(normalised(gpu, channels, HEAD, { kernel: 1 }, style));
    this.features = new Sequential(parts);
    this.classifier = new Classifier(gpu, classes, dropout);
    this.initialise(seed);
  }

  members() {
    return { features: this.features, classifier: this.classifier };
  }

  call(image: Tensor<'NCHW'>): Prediction {
    return { diagnosis: this.classifier.call(mean(this.features.call(image), 'HW')), saliency: null };
  }
}

class Classifier extends Module {
  private readonly dropout: Dropout;
  private readonly linear: Linear;

  constructor(gpu: Gpu, classes: number, dropout: number) {
    super();
    this.dropout = new Dropout(dropout);
    this.linear = new Linear(gpu, HEAD, classes, { initial: 'fan-out' });
  }

  members() {
    return { 0: this.dropout, 1: this.linear };
  }

  call(features: Tensor<'NC'>): Tensor<'NC'> {
    return this.linear.call(this.dropout.call(features));
  }
}

interface BlockShape {
  readonly inputs: number;
  readonly width: number;
  /** The middle of the block is this many times as wide as its input. */
  readonly expand: number;
  readonly stride: number;
  /** Probability of leaving the branch out. */
  readonly rate: number;
}

/** A branch that is added to its input where both have the same shape. */
abstract class Block extends Module {
  protected abstract readonly block: Sequential;
  private readonly depth: StochasticDepth | null;

  constructor({ inputs, width, stride, rate }: BlockShape) {
    super();
    this.depth = stride === 1 && inputs === width ? new StochasticDepth(rate) : null;
  }

  members() {
    return { block: this.block, ...(this.depth && { stochastic_depth: this.depth }) };
  }

  call(input: Tensor<'NCHW'>): Tensor<'NCHW'> {
    const { block, depth } = this;
    return input.gpu.scope(() => (depth ? add(depth.call(block.call(input)), input) : block.call(input)));
  }
}

class FusedBlock extends Block {
  protected readonly block: Sequential;

  constructor(gpu: Gpu, shape: BlockShape, style: Style) {
    super(shape);
    const { inputs, width, expand, stride } = shape;
    const middle = inputs * expand;
    this.block = new Sequential(
      expand === 1
        ? { 0: normalised(gpu, inputs, width, { kernel: 3, stride }, style) }
        : {
            0: normalised(gpu, inputs, middle, { kernel: 3, stride }, style),
            1: normalised(gpu, middle, width, { kernel: 1 }, style, 'linear'),
          },
    );
  }
}

class InvertedBlock extends Block {
  protected readonly block: Sequential;

  constructor(gpu: Gpu, shape: BlockShape, style: Style) {
    super(shape);
    const { inputs, width, expand, stride } = shape;
    const middle = inputs * expand;
    this.block = new Sequential({
      0: normalised(gpu, inputs, middle, { kernel: 1 }, style),
      1: normalised(gpu, middle, middle, { kernel: 3, stride, groups: middle }, style),
      2: new SqueezeExcite(gpu, middle, inputs / 4),
      3: normalised(gpu, middle, width, { kernel: 1 }, style, 'linear'),
    });
  }
}

/** Scales each channel by a number in (0, 1) that depends on the means of all of them. */
class SqueezeExcite extends Module {
  private readonly fc1: Conv2d;
  private readonly fc2: Conv2d;

  constructor(gpu: Gpu, channels: number, squeezed: number) {
    super();
    this.fc1 = new Conv2d(gpu, channels, squeezed, { kernel: 1, initial: 'fan-out' });
    this.fc2 = new Conv2d(gpu, squeezed, channels, { kernel: 1, initial: 'fan-out' });
  }

  members() {
    return { fc1: this.fc1, fc2: this.fc2 };
  }

  call(input: Tensor<'NCHW'>): Tensor<'NCHW'> {
    return input.gpu.scope(() => {
      const [N, C] = input.shape;
      const squeezed = silu(this.fc1.call(mean(input, 'HW').view('NCHW', [N, C, 1, 1])));
      const gate = sigmoid(this.fc2.call(squeezed)).view('NC', [N, C]);
      return multiply(input, gate) as Tensor<'NCHW'>;
    });
  }
}

/** Convolution without bias that keeps the size (or halves it), normalisation, SiLU unless it is linear. */
function normalised(
  gpu: Gpu,
  inputs: number,
  outputs: number,
  { kernel, stride = 1, groups }: { kernel: 1 | 3; stride?: number; groups?: number },
  { padding, epsilon }: Style,
  activation: 'silu' | 'linear' = 'silu',
): Sequential {
  const options: Conv2dOptions = { kernel, stride, groups, bias: false, initial: 'fan-out' };
  const conv =
    padding === 'same' && stride === 2
      ? new SameConv2d(gpu, inputs, outputs, options)
      : new Conv2d(gpu, inputs, outputs, { ...options, padding: (kernel - 1) / 2 });
  const norm = new BatchNorm2d(gpu, outputs, { epsilon });
  return new Sequential(activation === 'silu' ? { 0: conv, 1: norm, 2: new Apply(silu) } : { 0: conv, 1: norm });
}

/** 3x3 of stride 2 with TensorFlow's SAME padding: two zeros an odd axis, one at the end of an even one. */
class SameConv2d extends Conv2d {
  override call(input: Tensor<'NCHW'>): Tensor<'NCHW'> {
    const margin = (length: number) => [length % 2, 1] as const;
    const [, , H, W] = input.shape;
    return super.call(pad(input, { H: margin(H), W: margin(W) }));
  }
}
