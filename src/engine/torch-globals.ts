/**
 * The few names that a pickle of tensors may use, and what they mean; every other name is refused when it is read.
 *
 * Source: torch/_utils.py `_rebuild_tensor_v2`, `_rebuild_parameter`; torch/serialization.py `persistent_id`.
 */
import type { SafetensorsDtype } from './safetensors-tensor.ts';
import { quote, TorchFileError } from './torch-error.ts';

/** Elements in the file, known to the pickle by key. */
export class Storage {
  readonly key: string;
  readonly dtype: SafetensorsDtype;
  readonly count: number;

  constructor(key: string, dtype: SafetensorsDtype, count: number) {
    this.key = key;
    this.dtype = dtype;
    this.count = count;
  }
}

/** A window on a storage; offset and strides in elements. */
export class TensorView {
  readonly storage: Storage;
  readonly offset: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];

  constructor(storage: Storage, offset: number, shape: readonly number[], strides: readonly number[]) {
    this.storage = storage;
    this.offset = offset;
    this.shape = shape;
    this.strides = strides;
  }
}

/** dict and OrderedDict are Maps, so that no key is special; list and tuple are arrays. */
export type Pickled =
  | null
  | boolean
  | number
  | bigint
  | string
  | Map<Pickled, Pickled>
  | Pickled[]
  | TensorView
  | Storage;

const STORAGES: Readonly<Record<string, SafetensorsDtype>> = {
  DoubleStorage: 'F64',
  FloatStorage: 'F32',
  HalfStorage: 'F16',
  BFloat16Storage: 'BF16',
  LongStorage: 'I64',
  IntStorage: 'I32',
  ShortStorage: 'I16',
  CharStorage: 'I8',
  ByteStorage: 'U8',
  BoolStorage: 'BOOL',
};
const CALLABLE = [
  'collections.OrderedDict',
  'torch._utils._rebuild_tensor_v2',
  'torch._utils._rebuild_parameter',
  'torch.Size',
];
const GLOBALS = new Set([...CALLABLE, ...Object.keys(STORAGES).map((name) => `torch.${name}`)]);

/** The name of something that Python would import: only on the stack and in tuples. */
export class Global {
  readonly name: string;
  constructor(name: string) {
    this.name = name;
  }
}

const MOST_AXES = 64;

/** ('storage', type, key, device, count[, None]): where the tensor was does not matter. */
export function storageOf(identity: unknown): Storage {
  const [word, type, key, , count, window] = Array.isArray(identity) ? (identity as unknown[]) : [];
  const dtype = type instanceof Global ? STORAGES[type.name.replace('torch.', '')] : undefined;
  if (word !== 'storage' || !dtype || typeof key !== 'string' || !isCount(count)) {
    throw new TorchFileError('The pickle refers to something that is not a storage of a known type, key and size.');
  }
  if (window !== undefined && window !== null) {
    throw new TorchFileError(`Storage ${quote(key)} is a window on another, as before PyTorch 0.4: save it again.`);
  }
  return new Storage(key, dtype, count);
}

/** The name of something that Python would import. @throws TorchFileError unless it is one of the list */
export function allowed(name: string): Global {
  if (GLOBALS.has(name)) return new Global(name);
  throw new TorchFileError(
    `The pickle names ${quote(name)}, which is refused: only tensors, OrderedDict and plain containers are read, so save the state_dict alone.`,
  );
}

/** (storage, offset, shape, strides, ...): gradients and hooks do not matter. */
export function rebuiltTensor([storage, offset, shape, strides]: readonly Pickled[]): TensorView {
  const counts = (value: Pickled): value is number[] =>
    Array.isArray(value) && value.length <= MOST_AXES && value.every(isCount);
  if (!(storage instanceof Storage) || !isCount(offset) || !counts(shape) || !counts(strides)) {
    throw new TorchFileError('The pickle makes a tensor without a storage, an offset, a shape and strides.');
  }
  if (shape.length !== strides.length) {
    throw new TorchFileError(`The pickle makes a tensor of ${shape.length} axes with ${strides.length} strides.`);
  }
  return new TensorView(storage, offset, [...shape], [...strides]);
}

/** OrderedDict() or OrderedDict([(key, value), ...]). */
export function orderedDict([pairs = []]: readonly Pickled[]): Map<Pickled, Pickled> {
  if (!Array.isArray(pairs) || !pairs.every((pair) => Array.isArray(pair) && pair.length === 2)) {
    throw new TorchFileError('The pickle makes an OrderedDict from something that is not a list of pairs.');
  }
  return new Map(pairs as [Pickled, Pickled][]);
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
