/**
 * Tensors in a file: the safetensors format, read strictly and written deterministically.
 *
 *   8 bytes   length n of the header, unsigned little-endian, at most 100,000,000
 *   n bytes   header, JSON in UTF-8, padded with spaces; see safetensors-header.ts
 *   the rest  the tensors' bytes, little-endian, row-major, one after the other without gap or overlap
 *
 * Nothing is allocated on the word of a header: every length is compared with the bytes that are there.
 * Source: github.com/huggingface/safetensors, README "Format".
 */
import { METADATA_KEY, parseHeader, quote, SafetensorsError } from './safetensors-header.ts';
import {
  ARRAY_KINDS,
  byteLength,
  FileTensor,
  isDtype,
  KNOWN_DTYPES,
  type StoredTensor,
  type TensorData,
} from './safetensors-tensor.ts';

export type { SafetensorsDtype, StoredTensor, TensorData } from './safetensors-tensor.ts';
export { SafetensorsError };

export interface SafetensorsFile {
  /** In the order of the header. */
  readonly tensors: Map<string, StoredTensor>;
  readonly metadata: Map<string, string>;
}

const LENGTH_BYTES = 8;
const LARGEST_HEADER = 100_000_000;

/**
 * @param bytes a whole file; the tensors stay views into it
 * @throws SafetensorsError, one sentence, when anything is wrong; there is no partial result
 */
export function readSafetensors(bytes: Uint8Array | ArrayBuffer): SafetensorsFile {
  // Node's Buffer is a Uint8Array whose slice() does not copy: look at its bytes through a plain one.
  const file =
    bytes instanceof Uint8Array ? new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length) : new Uint8Array(bytes);
  const { text, dataStart } = headerText(file);
  const { entries, metadata } = parseHeader(text);
  const data = file.subarray(dataStart);
  const tensors = new Map<string, StoredTensor>();
  for (const [name, { dtype, shape, begin, end }] of entries) {
    if (!isDtype(dtype)) {
      throw new SafetensorsError(
        `Tensor ${quote(name)} has the unknown dtype ${quote(dtype)}, known are ${KNOWN_DTYPES}.`,
      );
    }
    const wanted = byteLength(dtype, shape);
    if (begin > end || end - begin !== wanted) {
      throw new SafetensorsError(
        `Tensor ${quote(name)} of ${dtype} [${describe(shape)}] needs ${wanted} bytes, its data_offsets are ${begin} to ${end}.`,
      );
    }
    if (end > data.length) {
      throw new SafetensorsError(`Tensor ${quote(name)} ends at byte ${end} of the data, the file has ${data.length}.`);
    }
    tensors.set(name, new FileTensor(name, dtype, shape, data.subarray(begin, end)));
  }
  // Sorted by place, each tensor must begin where the one before ended: no overlap, no hole, no bytes left over.
  let covered = 0;
  for (const [name, { begin, end }] of [...entries].sort(([, a], [, b]) => a.begin - b.begin || a.end - b.end)) {
    if (begin !== covered) {
      const problem = begin < covered ? 'overlaps the tensor before it' : 'leaves a hole before it';
      throw new SafetensorsError(`Tensor ${quote(name)} ${problem}: it begins at byte ${begin}, not ${covered}.`);
    }
    covered = end;
  }
  if (covered !== data.length) {
    throw new SafetensorsError(`The tensors end at byte ${covered} of the data, the file has ${data.length}.`);
  }
  return { tensors, metadata: new Map(metadata) };
}

/**
 * The same arguments give the same bytes. The data starts at a multiple of 8; put 8-byte types first if every tensor
 * should be aligned.
 *
 * @param tensors written in this order
 * @throws SafetensorsError when a shape and its data disagree, or a name occurs twice or is reserved
 */
