/** DICOM files element by element, right and wrong ones: any byte order, order of elements, lengths, padding and leftovers (PS3.5, section 7). */

export interface TestElement {
  /** Group and element as one number. */
  readonly tag: number;
  readonly vr: string;
  readonly value: Uint8Array;
  /** Written instead of the value's own length. */
  readonly length?: number;
}

export interface DicomEncoding {
  readonly explicit: boolean;
  readonly littleEndian: boolean;
}

export const IMPLICIT_LITTLE: DicomEncoding = { explicit: false, littleEndian: true };
export const EXPLICIT_LITTLE: DicomEncoding = { explicit: true, littleEndian: true };
export const EXPLICIT_BIG: DicomEncoding = { explicit: true, littleEndian: false };

const LONG = new Set('OB OD OF OL OV OW SQ SV UC UN UR UT UV'.split(' '));
export const UNDEFINED_LENGTH = 0xffffffff;

export const concat = (...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> => {
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
};

export const ascii = (text: string, pad = ' '): Uint8Array =>
  Uint8Array.from(text.length % 2 ? text + pad : text, (letter) => letter.charCodeAt(0));

/** Values of 16 bits, as they stand in a file. */
export function words(values: Iterable<number>, littleEndian = true): Uint8Array<ArrayBuffer> {
  const list = [...values];
  const view = new DataView(new ArrayBuffer(2 * list.length));
  list.forEach((value, i) => {
    view.setUint16(2 * i, value & 0xffff, littleEndian);
  });
  return new Uint8Array(view.buffer);
}

export function elementBytes(
  { tag, vr, value, length = value.length }: TestElement,
  { explicit, littleEndian }: DicomEncoding,
): Uint8Array<ArrayBuffer> {
  const head = new DataView(new ArrayBuffer(12));
  head.setUint16(0, tag >>> 16, littleEndian);
  head.setUint16(2, tag & 0xffff, littleEndian);
  if (!explicit) {
    head.setUint32(4, length, littleEndian);
    return concat(new Uint8Array(head.buffer, 0, 8), value);
  }
  head.setUint8(4, vr.charCodeAt(0));
  head.setUint8(5, vr.charCodeAt(1));
  if (LONG.has(vr)) {
    head.setUint32(8, length, littleEndian);
    return concat(new Uint8Array(head.buffer), value);
  }
  head.setUint16(6, length, littleEndian);
  return concat(new Uint8Array(head.buffer, 0, 8), value);
}

/** An item, or with another element number a delimiter, of group FFFE. */
export function item(value: Uint8Array, { element = 0xe000, length = value.length, littleEndian = true } = {}) {
  const head = new DataView(new ArrayBuffer(8));
  head.setUint16(0, 0xfffe, littleEndian);
  head.setUint16(2, element, littleEndian);
  head.setUint32(4, length, littleEndian);
  return concat(new Uint8Array(head.buffer), value);
}

/** One attribute, for `set` of a TestFile. */
export const attribute = (
  tag: number,
  vr: string,
  value: Uint8Array,
  length?: number,
): Record<number, TestElement> => ({
  [tag]: { tag, vr, value, length },
});

const NOTHING = new Uint8Array(0);

/** An encapsulated value: offset table, fragments, delimiter (PS3.5, A.4). */
export const encapsulated = (
  fragments: readonly Uint8Array[],
  { table = NOTHING as Uint8Array, delimiterLength = 0 } = {},
): Uint8Array =>
  concat(
    item(table),
    ...fragments.map((fragment) => item(fragment)),
    item(NOTHING, { element: 0xe0dd, length: delimiterLength }),
  );

export interface TestFile {
  /** null: no such element. */
  readonly syntax?: string | null;
  readonly encoding?: DicomEncoding;
  readonly preamble?: boolean;
  readonly meta?: boolean;
  /** Attributes of the picture, by tag; null removes one of the defaults. */
  readonly set?: Readonly<Record<number, TestElement | null>>;
  readonly pixels: Uint8Array;
  readonly pixelVr?: string;
  readonly pixelLength?: number;
  /** After the pixel data. */
  readonly trailing?: Uint8Array;
  readonly height: number;
  readonly width: number;
  readonly stored?: number;
  readonly allocated?: number;
  readonly highBit?: number;
  readonly signed?: boolean;
  readonly photometric?: string;
  readonly samples?: number;
}

export const UID = {
  implicit: '1.2.840.10008.1.2',
  explicit: '1.2.840.10008.1.2.1',
  big: '1.2.840.10008.1.2.2',
  rle: '1.2.840.10008.1.2.5',
  baseline: '1.2.840.10008.1.2.4.50',
  lossless: '1.2.840.10008.1.2.4.70',
} as const;

const encodingOf = (syntax: string | null | undefined): DicomEncoding =>
  syntax?.trim() === UID.implicit ? IMPLICIT_LITTLE : syntax === UID.big ? EXPLICIT_BIG : EXPLICIT_LITTLE;

export function dicomFile(file: TestFile): Uint8Array<ArrayBuffer> {
  const { syntax = UID.explicit, preamble = true, meta = true, stored = 12, allocated = 16, samples = 1 } = file;
  const { highBit = stored - 1, encoding = encodingOf(syntax), photometric = 'MONOCHROME2', signed = false } = file;
  const word = (tag: number, value: number): TestElement => ({
    tag,
    vr: 'US',
    value: words([value], encoding.littleEndian),
  });
  const defaults = [
    { tag: 0x00080060, vr: 'CS', value: ascii('DX') },
    word(0x00280002, samples),
    { tag: 0x00280004, vr: 'CS', value: ascii(photometric) },
    word(0x00280010, file.height),
    word(0x00280011, file.width),
    word(0x00280100, allocated),
    word(0x00280101, stored),
    word(0x00280102, highBit),
    word(0x00280103, signed ? 1 : 0),
    {
      tag: 0x7fe00010,
      vr: file.pixelVr ?? (allocated > 8 ? 'OW' : 'OB'),
      value: file.pixels,
      length: file.pixelLength,
    },
  ];
  const elements = new Map<number, TestElement | null>(defaults.map((element) => [element.tag, element]));
  for (const [tag, element] of Object.entries(file.set ?? {})) elements.set(Number(tag), element);
  const body = [...elements.entries()]
    .sort(([a], [b]) => a - b)
    .flatMap(([, element]) => (element ? [elementBytes(element, encoding)] : []));
  const group = concat(
    elementBytes({ tag: 0x00020001, vr: 'OB', value: Uint8Array.of(0, 1) }, EXPLICIT_LITTLE),
    ...(syntax === null
      ? []
      : [elementBytes({ tag: 0x00020010, vr: 'UI', value: ascii(syntax, '\0') }, EXPLICIT_LITTLE)]),
  );
  const length = words([group.length, 0]);
  return concat(
    ...(preamble ? [new Uint8Array(128), ascii('DICM')] : []),
    ...(meta ? [elementBytes({ tag: 0x00020000, vr: 'UL', value: length }, EXPLICIT_LITTLE), group] : []),
    ...body,
    file.trailing ?? NOTHING,
  );
}
