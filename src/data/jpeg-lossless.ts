/**
 * Lossless JPEG with Huffman codes (ITU-T T.81, annex H; in DICOM the transfer syntaxes 1.2.840.10008.1.2.4.57 and .70): one component of
 * 2 to 16 bits, all seven predictors, point transform, restart intervals. Decoding is exact: integers, modulo 2^16.
 */
import { BitReader } from './jpeg-bits.ts';
import { HuffmanTable } from './jpeg-huffman.ts';

const [SOF3, DHT, EOI, SOS, DNL, DRI] = [0xc3, 0xc4, 0xd9, 0xda, 0xdc, 0xdd];

/** A pixel takes at least one bit. */
export const LOSSLESS_PIXELS_PER_BYTE = 8;

export interface LosslessJpeg {
  readonly height: number;
  readonly width: number;
  /** 2 to 16, as the frame header says. */
  readonly precision: number;
  /** height x width, shifted back up by the point transform. */
  readonly values: Uint16Array<ArrayBuffer>;
}

interface Frame {
  readonly precision: number;
  /** 0: a DNL segment behind the scan says it. */
  readonly height: number;
  readonly width: number;
}

/** height: of the picture, for streams whose frame header leaves it to a DNL segment. @throws Error, a clause that says what is wrong */
export function decodeLosslessJpeg(bytes: Uint8Array, height?: number): LosslessJpeg {
  const tables: (HuffmanTable | undefined)[] = [];
  let frame: Frame | null = null;
  let restartInterval = 0;
  if (bytes[0] !== 0xff || bytes[1] !== 0xd8) throw new Error('the stream does not begin with an SOI marker');
  for (let at = 2; ; ) {
    const found = nextMarker(bytes, at);
    const { marker } = found;
    at = found.after;
    if (marker === EOI) throw new Error('the stream ends before its scan');
    if (marker >= 0xd0 && marker <= 0xd7) continue;
    const segment = segmentAt(bytes, at);
    at += 2 + segment.length;
    if (marker === DHT) readTables(segment, tables);
    else if (marker === DRI) restartInterval = need(segment, 2) && (segment[0] << 8) | segment[1];
    else if (marker === SOS) {
      if (!frame) throw new Error('the scan comes before a frame header');
      const lines = frame.height || lineCount(bytes, at) || height;
      if (!lines) throw new Error('neither the frame header nor a DNL segment says how many lines there are');
      const values = decodeScan(bytes, at, segment, { ...frame, height: lines }, tables, restartInterval);
      return { ...frame, height: lines, values };
    } else if (marker >= 0xc0 && marker <= 0xcf && marker !== 0xcc) frame = readFrame(marker, segment);
  }
}

function nextMarker(bytes: Uint8Array, from: number): { marker: number; after: number } {
  let at = from;
  if (at >= bytes.length) throw new Error(`the stream ends after ${bytes.length} bytes, before its scan`);
  if (bytes[at] !== 0xff) throw new Error(`a marker is missing at byte ${at}`);
  while (bytes[at] === 0xff) at++; // any number of fill bytes (B.1.1.2)
  if (at >= bytes.length) throw new Error(`the stream ends after ${bytes.length} bytes, before its scan`);
  return { marker: bytes[at], after: at + 1 };
}

/** The parameters of a marker segment, without their length. */
function segmentAt(bytes: Uint8Array, at: number): Uint8Array {
  const length = (bytes[at] << 8) | bytes[at + 1];
  if (at + 2 > bytes.length || length < 2 || at + length > bytes.length)
    throw new Error(`the marker segment at byte ${at} is cut short`);
  return bytes.subarray(at + 2, at + length);
}

function need(segment: Uint8Array, length: number): true {
  if (segment.length < length)
    throw new Error(`a marker segment has ${segment.length} bytes of parameters, ${length} are needed`);
  return true;
}

function readFrame(marker: number, segment: Uint8Array): Frame {
  if (marker !== SOF3)
    throw new Error(`its frame header is SOF${marker - 0xc0}; lossless JPEG with Huffman codes has SOF3`);
  need(segment, 9);
  const [precision, components] = [segment[0], segment[5]];
  if (precision < 2 || precision > 16) throw new Error(`a precision of ${precision} bits is outside 2 to 16`);
  if (components !== 1) throw new Error(`it has ${components} components; one is read`);
  const width = (segment[3] << 8) | segment[4];
  if (width === 0) throw new Error('its lines have no samples');
  return { precision, height: (segment[1] << 8) | segment[2], width };
}