export function writeSafetensors(
  tensors: ReadonlyMap<string, TensorData> | Iterable<TensorData & { readonly name: string }>,
  metadata: ReadonlyMap<string, string> | Readonly<Record<string, string>> = {},
): Uint8Array<ArrayBuffer> {
  const named: [string, TensorData][] =
    tensors instanceof Map
      ? [...tensors]
      : [...(tensors as Iterable<TensorData & { name: string }>)].map((tensor) => [tensor.name, tensor]);
  const fields: string[] = [];
  const notes: [string, string][] = metadata instanceof Map ? [...metadata] : Object.entries(metadata);
  if (notes.length > 0) {
    const pairs = notes.map(([key, value]) => `${jsonString(key)}:${jsonString(value)}`);
    fields.push(`"${METADATA_KEY}":{${pairs.join(',')}}`);
  }
  const seen = new Set([METADATA_KEY]);
  let end = 0;
  for (const [name, tensor] of named) {
    if (seen.has(name)) throw new SafetensorsError(`The name ${quote(name)} is reserved or occurs twice.`);
    seen.add(name);
    checkData(name, tensor);
    const begin = end;
    end += tensor.data.byteLength;
    const { dtype, shape } = tensor;
    fields.push(
      `${jsonString(name)}:{"dtype":"${dtype}","shape":[${shape.join(',')}],"data_offsets":[${begin},${end}]}`,
    );
  }
  const header = new TextEncoder().encode(`{${fields.join(',')}}`);
  const padded = Math.ceil(header.length / 8) * 8;
  if (padded > LARGEST_HEADER) {
    throw new SafetensorsError(`The header needs ${padded} bytes, the format allows ${LARGEST_HEADER}.`);
  }
  const file = new Uint8Array(LENGTH_BYTES + padded + end);
  new DataView(file.buffer).setUint32(0, padded, true);
  file.set(header, LENGTH_BYTES);
  file.fill(0x20, LENGTH_BYTES + header.length, LENGTH_BYTES + padded);
  let at = LENGTH_BYTES + padded;
  for (const [, { data }] of named) {
    file.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at);
    at += data.byteLength;
  }
  return file;
}

function headerText(file: Uint8Array): { text: string; dataStart: number } {
  if (file.length < LENGTH_BYTES) {
    throw new SafetensorsError(`The file has ${file.length} bytes, too few to tell the length of its header.`);
  }
  const length = new DataView(file.buffer, file.byteOffset, LENGTH_BYTES).getBigUint64(0, true);
  if (length > BigInt(LARGEST_HEADER)) {
    throw new SafetensorsError(`The header claims ${length} bytes, the format allows ${LARGEST_HEADER}.`);
  }
  const dataStart = LENGTH_BYTES + Number(length);
  if (dataStart > file.length) {
    throw new SafetensorsError(
      `The header claims ${length} bytes, ${file.length - LENGTH_BYTES} follow: is the file cut?`,
    );
  }
  try {
    const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
    return { text: decoder.decode(file.subarray(LENGTH_BYTES, dataStart)), dataStart };
  } catch {
    throw new SafetensorsError('The header is not UTF-8 text.');
  }
}

function describe(shape: readonly number[]): string {
  return shape.length > 8 ? `${shape.slice(0, 8).join(', ')}, ...` : shape.join(', ');
}

function checkData(name: string, { dtype, shape, data }: TensorData): void {
  const kind = data.constructor.name;
  // A Buffer is a Uint8Array by another name.
  if (kind !== ARRAY_KINDS[dtype] && !(data instanceof Uint8Array)) {
    throw new SafetensorsError(
      `Tensor ${quote(name)} of ${dtype} wants a ${ARRAY_KINDS[dtype]} or raw bytes, got ${kind}.`,
    );
  }
  const wanted = byteLength(dtype, shape);
  if (!shape.every((size) => Number.isSafeInteger(size) && size >= 0) || wanted !== data.byteLength) {
    throw new SafetensorsError(
      `Tensor ${quote(name)} of ${dtype} [${describe(shape)}] needs ${wanted} bytes, its data has ${data.byteLength}.`,
    );
  }
}

function jsonString(text: string): string {
  if (typeof text !== 'string' || /\p{Surrogate}/u.test(text)) {
    throw new SafetensorsError(
      `Names and metadata must be Unicode strings, got ${typeof text === 'string' ? JSON.stringify(text) : typeof text}.`,
    );
  }
  return JSON.stringify(text);
}
