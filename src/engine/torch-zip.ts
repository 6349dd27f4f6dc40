/**
 * The zip archive inside a .pt file, read strictly: what torch.save writes, and nothing that could surprise.
 *
 *   records, each behind its local header | central directory | zip64 end, locator | end
 *
 * Records are stored, never compressed, so nothing can unfold to more than the file holds; they may not overlap; both headers of a
 * record must agree; and its CRC-32 is checked when it is read.
 * Source: PKWARE, APPNOTE.TXT 6.3.10, sections 4.3 and 4.5.3.
 */
import { quote, TorchFileError } from './torch-error.ts';

const LOCAL = { signature: 0x04034b50, bytes: 30 };
const CENTRAL = { signature: 0x02014b50, bytes: 46 };
const END = { signature: 0x06054b50, bytes: 22 };
const LOCATOR = { signature: 0x07064b50, bytes: 20 };
const END64 = { signature: 0x06064b50, bytes: 56 };
/** In a 32-bit field: the number stands in the zip64 field. */
const ELSEWHERE = 0xffffffff;
/** More records than any network has storages. */
const MOST_RECORDS = 100_000;

interface Place {
  readonly start: number;
  readonly size: number;
  readonly crc: number;
}

/** The stored records of an archive by name. */
export class ZipArchive {
  readonly #file: Uint8Array;
  readonly #places: ReadonlyMap<string, Place>;

  /** @throws TorchFileError when the directory or a local header is wrong */
  constructor(file: Uint8Array) {
    this.#file = file;
    this.#places = readDirectory(file);
  }

