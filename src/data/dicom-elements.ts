/**
 * The elements of a DICOM file's data set up to its pixel data (PS3.5, section 7; PS3.10, section 7). Sequences are passed over. Lenient
 * where the standard's other readers are: padded UIDs, delimiters with any length, files without preamble or file meta information.
 */
import { filmKind } from './film-kind.ts';

const UNDEFINED = 0xffffffff;
const [ITEM, ITEM_END, SEQUENCE_END] = [0xfffee000, 0xfffee00d, 0xfffee0dd];
const PIXEL_DATA = 0x7fe00010;
/** Value representations with a length of four bytes (PS3.5, table 7.1-1). */
const LONG = new Set('OB OD OF OL OV OW SQ SV UC UN UR UT UV'.split(' '));
const DEEPEST = 32;

export interface Encoding {
  readonly explicit: boolean;
  readonly littleEndian: boolean;
}

export interface DicomElement {
  /** Two letters; empty where they are implicit. */
  readonly vr: string;
  readonly offset: number;
  /** Bytes; null where it is undefined. */
  readonly length: number | null;
}

export const tagName = (tag: number): string => {
  const digits = tag.toString(16).padStart(8, '0');
  return `(${digits.slice(0, 4)},${digits.slice(4)})`;
};

export class DicomElements {
  readonly bytes: Uint8Array;
  readonly encoding: Encoding;
  private readonly view: DataView;
  private readonly elements = new Map<number, DicomElement>();

  /** Reads from `at` to the pixel data or the end. `last`: stop before tags above it. @throws Error, a clause */
  constructor(bytes: Uint8Array, at: number, encoding: Encoding, last = PIXEL_DATA) {
    this.bytes = bytes;
    this.encoding = encoding;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.end = this.read(at, encoding, last);
  }

  /** Where the first element stands that was not read. */
  readonly end: number;

  get(tag: number): DicomElement | undefined {
    return this.elements.get(tag);
  }

  has(tag: number): boolean {
    return this.elements.has(tag);
  }

  /** US, or the bits of SS. */
  uint16(tag: number): number | undefined {
    const element = this.elements.get(tag);
    if (!element || (element.length ?? 0) < 2) return undefined;
    return this.view.getUint16(element.offset, this.encoding.littleEndian);
  }

  /** Without the blanks and zeros that pad it; several values are separated by \. */
  text(tag: number): string | undefined {
    const element = this.elements.get(tag);
    if (!element) return undefined;
    const bytes = this.bytes.subarray(element.offset, element.offset + (element.length ?? 0));
    return new TextDecoder('latin1').decode(bytes).replace(/^[\s\0]+|[\s\0]+$/g, '');
  }

  /** The first of its values as a number; undefined where it is missing or empty, NaN where it is none. */
  number(tag: number): number | undefined {
    const text = this.text(tag)?.split('\\')[0].trim();
    return text === undefined || text === '' ? undefined : Number(text);
  }

  /** Whether a value begins with an item, as encapsulated pixels do. */
  hasItems({ offset }: DicomElement): boolean {
    return offset + 8 <= this.bytes.length && this.tag(offset) === ITEM;
  }

  /** The items of an encapsulated value (PS3.5, A.4): the offset table first, then the fragments. */
  items({ offset }: DicomElement): Uint8Array[] {
    const items: Uint8Array[] = [];
    for (let at = offset; at + 8 <= this.bytes.length; ) {
      const [tag, length] = [this.tag(at), this.view.getUint32(at + 4, this.encoding.littleEndian)];
      if (tag !== ITEM) break; // the delimiter, or something that stands in its place
      const end = at + 8 + length;
      // What the last fragment lacks is the decoder's to judge: often it is padding alone.
      items.push(this.bytes.subarray(at + 8, Math.min(end, this.bytes.length)));
      at = end;
    }
    return items;
  }

  private tag(at: number): number {
    const { littleEndian } = this.encoding;
    return this.view.getUint16(at, littleEndian) * 0x10000 + this.view.getUint16(at + 2, littleEndian);
  }

  private read(from: number, encoding: Encoding, last: number): number {
    let at = from;
    while (at + 8 <= this.bytes.length) {
      const tag = this.tag(at);
      if (tag > last && tag < ITEM) return at;
      if (tag >= ITEM) {
        at += 8; // a delimiter that no sequence wants
        continue;
      }
      const element = this.header(at, tag, encoding);
      if (!this.elements.has(tag)) this.elements.set(tag, element);
      if (tag === PIXEL_DATA) return at;
      at = this.after(element, tag, encoding, 0);
    }
    return at;
  }