function readTables(segment: Uint8Array, tables: (HuffmanTable | undefined)[]): void {
  for (let at = 0; at < segment.length; ) {
    const counts = segment.subarray(at + 1, at + 17);
    const total = counts.reduce((sum, count) => sum + count, 0);
    need(segment, at + 17 + total);
    const [kind, place] = [segment[at] >> 4, segment[at] & 15];
    if (kind > 1 || place > 3) throw new Error(`a Huffman table has the destination ${segment[at]}`);
    // A lossless scan takes tables of class 0 alone.
    if (kind === 0) tables[place] = new HuffmanTable(counts, segment.subarray(at + 17, at + 17 + total));
    at += 17 + total;
  }
}

/** What a DNL segment right behind the first scan says (B.2.5); 0 without one. */
function lineCount(bytes: Uint8Array, scan: number): number {
  for (let at = bytes.indexOf(0xff, scan); at >= 0 && at + 1 < bytes.length; at = bytes.indexOf(0xff, at + 1)) {
    const marker = bytes[at + 1];
    if (marker === DNL) return at + 5 < bytes.length ? (bytes[at + 4] << 8) | bytes[at + 5] : 0;
    if (marker === EOI || marker === SOS) return 0;
  }
  return 0;
}

function decodeScan(
  bytes: Uint8Array,
  at: number,
  segment: Uint8Array,
  { precision, height, width }: Frame,
  tables: readonly (HuffmanTable | undefined)[],
  restartInterval: number,
): Uint16Array<ArrayBuffer> {
  need(segment, 6);
  if (segment[0] !== 1) throw new Error(`its scan has ${segment[0]} components; one is read`);
  const table = tables[segment[2] >> 4];
  if (!table) throw new Error(`its scan uses Huffman table ${segment[2] >> 4}, which is not defined`);
  const [predictor, pointTransform] = [segment[3], segment[5] & 15];
  if (predictor < 1 || predictor > 7) throw new Error(`predictor ${predictor} is none of 1 to 7`);
  if (pointTransform >= precision)
    throw new Error(`a point transform of ${pointTransform} leaves none of ${precision} bits`);
  if (restartInterval % width !== 0)
    throw new Error(`a restart interval of ${restartInterval} is no multiple of the ${width} samples of a line`);
  const values = new Uint16Array(height * width);
  const rows = restartInterval / width || height;
  const reader = new BitReader(bytes, at);
  for (let row = 0; row < height; row++) {
    const first = row % rows === 0;
    if (first && row > 0) reader.restart((row / rows - 1) & 7);
    if (first) predictLine(values, row * width, width, 1 << (precision - pointTransform - 1), reader, table);
    else predictLines(values, row * width, width, predictor, reader, table);
  }
  if (pointTransform > 0) for (let i = 0; i < values.length; i++) values[i] <<= pointTransform;
  return values;
}

/** The first line of a scan or restart interval: each sample is predicted by its left neighbour, the first by half the range (H.1.2.1). */
function predictLine(
  values: Uint16Array,
  from: number,
  width: number,
  half: number,
  reader: BitReader,
  table: HuffmanTable,
): void {
  let left = half;
  for (let i = from; i < from + width; i++) left = values[i] = (left + difference(reader, table)) & 0xffff;
}

/** Any other line; its first sample is predicted by the one above. Table H.1: a is left, b above, c above and left. */
function predictLines(
  values: Uint16Array,
  from: number,
  width: number,
  predictor: number,
  reader: BitReader,
  table: HuffmanTable,
): void {
  let c = values[from - width];
  let a = (c + difference(reader, table)) & 0xffff;
  values[from] = a;
  for (let i = from + 1; i < from + width; i++) {
    const b = values[i - width];
    const prediction =
      predictor === 1
        ? a
        : predictor === 2
          ? b
          : predictor === 3
            ? c
            : predictor === 4
              ? a + b - c
              : predictor === 5
                ? a + ((b - c) >> 1)
                : predictor === 6
                  ? b + ((a - c) >> 1)
                  : (a + b) >> 1;
    a = (prediction + difference(reader, table)) & 0xffff;
    values[i] = a;
    c = b;
  }
}

/** A category, then as many bits (H.1.2.2); category 16 is the difference 32768 and has none. */
function difference(reader: BitReader, table: HuffmanTable): number {
  const category = reader.symbol(table);
  if (category === 0) return 0;
  if (category >= 16) {
    if (category > 16) throw new Error(`a difference has the category ${category}; at most 16 is possible`);
    return 32768;
  }
  const bits = reader.bits(category);
  return bits >= 1 << (category - 1) ? bits : bits - (1 << category) + 1;
}
