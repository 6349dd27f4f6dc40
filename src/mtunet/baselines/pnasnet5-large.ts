/**
 * The encoder of PNASNet-5-Large (Liu et al. 2018), as in the PyTorch port by its authors: 14 cells of five nodes.
 *
 *     stem    conv 3x3 / 2 unpadded, normalisation; two reduction cells of width 54 and 108
 *     cells   3 x 4 of width 216, 432, 864; the first of the second and third four halves the size
 *     cell    h0, h1 = the two inputs brought to one width and size;  output = concat(h2, ..., h6)
 *             h2 = sep5(h0) + max3(h0)   h3 = sep7(h1) + max3(h1)   h4 = sep5(h1) + sep3(h1)
 *             h5 = sep3(h4) + max3(h1)   h6 = sep3(h0) + h1
 *
 * Parameter names are that port's. Its classifier is here because weights contain it; as an encoder the network does not use it.
 */
import {
  Apply,
  add,
  BatchNorm2d,
  Conv2d,
  type Conv2dOptions,
  concat,
  type Gpu,
  type Layer,
  Linear,
  Module,
  ModuleList,
  maxPool2d,
  pad,
  relu,
  Sequential,
  slice,
  type Tensor,
} from '../../engine/index.ts';

export const STEM = 96;
/** Channels of the outputs at 1/2, 1/4, 1/8, 1/16 and 1/32 of the size. */
export const pnasnetWidths = [STEM, 270, 1080, 2160, 4320] as const;

const widths = [216, 432, 864] as const;
const CELLS_A_WIDTH = 4;
const NODES = 5;
const IMAGENET_CLASSES = 1001;

export class PnasNet5Large extends Module {
  private readonly conv0: Conv2d;
  private readonly norm0: BatchNorm2d;
  private readonly stem1: Cell;
  private readonly stem2: Cell;
  private readonly cells: readonly Cell[];
  private readonly list: ModuleList;
  private readonly classifier: Linear;

  constructor(gpu: Gpu, inputChannels: number) {
    super();
    this.conv0 = new Conv2d(gpu, inputChannels, STEM, { kernel: 3, stride: 2, bias: false });
    this.norm0 = normalisation(gpu, STEM);
    this.stem1 = new Cell(gpu, { before: STEM, previous: STEM, width: 54, reduces: true, joins: 'as it is' });
    this.stem2 = new Cell(gpu, { before: STEM, previous: 270, width: 108, reduces: true, joins: 'halved' });
    let [before, previous] = [270, 540];
    let afterReduction = true;
    this.cells = widths.flatMap((width, stage) =>
      Array.from({ length: CELLS_A_WIDTH }, (_, i) => {
        const reduces = stage > 0 && i === 0;
        const cell = new Cell(gpu, {
          before,
          previous,
          width,
          reduces,
          joins: afterReduction ? 'halved' : 'projected',
        });
        [before, previous, afterReduction] = [previous, NODES * width, reduces];
        return cell;
      }),
    );
    this.list = new ModuleList(this.cells);
    this.classifier = new Linear(gpu, NODES * widths[2], IMAGENET_CLASSES);
  }

  members() {
    const { conv0, norm0, stem1, stem2, list, classifier } = this;
    return { conv0, conv0_bn: norm0, stem1, stem2, cells: list, classifier };
  }

  /** image N C H W, H and W multiples of 32; five outputs, the finest first, with `pnasnetWidths` channels. */
  call(image: Tensor<'NCHW'>): Tensor<'NCHW'>[] {
    const stem = image.gpu.scope(() => this.norm0.call(this.conv0.call(image))); // N 96 H/2-1 W/2-1
    const quarter = this.stem1.call(stem, stem);
    const outputs = [pad(stem, { H: [0, 1], W: [0, 1] }), quarter];
    let [before, previous] = [quarter, this.stem2.call(stem, quarter)];
    this.cells.forEach((cell, i) => {
      const output = cell.call(before, previous);
      if (!before.requiresGradient && !outputs.includes(before)) before.releaseIfAlive();
      [before, previous] = [previous, output];
      if (i % CELLS_A_WIDTH === CELLS_A_WIDTH - 1) outputs.push(output);
    });
    return outputs;
  }
}

interface CellShape {
  /** Channels of the cell before the previous one, and of the previous one. */
  readonly before: number;
  readonly previous: number;
  /** Channels of each node. */
  readonly width: number;
  /** Whether the cell halves the size. */
  readonly reduces: boolean;
  /** How the older input becomes h0. */
  readonly joins: 'as it is' | 'halved' | 'projected';
}

class Cell extends Module {
  private readonly preprocess0: Layer | null;
  private readonly preprocess1: Layer;
  /** Two for each node. */
  private readonly operations: readonly (Layer | null)[];
  private readonly list: ModuleList;

