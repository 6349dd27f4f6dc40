/**
 * VGG-SSM (Cao et al. 2020), after the authors' code: VGG-16, self-attention on its deepest features, a decoder with three skips.
 *
 *     encoder    VGG-16 without its last pooling; skips of blocks 2, 3, 4 through three convolutions without bias each
 *     attention  A = softmax(Q' K), out = gamma conv1x1(A V') + x                                   N 512 H/16 W/16
 *     decoder    three convolutions a level, then nearest x2 and the skip, down to width 64         N 1 H W
 *
 * The encoder is frozen in the authors' code (see networks.ts). Parameter names are theirs; `conv_layerK.*`, which name the encoder's
 * tensors a second time there, are left out.
 */
import {
  Apply,
  add,
  Conv2d,
  concat,
  type Gpu,
  type Initial,
  Module,
  matmul,
  maxPool2d,
  multiply,
  permute,
  relu,
  Sequential,
  sigmoid,
  softmax,
  stateTensor,
  type Tensor,
  upsample2x,
} from '../../engine/index.ts';
import { SaliencyNetwork, type SaliencyOutput } from './saliency-network.ts';
import { joined, vgg16Blocks } from './vgg16.ts';

/**
 * How the attention's result, N pixels x channels in memory, becomes a map again: 'published' reads the same memory as channels x pixels,
 * as the authors' code does and their weights expect; 'transposed' puts each pixel's channels where they belong.
 */
export type AttentionLayout = 'published' | 'transposed';

export interface VggSsmConfig {
  readonly inputChannels?: number;
  readonly attention?: AttentionLayout;
  readonly output?: SaliencyOutput;
}

/** Widths of each level's convolutions, deepest first; the level's number is in their names. */
const decoder = [
  { level: 5, inputs: 512, widths: [512, 512, 512] },
  { level: 4, inputs: 512 + 512, widths: [512, 512, 256] },
  { level: 3, inputs: 256 + 256, widths: [256, 256, 256] },
  { level: 2, inputs: 256 + 128, widths: [128, 64] },
  { level: 1, inputs: 64, widths: [64, 64] },
] as const;

export class VggSsm extends SaliencyNetwork {
  protected readonly epsilon = 2.2204e-16;
  private readonly blocks: readonly Sequential[];
  private readonly parts: Readonly<Record<string, Module>>;
  private readonly skips: readonly Skip[];
  private readonly attention: SelfAttention;
  private readonly levels: readonly (readonly Conv2d[])[];
  private readonly last: Conv2d;

  /**
   * Initial values are drawn from `seed`: torchvision's for the encoder, PyTorch's for the rest, gamma 0; with null they are left open for
   * loadStateDict().
   */
  constructor(
    gpu: Gpu,
    { inputChannels = 1, attention = 'published', output = 'logits' }: VggSsmConfig = {},
    seed: number | null = 0,
  ) {
    super(inputChannels, output);
    this.blocks = vgg16Blocks(gpu, { inputChannels });
    this.skips = [128, 256, 512].map((width) => new Skip(gpu, width));
    this.attention = new SelfAttention(gpu, 512, attention);
    this.levels = decoder.map(({ inputs, widths }) =>
      widths.map((width, i) => new Conv2d(gpu, i === 0 ? inputs : widths[i - 1], width, { kernel: 3, padding: 1 })),
    );
    this.last = new Conv2d(gpu, 64, 1, { kernel: 1 });

    const parts: Record<string, Module> = { vgg: joined(this.blocks) };
    this.skips.forEach((skip, i) => {
      parts[`hg${i + 1}`] = skip;
    });
    parts.attn1 = this.attention;
    decoder.forEach(({ level }, depth) => {
      this.levels[depth].forEach((convolution, i) => {
        parts[`conv${level}_${i + 1}`] = convolution;
      });
    });
    this.parts = { ...parts, outconv: this.last };
    this.initialise(seed);
  }

  members() {
    return this.parts;
  }

