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
import { foreignArchive, ZipArchive } from './torch-zip.ts';

export { TorchFileError };

export interface TorchFile {
  /** The state_dict, in its order. */
  readonly tensors: Map<string, StoredTensor>;
  /** Entries of the file that are not of the state_dict, such as an optimizer's, by name. */
  readonly ignored: readonly string[];
  /** Where in the file the state_dict lies: names of entries joined by "."; empty where it is the file's object itself. */
  readonly key: string;
  /** Where other dicts of tensors lie. */
  readonly others: readonly string[];
}

/** A dict of tensors in a file. */
export interface TensorDict {
  readonly key: string;
  readonly names: readonly string[];
}

/** Which of a file's dicts of tensors is wanted; null: no opinion. */
export type Choice = (dicts: readonly TensorDict[]) => TensorDict | null;

const MAGIC = 0x1950a86a20f9469cfc6cn;
const PROTOCOL = 1001;
/** Under which people wrap a state_dict, in the order of preference. */
const WRAPPERS = ['state_dict', 'model_state_dict', 'model_state', 'model', 'net', 'network', 'weights'];
/** Dicts lie at most so deep in each other: a checkpoint of checkpoints. */
const DEEPEST = 5;

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
 * @param choose among several dicts of tensors; without an opinion of its own the one under a usual name, or the only large one, is taken
 * @throws TorchFileError, one sentence, when anything is wrong; there is no partial result
 */
export function readTorch(bytes: Uint8Array, choose?: Choice): TorchFile {
  const file = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
  if (!isZip(file) && file[0] !== 0x80) {
    throw new TorchFileError(
      `The file of ${file.length} bytes is no PyTorch file: it begins neither as a zip archive nor as a pickle.`,
    );
  }
  const { value, storages } = isZip(file) ? readZip(file) : readLegacy(file);
  const { state, ignored, key, others } = findState(value, choose);
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
  return { tensors, ignored, key, others };
}

type Storages = (storage: Storage) => Uint8Array;

function readZip(file: Uint8Array): { value: Pickled; storages: Storages } {
  const archive = new ZipArchive(file);
  const pickles = archive.names.filter((name) => /^[^/]+\/data\.pkl$/.test(name));
  const other = foreignArchive(archive.names);
  if (other) throw new TorchFileError(other);
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

interface FoundDict extends TensorDict {
  readonly dict: Map<Pickled, Pickled>;
  /** Of the entry that holds it. */
  readonly entry: string;
}

/** Every dict that holds tensors by name, the outermost first. */
function dictsIn(root: Pickled): FoundDict[] {
  const found: FoundDict[] = [];
  const seen = new Set<Pickled>();
  let level: { value: Pickled; key: string; entry: string }[] = [{ value: root, key: '', entry: '' }];
  for (let depth = 0; depth <= DEEPEST && level.length > 0; depth++) {
    const next: typeof level = [];
    for (const { value, key, entry } of level) {
      if (!(value instanceof Map || Array.isArray(value)) || seen.has(value)) continue;
      seen.add(value);
      if (value instanceof Map) {
        const names = [...value].flatMap(([name, item]) =>
          typeof name === 'string' && item instanceof TensorView ? [name] : [],
        );
        if (names.length > 0) found.push({ key, entry, names, dict: value });
      }
      for (const [name, item] of value.entries())
        next.push({ value: item, key: key === '' ? String(name) : `${key}.${String(name)}`, entry: String(name) });
    }
    level = next;
  }
  return found;
}

/** The dict of tensors that is wanted, and what lies beside it. */
function findState(value: Pickled, choose?: Choice) {
  if (value instanceof TensorView)
    throw new TorchFileError('The file holds a single tensor, not a dict of tensors by name: save the state_dict.');
  const dicts = dictsIn(value);
  if (dicts.length === 0) throw new TorchFileError('The file holds no dict of tensors: save the state_dict.');
  const wanted = choose?.(dicts);
  const chosen = dicts.find(({ key }) => key === wanted?.key) ?? usualDict(dicts);
  const state: [string, TensorView][] = [];
  const ignored = value instanceof Map && chosen.dict !== value ? besides(value, chosen.key) : [];
  for (const [name, item] of chosen.dict) {
    if (typeof name === 'string' && item instanceof TensorView) state.push([name, item]);
    else ignored.push(String(name));
  }
  const others = dicts.filter((one) => one !== chosen).map(({ key }) => key);
  return { state, ignored, key: chosen.key, others };
}

/** Names of the file's entries but the one that leads to `key`. */
const besides = (root: Map<Pickled, Pickled>, key: string): string[] =>
  [...root.keys()].map(String).filter((name) => key !== name && !key.startsWith(`${name}.`));

/** By the number of tensors and by name, where nothing is known of the network. */
function usualDict(dicts: readonly FoundDict[]): FoundDict {
  const most = Math.max(...dicts.map(({ names }) => names.length));
  // A few tensors beside a wrapped state_dict are losses, sigmas, states of an optimizer.
  const large = dicts.filter(({ names }) => names.length > most / 2);
  const usual = WRAPPERS.map((name) => large.find(({ entry }) => entry === name)).find((one) => one !== undefined);
  if (usual) return usual;
  if (large.length === 1) return large[0];
  throw new TorchFileError(
    `The file holds ${large.length} dicts of tensors (${large
      .slice(0, 5)
      .map(({ key }) => quote(key))
      .join(', ')}), and none has a usual name: name one, or save its state_dict alone.`,
  );
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
