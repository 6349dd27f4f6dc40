/**
 * The part of ONNX's protobuf schema that a network needs, with ONNX's own field numbers.
 * Source: github.com/onnx/onnx, onnx/onnx.proto3.
 */
import protobuf from 'protobufjs';

const schema = `
syntax = "proto3";
message Model { int64 ir_version = 1; string producer_name = 2; Graph graph = 7; repeated OperatorSet opset_import = 8; }
message OperatorSet { string domain = 1; int64 version = 2; }
message Graph { repeated Node node = 1; string name = 2; repeated Initializer initializer = 5; repeated Value input = 11; repeated Value output = 12; }
message Node { repeated string input = 1; repeated string output = 2; string name = 3; string op_type = 4; repeated Attribute attribute = 5; }
message Attribute { string name = 1; float f = 2; int64 i = 3; bytes s = 4; repeated int64 ints = 8; int32 type = 20; }
message Initializer { repeated int64 dims = 1; int32 data_type = 2; string name = 8; bytes raw_data = 9; }
message Value { string name = 1; Type type = 2; }
message Type { TensorType tensor_type = 1; }
message TensorType { int32 elem_type = 1; TensorShape shape = 2; }
message TensorShape { repeated Dimension dim = 1; }
message Dimension { int64 dim_value = 1; }
`;

const Model = protobuf.parse(schema, { keepCase: true }).root.lookupType('Model');

export const FLOAT = 1;
export const INT64 = 7;

export interface OnnxNode {
  readonly op_type: string;
  readonly input: readonly string[];
  readonly output: readonly string[];
  readonly attributes: Readonly<Record<string, number | string | readonly number[]>>;
}

export interface OnnxInitializer {
  readonly name: string;
  readonly dims: readonly number[];
  readonly data: Float32Array | BigInt64Array;
}

export interface OnnxGraph {
  readonly name: string;
  readonly nodes: readonly OnnxNode[];
  readonly initializers: readonly OnnxInitializer[];
  readonly inputs: readonly { readonly name: string; readonly shape: readonly number[] }[];
  readonly outputs: readonly { readonly name: string; readonly shape: readonly number[] }[];
}

/** The bytes of a model file; `opset` is the version of ONNX's operators. */
export function encodeOnnx(graph: OnnxGraph, opset: number): Uint8Array {
  const value = ({ name, shape }: { name: string; shape: readonly number[] }) => ({
    name,
    type: { tensor_type: { elem_type: FLOAT, shape: { dim: shape.map((dim_value) => ({ dim_value })) } } },
  });
  const model = {
    ir_version: 8,
    producer_name: 'mtunet',
    opset_import: [{ domain: '', version: opset }],
    graph: {
      name: graph.name,
      node: graph.nodes.map(({ attributes, ...node }, i) => ({
        ...node,
        name: `${node.op_type}_${i}`,
        attribute: Object.entries(attributes).map(([name, given]) => attribute(name, given)),
      })),
      initializer: graph.initializers.map(({ name, dims, data }) => ({
        name,
        dims,
        data_type: data instanceof BigInt64Array ? INT64 : FLOAT,
        raw_data: new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
      })),
      input: graph.inputs.map(value),
      output: graph.outputs.map(value),
    },
  };
  return Model.encode(Model.fromObject(model)).finish();
}

/** Names that end in a full stop hold a real number, all others a whole one: ONNX tells the two apart, JavaScript does not. */
function attribute(key: string, given: number | string | readonly number[]) {
  const name = key.replace(/\.$/, '');
  if (typeof given === 'string') return { name, s: new TextEncoder().encode(given), type: 3 };
  if (typeof given === 'number') return key.endsWith('.') ? { name, f: given, type: 1 } : { name, i: given, type: 2 };
  return { name, ints: given, type: 7 };
}
