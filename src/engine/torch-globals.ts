/**
 * The few names that a pickle of tensors may use, and what they mean; every other name is refused when it is read.
 *
 * Source: torch/_utils.py `_rebuild_tensor_v2`, `_rebuild_parameter`; torch/_tensor.py `_rebuild_from_type_v2`; torch/serialization.py `persistent_id`.
 */
import type { SafetensorsDtype } from './safetensors-tensor.ts';
import { quote, TorchFileError } from './torch-error.ts';
import { type Inert, isInert } from './torch-inert.ts';

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
  | Storage
  | Inert;

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
  'torch._utils._rebuild_tensor',
  'torch._utils._rebuild_tensor_v2',
  'torch._utils._rebuild_parameter',
  'torch._utils._rebuild_parameter_with_state',
  'torch._tensor._rebuild_from_type_v2',
  'torch.Size',
  // Only as the type that _rebuild_from_type_v2 is told.
  'torch.Tensor',
  'torch.nn.parameter.Parameter',
  'torch.nn.parameter.Buffer',
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

/** Tensors of kinds that are not read. */
const UNREAD: Readonly<Record<string, string>> = {
  'torch._utils._rebuild_qtensor': 'a quantized tensor, which is not read',
  'torch._utils._rebuild_sparse_tensor': 'a sparse tensor, which is not read',
  'torch._utils._rebuild_meta_tensor_no_storage': 'a tensor without values (of the meta device)',
  'torch.ComplexFloatStorage': 'a complex tensor, which is not read',
  'torch.ComplexDoubleStorage': 'a complex tensor, which is not read',
};

/** The name of something that Python would import. @throws TorchFileError unless it is one of the list */
export function allowed(name: string): Global {
  if (GLOBALS.has(name) || isInert(name)) return new Global(name);
  const kind = UNREAD[name];
  if (kind) throw new TorchFileError(`The file holds ${kind}: save the state_dict with dense tensors alone.`);
  throw new TorchFileError(
    `The pickle names ${quote(name)}, which is refused, because it may run code: save the state_dict alone.`,
  );
}

/** What a call of a listed name means; null where the arguments do not fit it. */
export function called(name: string, parameters: readonly Pickled[]): Pickled {
  switch (name) {
    case 'torch._utils._rebuild_tensor':
    case 'torch._utils._rebuild_tensor_v2':
      return rebuiltTensor(parameters);
    case 'torch._utils._rebuild_parameter':
    case 'torch._utils._rebuild_parameter_with_state':
      return parameters[0] instanceof TensorView ? parameters[0] : null;
    case 'torch._tensor._rebuild_from_type_v2': {
      // (function, type, arguments, state): a subclass of Tensor, such as Parameter with attributes.
      const [made, , inner] = parameters as readonly unknown[];
      const isListed = made instanceof Global && made.name.startsWith('torch._utils._rebuild_');
      return isListed && Array.isArray(inner) ? called(made.name, inner as Pickled[]) : null;
    }
    case 'torch.Size':
      return Array.isArray(parameters[0]) ? parameters[0] : null;
    default:
      return null;
  }
}

/** (storage, offset, shape, strides, ...): gradients and hooks do not matter. */
function rebuiltTensor([storage, offset, shape, strides]: readonly Pickled[]): TensorView {
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

/** OrderedDict(), OrderedDict([(key, value), ...]), Counter({...}) or defaultdict(factory, ...). */
export function dictOf(parameters: readonly Pickled[]): Map<Pickled, Pickled> {
  const given = parameters.find((value) => value instanceof Map);
  if (given instanceof Map) return new Map(given);
  const pairs = parameters.find((value) => Array.isArray(value)) ?? [];
  if (!Array.isArray(pairs) || !pairs.every((pair) => Array.isArray(pair) && pair.length === 2)) {
    throw new TorchFileError('The pickle makes an OrderedDict from something that is not a list of pairs.');
  }
  return new Map(pairs as [Pickled, Pickled][]);
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
