/**
 * Everything that is needed to go on, bit for bit, as one safetensors file: tensors by role and name, the rest as JSON in its metadata.
 *
 *     network/<state_dict name>   scheme/<name>   optimizer/<parameter>.<moment>      the run as it is
 *     best/network/... best/scheme/... best/optimizer/...                             the same at the best epoch
 *
 * No clock time is written, so equal runs leave equal files.
 */
import type { Module, Optimizer, OptimizerState, StateDict } from '../engine/index.ts';
import { readSafetensors, SafetensorsError, type TensorData, writeSafetensors } from '../engine/safetensors.ts';
import type { Scheme, SchemeMemory } from './schemes/scheme.ts';

/** The state of one network with its scheme and optimizer. */
export interface Snapshot {
  readonly network: StateDict;
  readonly scheme: StateDict;
  /** What the scheme remembers beside its tensors. */
  readonly memory: SchemeMemory;
  readonly optimizer: OptimizerState;
}

/** Numbers beside the tensors; plain JSON. */
export interface Progress {
  readonly [key: string]: unknown;
}

export interface Checkpoint {
  readonly current: Snapshot;
  readonly best: Snapshot | null;
  readonly progress: Progress;
}

const FORMAT = 'mtunet-checkpoint-1';

export async function takeSnapshot(parts: {
  network: Module;
  scheme: Scheme;
  optimizer: Optimizer;
}): Promise<Snapshot> {
  const network = await parts.network.stateDict();
  const scheme = await parts.scheme.stateDict();
  return { network, scheme, memory: parts.scheme.memory, optimizer: await parts.optimizer.state() };
}

/** `metadata` goes before the checkpoint's own. */
export function writeCheckpoint(
  { current, best, progress }: Checkpoint,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  const tensors = new Map<string, TensorData>();
  const numbers = { current: numbersOf(current), best: best && numbersOf(best), progress };
  addTensors(tensors, '', current);
  if (best) addTensors(tensors, 'best/', best);
  return writeSafetensors(tensors, { ...metadata, format: FORMAT, state: JSON.stringify(numbers) });
}

/** @throws SafetensorsError when the bytes are not a whole checkpoint */
export function readCheckpoint(bytes: Uint8Array): Checkpoint {
  const { tensors, metadata } = readSafetensors(bytes);
  if (metadata.get('format') !== FORMAT) {
    throw new SafetensorsError(
      `The file is not a checkpoint of this program: its format is "${metadata.get('format') ?? 'unnamed'}", not "${FORMAT}".`,
    );
  }
  const state = JSON.parse(metadata.get('state') ?? '{}') as Record<string, unknown>;
  const snapshot = (prefix: string, numbers: SnapshotNumbers): Snapshot => {
    const under = (role: string) =>
      new Map(
        [...tensors]
          .filter(([name]) => name.startsWith(`${prefix}${role}/`))
          .map(([name, tensor]) => [
            name.slice(prefix.length + role.length + 1),
            { shape: tensor.shape, values: tensor.toFloat32() },
          ]),
      );
    return {
      network: { tensors: under('network'), counters: new Map(Object.entries(numbers.counters)) },
      scheme: { tensors: under('scheme'), counters: new Map() },
      memory: numbers.memory ?? null,
      optimizer: { steps: numbers.steps, learningRate: numbers.learningRate, moments: under('optimizer') },
    };
  };
  return {
    current: snapshot('', state.current as SnapshotNumbers),
    best: state.best ? snapshot('best/', state.best as SnapshotNumbers) : null,
    progress: state.progress as Progress,
  };
}

/** The network alone, as other tools read it: state_dict names, counters as int64. */
export function writeWeights(
  { tensors, counters }: StateDict,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  const data = new Map<string, TensorData>();
  for (const [name, { shape, values }] of tensors) data.set(name, { dtype: 'F32', shape, data: values });
  for (const [name, value] of counters)
    data.set(name, { dtype: 'I64', shape: [], data: BigInt64Array.of(BigInt(value)) });
  return writeSafetensors(data, metadata);
}

/** Reads writeWeights' file, or any file with these names: floats as float32, scalars of integers as counters. */
export function readWeights(bytes: Uint8Array): StateDict {
  const tensors = new Map<string, { shape: readonly number[]; values: Float32Array }>();
  const counters = new Map<string, number>();
  for (const [name, tensor] of readSafetensors(bytes).tensors) {
    if (/^(I|U)\d+$/.test(tensor.dtype) && tensor.shape.length === 0) counters.set(name, Number(tensor.toBigInts()[0]));
    else tensors.set(name, { shape: tensor.shape, values: tensor.toFloat32() });
  }
  return { tensors, counters };
}

interface SnapshotNumbers {
  readonly memory?: SchemeMemory;
  readonly counters: Record<string, number>;
  readonly steps: number;
  readonly learningRate: number;
}

function numbersOf({ network, memory, optimizer }: Snapshot): SnapshotNumbers {
  return {
    ...(memory && { memory }),
    counters: Object.fromEntries(network.counters),
    steps: optimizer.steps,
    learningRate: optimizer.learningRate,
  };
}

function addTensors(tensors: Map<string, TensorData>, prefix: string, { network, scheme, optimizer }: Snapshot): void {
  const add = (
    role: string,
    entries: ReadonlyMap<string, { readonly shape: readonly number[]; readonly values: Float32Array }>,
  ) => {
    for (const [name, { shape, values }] of entries)
      tensors.set(`${prefix}${role}/${name}`, { dtype: 'F32', shape, data: values });
  };
  add('network', network.tensors);
  add('scheme', scheme.tensors);
  add('optimizer', optimizer.moments);
}