  private header(at: number, tag: number, { explicit, littleEndian }: Encoding): DicomElement {
    let [vr, offset, length] = ['', at + 8, 0];
    if (!explicit) length = this.view.getUint32(at + 4, littleEndian);
    else {
      vr = String.fromCharCode(this.bytes[at + 4], this.bytes[at + 5]);
      if (!/^[A-Z]{2}$/.test(vr))
        throw new Error(`the element ${tagName(tag)} at byte ${at} has no value representation`);
      if (!LONG.has(vr)) length = this.view.getUint16(at + 6, littleEndian);
      else if (at + 12 > this.bytes.length) throw new Error(`it ends within the element ${tagName(tag)} at byte ${at}`);
      else [offset, length] = [at + 12, this.view.getUint32(at + 8, littleEndian)];
    }
    if (length === UNDEFINED) return { vr, offset, length: null };
    if (tag !== PIXEL_DATA && offset + length > this.bytes.length)
      throw new Error(
        `the element ${tagName(tag)} at byte ${at} says that it has ${length} bytes, ${this.bytes.length - offset} follow`,
      );
    return { vr, offset, length };
  }

  private after({ vr, offset, length }: DicomElement, tag: number, encoding: Encoding, depth: number): number {
    if (length !== null) return offset + length;
    if (depth > DEEPEST) throw new Error(`sequences lie more than ${DEEPEST} deep in each other`);
    // PS3.5, 6.2.2, note 4: the items of an unknown value of undefined length are implicit little endian.
    const inner = vr === 'UN' ? { explicit: false, littleEndian: true } : encoding;
    for (let at = offset; at + 8 <= this.bytes.length; ) {
      const item = this.tag(at);
      if (item === SEQUENCE_END) return at + 8; // whatever length it has
      if (item !== ITEM)
        throw new Error(`the sequence ${tagName(tag)} holds ${tagName(item)} at byte ${at} instead of an item`);
      const size = this.view.getUint32(at + 4, encoding.littleEndian);
      if (size !== UNDEFINED) at += 8 + size;
      else {
        at += 8;
        while (at + 8 <= this.bytes.length && this.tag(at) !== ITEM_END) {
          const nested = this.tag(at);
          at = this.after(this.header(at, nested, inner), nested, inner, depth + 1);
        }
        at += 8;
      }
    }
    throw new Error(`the sequence ${tagName(tag)} at byte ${offset} has no end`);
  }
}

const PREAMBLE = 128;
export const TRANSFER_SYNTAX = 0x00020010;

export interface DicomFile {
  /** Null where no file meta information says it. */
  readonly syntax: string | null;
  readonly elements: DicomElements;
}

/**
 * How a data set is encoded is seen at its first element, since some programs state one transfer syntax and write another.
 * check: throws for a transfer syntax that is not read. @throws Error, a clause
 */
export function openDicom(bytes: Uint8Array, check: (syntax: string) => void): DicomFile {
  if (filmKind(bytes) !== 'DICOM') throw new Error('it does not begin like DICOM');
  // Some programs leave the preamble out and keep the prefix.
  const prefix = [PREAMBLE, 0].find((at) => String.fromCharCode(...bytes.subarray(at, at + 4)) === 'DICM');
  const start = prefix === undefined ? 0 : prefix + 4;
  const meta = new DicomElements(bytes, start, encodingAt(bytes, start), 0x0002ffff);
  const syntax = meta.text(TRANSFER_SYNTAX) || null;
  if (syntax !== null) check(syntax);
  return { syntax, elements: new DicomElements(bytes, meta.end, encodingAt(bytes, meta.end)) };
}

/** Explicit where two letters stand in the place of a value representation; big endian where the group's high byte comes first. */
function encodingAt(bytes: Uint8Array, at: number): Encoding {
  const isLetter = (byte: number) => byte >= 65 && byte <= 90;
  return {
    explicit: isLetter(bytes[at + 4]) && isLetter(bytes[at + 5]),
    littleEndian: bytes[at] !== 0 || bytes[at + 1] === 0,
  };
}