  constructor(gpu: Gpu, { before, previous, width, reduces, joins }: CellShape) {
    super();
    this.preprocess0 =
      joins === 'halved'
        ? new FactorizedReduce(gpu, before, width)
        : joins === 'projected'
          ? project(gpu, before, width)
          : null;
    this.preprocess1 = project(gpu, previous, width);
    const stride = reduces ? 2 : 1;
    const h0 = joins === 'as it is' ? before : width;
    const sep = (kernel: number, inputs = width, step = stride) => separable(gpu, inputs, width, kernel, step);
    const max = (inputs = width) => largest(gpu, inputs, width, stride);
    this.operations = [
      ...[sep(5, h0), max(h0)],
      ...[sep(7), max()],
      ...[sep(5), sep(3)],
      ...[sep(3, width, 1), max()], // the first reads h4, which has the cell's size already
      ...[sep(3, h0), reduces ? project(gpu, width, width, stride) : null], // null: h1 itself
    ];
    const named = [...this.operations.entries()].filter(([, operation]) => operation !== null);
    this.list = new ModuleList(Object.fromEntries(named) as Record<string, Module>);
  }

  members() {
    const { preprocess0, preprocess1, list } = this;
    return { ...(preprocess0 && { preprocess0 }), preprocess1, _ops: list };
  }

  call(before: Tensor<'NCHW'>, previous: Tensor<'NCHW'>): Tensor<'NCHW'> {
    return before.gpu.scope(() => {
      const h0 = this.preprocess0 ? this.preprocess0.call(before) : before;
      const h1 = this.preprocess1.call(previous);
      const node = (n: number, a: Tensor<'NCHW'>, b: Tensor<'NCHW'>) =>
        before.gpu.scope(() => {
          const [first, second] = [this.operations[2 * n], this.operations[2 * n + 1]];
          return add(first ? first.call(a) : a, second ? second.call(b) : b);
        });
      const h2 = node(0, h0, h0);
      const h3 = node(1, h1, h1);
      const h4 = node(2, h1, h1);
      const h5 = node(3, h4, h1);
      const h6 = node(4, h0, h1);
      return concat([h2, h3, h4, h5, h6], 'C');
    });
  }
}

/** Layers one after another, under the name that they have in the port. */
class Operation extends Module {
  private readonly op: Sequential;

  constructor(layers: readonly Layer[]) {
    super();
    this.op = new Sequential(layers);
  }

  members() {
    return { op: this.op };
  }

  call(input: Tensor<'NCHW'>): Tensor<'NCHW'> {
    return this.op.call(input);
  }
}

/** ReLU, convolution 1x1, normalisation. */
function project(gpu: Gpu, inputs: number, outputs: number, stride = 1): Layer {
  const convolve = convolution(gpu, inputs, outputs, { kernel: 1, stride });
  return new Operation([new Apply(relu), convolve, normalisation(gpu, outputs)]);
}

/** Twice: ReLU, one k x k convolution a channel, convolution 1x1, normalisation. The first has the stride. */
function separable(gpu: Gpu, inputs: number, outputs: number, kernel: number, stride: number): Layer {
  const half = (from: number, step: number) => [
    new Apply(relu),
    convolution(gpu, from, from, { kernel, stride: step, padding: (kernel - 1) / 2, groups: from }),
    convolution(gpu, from, outputs, { kernel: 1 }),
    normalisation(gpu, outputs),
  ];
  return new Operation([...half(inputs, stride), ...half(outputs, 1)]);
}

/** Max 3x3, and where the width changes convolution 1x1 and normalisation. */
function largest(gpu: Gpu, inputs: number, outputs: number, stride: number): Layer {
  const pool = new Apply((input) => maxPool2d(input, { size: 3, stride, padding: 1 }));
  if (inputs === outputs) return pool;
  return new Sequential([pool, convolution(gpu, inputs, outputs, { kernel: 1 }), normalisation(gpu, outputs)]);
}

/** Half the size without losing pixels: the even ones through one 1x1 convolution, the odd ones through another. */
class FactorizedReduce extends Module {
  private readonly even: Conv2d;
  private readonly odd: Conv2d;
  private readonly norm: BatchNorm2d;

  constructor(gpu: Gpu, inputs: number, outputs: number) {
    super();
    this.even = convolution(gpu, inputs, outputs / 2, { kernel: 1, stride: 2 });
    this.odd = convolution(gpu, inputs, outputs / 2, { kernel: 1, stride: 2 });
    this.norm = normalisation(gpu, outputs);
  }

  members() {
    return { conv_1: this.even, conv_2: this.odd, bn: this.norm };
  }

  call(input: Tensor<'NCHW'>): Tensor<'NCHW'> {
    return input.gpu.scope(() => {
      const positive = relu(input);
      const shifted = slice(pad(positive, { H: [0, 1], W: [0, 1] }), { H: [1], W: [1] });
      return this.norm.call(concat([this.even.call(positive), this.odd.call(shifted)], 'C'));
    });
  }
}

const convolution = (gpu: Gpu, inputs: number, outputs: number, options: Conv2dOptions) =>
  new Conv2d(gpu, inputs, outputs, { bias: false, ...options });

const normalisation = (gpu: Gpu, channels: number) => new BatchNorm2d(gpu, channels, { epsilon: 1e-3 });
