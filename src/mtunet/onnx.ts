/**
 * A network as an ONNX model: one forward pass in evaluation mode is watched operation by operation, and each becomes a node.
 *
 *     input   image       1 C H W
 *     output  diagnosis   1 K      class logits
 *             saliency    1 H W    logits of the pixels
 *
 * The model is made for one size of image. Nothing is computed while it is made: the pass runs without an adapter.
 */
import { dryGpu } from '../engine/dry.ts';
import { Counter, type Gpu, type StateDict, type Tensor, upload, withoutGradient } from '../engine/index.ts';
import type { Operation } from '../engine/tensor.ts';
import type { ImageSize } from './losses.ts';
import type { Network } from './network.ts';
import { encodeOnnx, type OnnxInitializer, type OnnxNode } from './onnx-schema.ts';

const OPSET = 17;

type Attributes = OnnxNode['attributes'];

/** @param build the network on the given device; its values come from `state` */
export function onnxModel(build: (gpu: Gpu) => Network, state: StateDict, { height, width }: ImageSize): Uint8Array {
  using gpu = dryGpu();
  using network = build(gpu);
  network.train(false);
  const graph = new Graph(network, state);
  const outputs: { name: string; shape: readonly number[] }[] = [];
  const shape = [1, network.inputChannels, height, width];
  gpu.onOperation = (made) => graph.add(made);
  void gpu.step(() => {
    const image = upload(gpu, 'NCHW', shape, new Float32Array(network.inputChannels * height * width));
    graph.name(image, 'image');
    const { diagnosis, saliency } = withoutGradient(gpu, () => network.call(image));
    for (const [name, tensor] of Object.entries({ diagnosis, saliency })) {
      if (!tensor) continue;
      graph.node('Identity', [graph.nameOf(tensor)], name);
      outputs.push({ name, shape: tensor.shape });
    }
    return {};
  });
  gpu.onOperation = null;
  const { nodes, initializers } = graph;
  return encodeOnnx({ name: 'mtunet', nodes, initializers, inputs: [{ name: 'image', shape }], outputs }, OPSET);
}

class Graph {
  readonly nodes: OnnxNode[] = [];
  readonly initializers: OnnxInitializer[] = [];
  private readonly names = new Map<Tensor, string>();
  private readonly parameters = new Map<Tensor, string>();
  private readonly state: StateDict;

  constructor(network: Network, state: StateDict) {
    this.state = state;
    for (const { name, member } of network.entries())
      if (!(member instanceof Counter)) this.parameters.set(member, name);
  }

  name(tensor: Tensor, name: string): string {
    this.names.set(tensor, name);
    return name;
  }

  /** A parameter becomes part of the model when it is first read. */
  nameOf(tensor: Tensor): string {
    const known = this.names.get(tensor);
    if (known !== undefined) return known;
    const parameter = this.parameters.get(tensor);
    const stored = parameter === undefined ? undefined : this.state.tensors.get(parameter);
    if (parameter === undefined || !stored) {
      throw new Error(`onnx: ${parameter ?? tensor.name} is neither made by an operation nor a value of the network.`);
    }
    this.initializers.push({ name: parameter, dims: stored.shape, data: stored.values });
    return this.name(tensor, parameter);
  }

  node(op_type: string, input: readonly string[], output: string, attributes: Attributes = {}): string {
    this.nodes.push({ op_type, input, output: [output], attributes });
    return output;
  }

  constant(data: readonly number[], kind: 'whole' | 'real', dims: readonly number[] = [data.length]): string {
    const name = `constant_${this.initializers.length}`;
    const values = kind === 'whole' ? BigInt64Array.from(data, BigInt) : Float32Array.from(data);
    this.initializers.push({ name, dims, data: values });
    return name;
  }

  add(made: Operation): void {
    const write = writers[made.name];
    if (!write) throw new Error(`onnx: there is no counterpart for the operation ${made.name}.`);
    const output = this.name(made.output, `t${this.nodes.length}`);
    write(
      this,
      made,
      made.inputs.map((input) => this.nameOf(input)),
      output,
    );
  }
}

type Writer = (graph: Graph, made: Operation, inputs: readonly string[], output: string) => void;

const plain =
  (op: string): Writer =>
  (graph, _, inputs, output) => {
    graph.node(op, inputs, output);
  };

/** b's axes under a's letters, so that ONNX's broadcasting from the right means the same. */
const binary =
  (op: string): Writer =>
  (graph, { inputs, output: made }, names, output) => {
    const aligned = inputs.map((tensor, i) => {
      const shape = [...made.axes].map((letter) => {
        const at = tensor.axes.indexOf(letter);
        return at < 0 ? 1 : tensor.shape[at];
      });
      if (tensor.axes === made.axes) return names[i];
      return graph.node('Reshape', [names[i], graph.constant(shape, 'whole')], `${output}_${i}`);
    });
    graph.node(op, aligned, output);
  };

const withParameter =
  (op: string): Writer =>
  (graph, { attributes }, [input], output) => {
    graph.node(op, [input, graph.constant([attributes.parameter as number], 'real', [])], output);
  };