  get names(): readonly string[] {
    return [...this.#places.keys()];
  }

  has(name: string): boolean {
    return this.#places.has(name);
  }

  /** A view of the record's bytes. @throws TorchFileError when it is missing or its CRC-32 is wrong */
  read(name: string): Uint8Array {
    const place = this.#places.get(name);
    if (!place) throw new TorchFileError(`The archive has no record ${quote(name)}.`);
    const bytes = this.#file.subarray(place.start, place.start + place.size);
    const crc = crc32(bytes);
    if (crc !== place.crc) {
      throw new TorchFileError(
        `Record ${quote(name)} has CRC-32 ${hex(crc)}, the archive says ${hex(place.crc)}: get the file again, it is damaged.`,
      );
    }
    return bytes;
  }
}

/** A sentence for an archive of another kind, told by the names of its records; null where it may be torch.save's. */
export function foreignArchive(names: readonly string[]): string | null {
  const has = (pattern: RegExp) => names.some((name) => pattern.test(name));
  if (has(/^[^/]+\/(code\/.*|constants\.pkl)$/))
    return 'The file is a TorchScript program (torch.jit.save), which is not run: save the state_dict.';
  if (has(/\.npy$/))
    return 'The file is an archive of NumPy (.npz), which is not read: write its arrays as safetensors.';
  if (!has(/\/data\.pkl$/) && has(/\.(pth?|safetensors|bin|ckpt)$/))
    return 'The file is a zip archive with weights in it: unpack it, and give the file of weights.';
  return null;
}

function readDirectory(file: Uint8Array): Map<string, Place> {
  const { start, count, end } = findDirectory(file);
  const places = new Map<string, Place>();
  const spans: { from: number; to: number; name: string }[] = [];
  let at = start;
  for (let i = 0; i < count; i++) {
    const view = part(file, at, CENTRAL, end);
    const [nameBytes, extraBytes, noteBytes] = [28, 30, 32].map((field) => view.getUint16(field, true));
    const next = at + CENTRAL.bytes + nameBytes + extraBytes + noteBytes;
    if (next > end) throw new TorchFileError(`The archive's directory is cut at record ${i} of ${count}.`);
    const name = text(file.subarray(at + CENTRAL.bytes, at + CENTRAL.bytes + nameBytes));
    if (places.has(name)) throw new TorchFileError(`The archive has two records ${quote(name)}.`);
    if (view.getUint16(8, true) & 1) throw new TorchFileError(`Record ${quote(name)} is encrypted.`);
    const method = view.getUint16(10, true);
    if (method !== 0) {
      const other = foreignArchive([name]);
      if (other) throw new TorchFileError(other);
      throw new TorchFileError(
        `Record ${quote(name)} is compressed (method ${method}), torch.save never does that: save the weights again.`,
      );
    }
    const extra = file.subarray(at + CENTRAL.bytes + nameBytes, at + CENTRAL.bytes + nameBytes + extraBytes);
    const [size, packed, local] = wide(
      extra,
      [24, 20, 42].map((field) => view.getUint32(field, true)),
      name,
    );
    if (size !== packed) {
      throw new TorchFileError(`Record ${quote(name)} is stored, but has ${packed} bytes for ${size}.`);
    }
    const header = part(file, local, LOCAL, start);
    const data = local + LOCAL.bytes + header.getUint16(26, true) + header.getUint16(28, true);
    const localName = file.subarray(local + LOCAL.bytes, local + LOCAL.bytes + header.getUint16(26, true));
    if (data + size > start || text(localName) !== name || header.getUint16(8, true) !== 0) {
      throw new TorchFileError(`Record ${quote(name)} does not lie where the archive's directory says.`);
    }
    places.set(name, { start: data, size, crc: view.getUint32(16, true) });
    spans.push({ from: local, to: data + size, name });
    at = next;
  }
  if (at !== end) throw new TorchFileError(`The archive's directory ends at byte ${at}, its end says ${end}.`);
  spans.sort((a, b) => a.from - b.from || a.to - b.to);
  spans.forEach(({ from, name }, i) => {
    if (i > 0 && from < spans[i - 1].to) {
      throw new TorchFileError(`Records ${quote(spans[i - 1].name)} and ${quote(name)} overlap.`);
    }
  });
  return places;
}

/** Where the directory lies, from the end of the file, which must be the end of the archive. */
function findDirectory(file: Uint8Array): { start: number; count: number; end: number } {
  const at = file.length - END.bytes;
  if (at < 0 || viewOf(file, at, END.bytes).getUint32(0, true) !== END.signature) {
    throw new TorchFileError("The file begins as a zip archive, but the archive's end is missing: is the file cut?");
  }
  const end = viewOf(file, at, END.bytes);
  let [count, size, start] = [end.getUint16(10, true), end.getUint32(12, true), end.getUint32(16, true)];
  let tail = at;
  const locator = at - LOCATOR.bytes;
  if (locator >= 0 && viewOf(file, locator, LOCATOR.bytes).getUint32(0, true) === LOCATOR.signature) {
    const end64At = integer64(viewOf(file, locator, LOCATOR.bytes), 8);
    const end64 = part(file, end64At, END64, locator);
    [count, size, start] = [32, 40, 48].map((field) => integer64(end64, field));
    tail = end64At;
  }
  if (start + size !== tail) {
    throw new TorchFileError(
      `The archive's directory should be ${size} bytes from byte ${start}, but its end is at byte ${tail}: is the file cut?`,
    );
  }
  if (count > MOST_RECORDS) throw new TorchFileError(`The archive claims ${count} records, more than ${MOST_RECORDS}.`);
  return { start, count, end: tail };
}

/** Replaces each number that is ELSEWHERE by the next one of the zip64 field (id 1). */
function wide(extra: Uint8Array, numbers: readonly number[], name: string): number[] {
  if (!numbers.includes(ELSEWHERE)) return [...numbers];
  const view = viewOf(extra, 0, extra.length);
  for (let at = 0; at + 4 <= extra.length; at += 4 + view.getUint16(at + 2, true)) {
    if (view.getUint16(at, true) !== 1) continue;
    const bytes = view.getUint16(at + 2, true);
    let field = at + 4;
    const last = field + bytes - 8;
    return numbers.map((number) => {
      if (number !== ELSEWHERE) return number;
      if (field > last || field + 8 > extra.length) break64(name);
      field += 8;
      return integer64(view, field - 8);
    });
  }
  return break64(name);
}

function break64(name: string): never {
  throw new TorchFileError(`Record ${quote(name)} needs 64-bit sizes, but the archive does not have them.`);
}

/** A header at `at` that must end before `limit` and carry its signature. */
function part(file: Uint8Array, at: number, kind: { signature: number; bytes: number }, limit: number): DataView {
  const outside = at + kind.bytes > limit;
  const view = outside ? null : viewOf(file, at, kind.bytes);
  if (view?.getUint32(0, true) !== kind.signature) {
    throw new TorchFileError(`The archive has no header ${hex(kind.signature)} at byte ${at}, where one should be.`);
  }
  return view;
}

const viewOf = (bytes: Uint8Array, at: number, length: number) =>
  new DataView(bytes.buffer, bytes.byteOffset + at, length);

function integer64(view: DataView, at: number): number {
  const value = view.getBigUint64(at, true);
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) {
    throw new TorchFileError(`The archive has the size or place ${value}, which no file reaches.`);
  }
  return Number(value);
}

function text(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new TorchFileError("A record's name is not UTF-8 text.");
  }
}

const hex = (value: number) => `0x${value.toString(16).padStart(8, '0')}`;

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  return crc;
});

function crc32(bytes: Uint8Array): number {
  let crc = -1;
  for (let i = 0; i < bytes.length; i++) crc = (crc >>> 8) ^ CRC_TABLE[(crc ^ bytes[i]) & 0xff];
  return ~crc >>> 0;
}