  protected map(image: Tensor<'NCHW'>): Tensor<'NCHW'> {
    const { gpu } = image;
    const encoded: Tensor<'NCHW'>[] = [];
    this.blocks.forEach((block, level) => {
      const before = level === 0 ? image : encoded[level - 1];
      encoded.push(gpu.scope(() => block.call(level === 0 ? before : maxPool2d(before, { size: 2 }))));
    });
    const skips = this.skips.map((skip, i) => skip.call(encoded[i + 1])); // H/2, H/4, H/8
    let features = this.attention.call(encoded[4]); // N 512 H/16 W/16
    this.levels.forEach((convolutions, depth) => {
      const below = features;
      const skip = depth === 0 ? undefined : skips[3 - depth];
      features = gpu.scope(() => {
        const raised = depth === 0 ? below : upsample2x(below);
        let current = skip ? concat([raised, skip], 'C') : raised;
        for (const convolve of convolutions) current = relu(convolve.call(current));
        return current;
      });
    });
    return this.last.call(features);
  }

  native(logits: Tensor<'NHW'>): Tensor<'NHW'> {
    return sigmoid(logits);
  }
}

/** Three 3x3 convolutions without bias, with ReLU; width, height and channels stay. */
class Skip extends Module {
  private readonly hourglass: Sequential;

  constructor(gpu: Gpu, width: number) {
    super();
    const convolution = () => new Conv2d(gpu, width, width, { kernel: 3, padding: 1, bias: false });
    const layers = [convolution(), new Apply(relu), convolution(), new Apply(relu), convolution(), new Apply(relu)];
    this.hourglass = new Sequential(layers);
  }

  members() {
    return { hourglass3: this.hourglass };
  }

  call(input: Tensor<'NCHW'>): Tensor<'NCHW'> {
    return this.hourglass.call(input);
  }
}

/** Every pixel looks at every other (after Zhang et al. 2019, without their scaling). N C H W -> N C H W */
class SelfAttention extends Module {
  private readonly gamma: Tensor<'C'>;
  private readonly query: Conv2d;
  private readonly key: Conv2d;
  private readonly value: Conv2d;
  /** Part of the authors' network, but its result goes nowhere: it is never trained. */
  private readonly unused: Conv2d;
  private readonly conv: Conv2d;
  private readonly layout: AttentionLayout;

  constructor(gpu: Gpu, channels: number, layout: AttentionLayout) {
    super();
    this.layout = layout;
    this.gamma = stateTensor(gpu, 'C', [1], 'attention gamma', true);
    const pointwise = (inputs: number, outputs: number) => new Conv2d(gpu, inputs, outputs, { kernel: 1 });
    this.query = pointwise(channels, channels / 8);
    this.key = pointwise(channels, channels / 8);
    this.value = pointwise(channels, channels / 8);
    this.unused = pointwise(channels, channels);
    this.conv = pointwise(channels / 8, channels);
  }

  members(): Record<string, Module | Tensor> {
    const { gamma, query, key, value, unused, conv } = this;
    return { gamma, query_conv: query, key_conv: key, hhh_conv: value, value_conv: unused, conv };
  }

  protected override initials(): Record<string, Initial> {
    return { gamma: { kind: 'constant', value: 0 } };
  }

  call(input: Tensor<'NCHW'>): Tensor<'NCHW'> {
    const [N, , H, W] = input.shape;
    return input.gpu.scope(() => {
      const query = this.query.call(input);
      const D = query.shape[1];
      const pixels = H * W;
      const queries = permute(query.view('BKI', [N, D, pixels]), 'BIK');
      const energy = matmul(queries, this.key.call(input).view('BKJ', [N, D, pixels])); // no scaling by sqrt D
      const weights = softmax(energy, 'J').view('BIK', [N, pixels, pixels]);
      const values = permute(this.value.call(input).view('BJK', [N, D, pixels]), 'BKJ');
      const attended = matmul(weights, values); // N pixels D
      const ordered = this.layout === 'published' ? attended : permute(attended, 'BJI');
      const change = this.conv.call(ordered.view('NCHW', [N, D, H, W]));
      return add(multiply(change, this.gamma), input) as Tensor<'NCHW'>;
    });
  }
}