const reduction =
  (op: string): Writer =>
  (graph, { inputs, attributes }, [input], output) => {
    const axes = [...inputs[0].axes].flatMap((letter, i) =>
      (attributes.letters as string).includes(letter) ? [i] : [],
    );
    if (op === 'ReduceSum') graph.node(op, [input, graph.constant(axes, 'whole')], output, { keepdims: 0 });
    else graph.node(op, [input], output, { axes, keepdims: 0 });
  };

const window = (attributes: Operation['attributes']) => {
  const { R, S, strideH, strideW, padH, padW } = attributes as Record<string, number>;
  return { kernel_shape: [R, S], strides: [strideH, strideW], pads: [padH, padW, padH, padW] };
};

const reshape: Writer = (graph, { output: made }, [input], output) => {
  graph.node('Reshape', [input, graph.constant(made.shape, 'whole')], output);
};

const coordinates: Readonly<Record<string, string>> = {
  nearest: 'asymmetric',
  'half-pixel': 'half_pixel',
  align: 'align_corners',
  asymmetric: 'asymmetric',
};

const writers: Readonly<Record<string, Writer>> = {
  view: reshape,
  relu: plain('Relu'),
  sigmoid: plain('Sigmoid'),
  exp: plain('Exp'),
  log: plain('Log'),
  sqrt: plain('Sqrt'),
  reciprocal: plain('Reciprocal'),
  softplus: plain('Softplus'),
  silu: (graph, _, [input], output) => {
    graph.node('Mul', [input, graph.node('Sigmoid', [input], `${output}_gate`)], output);
  },
  square: (graph, _, [input], output) => {
    graph.node('Mul', [input, input], output);
  },
  scale: withParameter('Mul'),
  shift: withParameter('Add'),
  add: binary('Add'),
  subtract: binary('Sub'),
  multiply: binary('Mul'),
  divide: binary('Div'),
  minimum: binary('Min'),
  maximum: binary('Max'),
  sum: reduction('ReduceSum'),
  mean: reduction('ReduceMean'),
  max: reduction('ReduceMax'),
  conv2d: (graph, { attributes }, inputs, output) => {
    const { dilationH, dilationW, groups } = attributes as Record<string, number>;
    graph.node('Conv', inputs, output, { ...window(attributes), dilations: [dilationH, dilationW], group: groups });
  },
  batchNorm: (graph, { attributes }, inputs, output) => {
    const { epsilon, activation } = attributes as { epsilon: number; activation: string };
    const before = activation === 'relu' ? `${output}_norm` : output;
    graph.node('BatchNormalization', inputs, before, { 'epsilon.': epsilon });
    if (activation === 'relu') graph.node('Relu', [before], output);
  },
  maxPool2d: (graph, { attributes }, inputs, output) => {
    graph.node('MaxPool', inputs, output, window(attributes));
  },
  averagePool2d: (graph, { attributes }, inputs, output) => {
    const count_include_pad = attributes.countPadding as number;
    graph.node('AveragePool', inputs, output, { ...window(attributes), count_include_pad });
  },
  upsample: (graph, { attributes, output: made }, [input], output) => {
    const mode = attributes.mode as string;
    graph.node('Resize', [input, '', '', graph.constant(made.shape, 'whole')], output, {
      mode: mode === 'nearest' ? 'nearest' : 'linear',
      coordinate_transformation_mode: coordinates[mode],
      nearest_mode: 'floor',
    });
  },
  concat: (graph, { attributes }, inputs, output) => {
    graph.node('Concat', inputs, output, { axis: attributes.axis as number });
  },
  softmax: (graph, { attributes }, [input], output) => {
    if ((attributes.letters as string).length !== 1)
      throw new Error('onnx: a softmax over several axes has no counterpart.');
    graph.node('Softmax', [input], output, { axis: -1 });
  },
  slice: (graph, { attributes }, [input], output) => {
    const bounds = attributes.bounds as readonly { start: number; stop: number }[];
    const starts = graph.constant(
      bounds.map(({ start }) => start),
      'whole',
    );
    graph.node(
      'Slice',
      [
        input,
        starts,
        graph.constant(
          bounds.map(({ stop }) => stop),
          'whole',
        ),
      ],
      output,
    );
  },
  pad: (graph, { attributes }, [input], output) => {
    const margin = attributes.margin as readonly (readonly [number, number])[];
    const pads = [...margin.map(([before]) => before), ...margin.map(([, after]) => after)];
    const value = graph.constant([attributes.value as number], 'real', []);
    graph.node('Pad', [input, graph.constant(pads, 'whole'), value], output);
  },
  expand: (graph, { inputs: [from], output: made }, [input], output) => {
    const aligned = [...made.axes].map((letter) => from.shape[from.axes.indexOf(letter)] ?? 1);
    const shaped = graph.node('Reshape', [input, graph.constant(aligned, 'whole')], `${output}_aligned`);
    graph.node('Expand', [shaped, graph.constant(made.shape, 'whole')], output);
  },
  permute: (graph, { inputs: [from], output: made }, [input], output) => {
    graph.node('Transpose', [input], output, { perm: [...made.axes].map((letter) => from.axes.indexOf(letter)) });
  },
  linear: (graph, _, inputs, output) => {
    graph.node('Gemm', inputs, output, { transB: 1 });
  },
  matmul: plain('MatMul'),
};
