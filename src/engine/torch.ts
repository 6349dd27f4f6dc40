/**
 * Tensors of a PyTorch file (.pt, .pth), in the zip form of torch.save and in the form before PyTorch 1.6, read without executing anything.
 *
 *   zip      <any>/data.pkl, the pickle; <any>/data/<key>, the bytes of each storage
 *   legacy   pickles of a magic number, 1001, facts on the machine, the object, the storages' keys; then for each key
 *            its count as int64 and its bytes
 *
 * Source: torch/serialization.py.
 */
import { byteLength, FileTensor, type StoredTensor } from './safetensors-tensor.ts';
import { quote, TorchFileError } from './torch-error.ts';
import { type Pickled, Storage, TensorView } from './torch-globals.ts';
import { readPickle } from './torch-pickle.ts';
import { ZipArchive } from './torch-zip.ts';

export { TorchFileError };

export interface TorchFile {
  /** The state_dict, in its order. */
  readonly tensors: Map<string, StoredTensor>;
  /** Entries of the file that are not of the state_dict, such as an optimizer's, by name. */
  readonly ignored: readonly string[];
}

const MAGIC = 0x1950a86a20f9469cfc6cn;
const PROTOCOL = 1001;
/** Under which people wrap a state_dict, in the order of preference. */
const WRAPPERS = ['state_dict', 'model_state_dict', 'model_state', 'model', 'net', 'network', 'weights'];

/** Whether the file begins as one of the two forms. */
export function isTorchFile(file: Uint8Array): boolean {
  return isZip(file) || isLegacy(file);
}

// The first eight bytes of a safetensors file are a length below 2^32: byte 4 to 7 are zero there, and never here.
const isZip = (file: Uint8Array) =>
  file[0] === 0x50 && file[1] === 0x4b && file[2] === 3 && file[3] === 4 && !file.subarray(4, 8).every((b) => b === 0);
const isLegacy = (file: Uint8Array) => file[0] === 0x80 && file[1] <= 5 && file[2] === 0x8a;

/**
 * @param bytes a whole file; contiguous tensors stay views into it
 * @throws TorchFileError, one sentence, when anything is wrong; there is no partial result
 */
export function readTorch(bytes: Uint8Array): TorchFile {
  const file = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
  if (!isZip(file) && file[0] !== 0x80) {
    throw new TorchFileError(
      `The file of ${file.length} bytes is no PyTorch file: it begins neither as a zip archive nor as a pickle.`,
    );
  }
  const { value, storages } = isZip(file) ? readZip(file) : readLegacy(file);
  const { state, ignored } = findState(value);
  const tensors = new Map<string, StoredTensor>();
  let copied = 0;
  for (const [name, view] of state) {
    const { shape, storage } = view;
    const content = storages(storage);
    const size = checkedBytes(name, view);
    const item = byteLength(storage.dtype, []);
    let data: Uint8Array;
    if (isContiguous(view)) data = content.subarray(view.offset * item, view.offset * item + size);
    else {
      copied += size;
      if (copied > file.length) {
        throw new TorchFileError(`The views of the file's storages would take more than its ${file.length} bytes.`);
      }
      data = gathered(view, content, item, size);
    }
    tensors.set(name, new FileTensor(name, storage.dtype, shape, data));
  }
  return { tensors, ignored };
}

type Storages = (storage: Storage) => Uint8Array;

function readZip(file: Uint8Array): { value: Pickled; storages: Storages } {
  const archive = new ZipArchive(file);
  const pickles = archive.names.filter((name) => /^[^/]+\/data\.pkl$/.test(name));
  if (pickles.length !== 1) {
    throw new TorchFileError(`The archive has ${pickles.length} records data.pkl, torch.save writes one.`);
  }
  const root = pickles[0].replace(/data\.pkl$/, '');
  if (
    archive.has(`${root}byteorder`) &&
    String.fromCharCode(...archive.read(`${root}byteorder`).subarray(0, 16)) !== 'little'
  ) {
    throw new TorchFileError('The file was written on a big-endian machine: save it again on a little-endian one.');
  }
  const pickle = archive.read(pickles[0]);
  const { value, end } = readPickle(pickle);
  if (end !== pickle.length) throw new TorchFileError(`The pickle ends at byte ${end} of ${pickle.length}.`);
  const contents = new Map<string, Uint8Array>();
  const storages = (storage: Storage) => {
    const content = contents.get(storage.key) ?? archive.read(`${root}data/${storage.key}`);
    contents.set(storage.key, content);
    checkStorage(storage, content.length);
    return content;
  };
  return { value, storages };
}

function readLegacy(file: Uint8Array): { value: Pickled; storages: Storages } {
  let at = 0;
  const next = () => {
    const { value, end } = readPickle(file, at);
    at = end;
    return value;
  };
  if (next() !== MAGIC) throw new TorchFileError('The pickle does not begin with the magic number of a PyTorch file.');
  const protocol = next();
  if (protocol !== PROTOCOL) throw new TorchFileError(`The file has protocol ${String(protocol)}, not ${PROTOCOL}.`);
  const facts = next();
  if (!(facts instanceof Map) || facts.get('little_endian') !== true) {
    throw new TorchFileError('The file was not written on a little-endian machine: save it again on one.');
  }
  const value = next();
  const keys = next();
  const wanted = new Map([...storagesIn(value)].map((storage) => [storage.key, storage]));
  if (!Array.isArray(keys)) throw new TorchFileError("The file has no list of its storages' keys.");
  const contents = new Map<string, Uint8Array>();
  for (const key of keys) {
    const storage = typeof key === 'string' ? wanted.get(key) : undefined;
    if (!storage || contents.has(storage.key)) {
      throw new TorchFileError(
        `The list of storages has ${quote(String(key))}, which no tensor uses or which it had before.`,
      );
    }
    if (at + 8 > file.length) throw new TorchFileError(`The file ends before storage ${quote(storage.key)}.`);
    const count = new DataView(file.buffer, file.byteOffset + at, 8).getBigInt64(0, true);
    const size = byteLength(storage.dtype, [storage.count]);
    if (count !== BigInt(storage.count) || size > file.length - at - 8) {
      throw new TorchFileError(
        `Storage ${quote(storage.key)} has ${count} elements, its tensors say ${storage.count}, and ${file.length - at - 8} bytes follow.`,
      );
    }
    contents.set(storage.key, file.subarray(at + 8, at + 8 + size));
    at += 8 + size;
  }
  if (at !== file.length) throw new TorchFileError(`The storages end at byte ${at}, the file has ${file.length}.`);
  const storages = (storage: Storage) => {
    const content = contents.get(storage.key);
    if (!content) throw new TorchFileError(`Storage ${quote(storage.key)} is missing from the file.`);
    checkStorage(storage, content.length);
    return content;
  };
  return { value, storages };
}

function checkStorage({ key, dtype, count }: Storage, bytes: number): void {
  const wanted = byteLength(dtype, [count]);
  if (bytes !== wanted) {
    throw new TorchFileError(
      `Storage ${quote(key)} of ${count} ${dtype} needs ${wanted} bytes, the file has ${bytes}.`,
    );
  }
}

/** Every container once, so that neither a loop nor a shared part costs more than its size. */
function* containersIn(root: Pickled): Generator<Map<Pickled, Pickled> | Pickled[]> {
  const seen = new Set<Pickled>([root]);
  for (const value of seen) {
    if (!(value instanceof Map || Array.isArray(value))) continue;
    yield value;
    for (const inner of value.values()) {
      if (typeof inner === 'object' && inner !== null) seen.add(inner);
    }
  }
}

function storagesIn(root: Pickled): Set<Storage> {
  const found = new Set<Storage>();
  for (const container of containersIn(root)) {
    for (const value of container.values()) {
      if (value instanceof TensorView) found.add(value.storage);
      else if (value instanceof Storage) found.add(value);
    }
  }
  return found;
}

/** The dict of tensors: the value itself, or the one that is wrapped in it. */
function findState(value: Pickled): { state: [string, TensorView][]; ignored: string[] } {
  if (!(value instanceof Map)) throw new TorchFileError('The file holds no dict of tensors: save the state_dict.');
  const holdsTensors = (inner: Pickled | undefined): boolean =>
    inner instanceof Map && [...inner.values()].some((item) => item instanceof TensorView);
  let dict = value;
  const ignored: string[] = [];
  if (!holdsTensors(value)) {
    const keys = [...value.keys()].filter((key) => holdsTensors(value.get(key))).map(String);
    const key = WRAPPERS.find((name) => keys.includes(name)) ?? (keys.length === 1 ? keys[0] : undefined);
    if (key === undefined) {
      const found = keys.length === 0 ? 'none' : keys.slice(0, 5).map(quote).join(', ');
      throw new TorchFileError(
        `The file holds no dict of tensors that can be told from others (found ${found}): save the state_dict.`,
      );
    }
    dict = value.get(key) as Map<Pickled, Pickled>;
    ignored.push(...[...value.keys()].map(String).filter((name) => name !== key));
  }
  const state: [string, TensorView][] = [];
  for (const [name, item] of dict) {
    if (typeof name === 'string' && item instanceof TensorView) state.push([name, item]);
    else ignored.push(String(name));
  }
  return { state, ignored };
}

/** Bytes of the tensor, after its last element was found inside its storage. */
function checkedBytes(name: string, { storage, offset, shape, strides }: TensorView): number {
  const size = byteLength(storage.dtype, shape);
  const last = shape.reduce((at, length, axis) => at + (length - 1) * strides[axis], offset);
  const isInside = size === 0 || (Number.isSafeInteger(size) && last < storage.count);
  if (!isInside || size > Math.max(byteLength(storage.dtype, [storage.count]), 0)) {
    throw new TorchFileError(
      `Tensor ${quote(name)} [${shape.slice(0, 8).join(', ')}] reaches beyond the ${storage.count} elements of its storage.`,
    );
  }
  return size;
}

function isContiguous({ shape, strides }: TensorView): boolean {
  let step = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (shape[axis] !== 1 && strides[axis] !== step) return false;
    step *= shape[axis];
  }
  return true;
}

/** The elements of a strided view in row-major order. */
function gathered({ offset, shape, strides }: TensorView, content: Uint8Array, item: number, size: number): Uint8Array {
  const result = new Uint8Array(size);
  const index = shape.map(() => 0);
  let from = offset;
  for (let to = 0; to < size; to += item) {
    for (let byte = 0; byte < item; byte++) result[to + byte] = content[from * item + byte];
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      from += strides[axis];
      if (++index[axis] < shape[axis]) break;
      from -= strides[axis] * shape[axis];
      index[axis] = 0;
    }
  }
  return result;
}
