/**
 * One grey film out of a DICOM file (PS3.5, PS3.10): implicit and explicit little endian, 8 to 16 bits, and through decoders that are
 * loaded when a file needs them RLE, JPEG baseline, JPEG lossless and JPEG 2000. Runs in Node and in browsers.
 *
 * Nothing is allocated on the word of a header: sizes are limited first and compared with the bytes that are there.
 */
import dicomParser, { type ByteArray, type DataSet, type Element } from 'dicom-parser';
import { decodeFrame, foreignSyntax } from './dicom-frames.ts';

export interface Film {
  readonly height: number;
  readonly width: number;
  /** Stored values, height x width; signed ones are moved up so that the smallest possible one is 0. */
  readonly pixels: Uint16Array;
  /** 8 to 16. */
  readonly bits: number;
  /** Whether the smallest value is shown white (MONOCHROME1). */
  readonly inverted: boolean;
}

/** Larger than any detector; a film of this size takes 200 MB. */
const LARGEST_SIDE = 16384;
const LARGEST_AREA = 100_000_000;

const UNCOMPRESSED = new Set(['1.2.840.10008.1.2', '1.2.840.10008.1.2.1']);

export function checkFilmSize(name: string, height: number, width: number): void {
  const whole = (side: number) => Number.isInteger(side) && side > 0 && side <= LARGEST_SIDE;
  if (!whole(height) || !whole(width) || height * width > LARGEST_AREA) {
    throw new Error(
      `${name}: the film says it is ${height} x ${width} pixels; at most ${LARGEST_SIDE} a side and ${LARGEST_AREA} in all are read.`,
    );
  }
}

/** @throws Error, one sentence that begins with `name` */
export async function readDicom(name: string, bytes: Uint8Array): Promise<Film> {
  const data = parse(name, bytes);
  const need = (tag: string, what: string): number => {
    const value = data.uint16(tag);
    if (value === undefined) throw new Error(`${name}: the DICOM has no ${what} (${tag}); download the file again.`);
    return value;
  };
  const [height, width] = [need('x00280010', 'Rows'), need('x00280011', 'Columns')];
  checkFilmSize(name, height, width);
  const [allocated, stored] = [need('x00280100', 'BitsAllocated'), need('x00280101', 'BitsStored')];
  const samples = data.uint16('x00280002') ?? 1;
  const frames = Number(data.string('x00280008') ?? 1);
  const photometric = data.string('x00280004') ?? '';
  if ((allocated !== 8 && allocated !== 16) || stored > allocated || stored < 1)
    throw new Error(`${name}: ${stored} of ${allocated} bits are stored; films of 8 or 16 allocated bits are read.`);
  if (samples !== 1 || !/^MONOCHROME[12]$/.test(photometric) || frames !== 1)
    throw new Error(
      `${name}: ${frames} frame(s) of ${samples} sample(s), ${photometric || 'no photometric interpretation'}; one grey frame is read.`,
    );
  const element = data.elements.x7fe00010;
  if (!element) throw new Error(`${name}: the DICOM has no pixel data; download the file again.`);
  const syntax = data.string('x00020010') ?? '1.2.840.10008.1.2';
  const frame = UNCOMPRESSED.has(syntax)
    ? rawFrame(name, bytes, element, { height, width, allocated })
    : await decodeFrame(name, syntax, fragments(bytes, data, element), { height, width, allocated });
  const isSigned = data.uint16('x00280103') === 1;
  return {
    height,
    width,
    pixels: storedValues(frame, stored, isSigned),
    bits: stored,
    inverted: photometric === 'MONOCHROME1',
  };
}

const DEFLATED = '1.2.840.10008.1.2.1.99';
class DeflatedError extends Error {}

/** The parser would unpack a deflated file whole, however large, before anything of it can be looked at. */
function refuse(): never {
  throw new DeflatedError();
}

function parse(name: string, bytes: Uint8Array): DataSet {
  try {
    return dicomParser.parseDicom(bytes as ByteArray, { inflater: refuse });
  } catch (thrown) {
    const reason = (thrown as { exception?: unknown }).exception ?? thrown;
    if (reason instanceof DeflatedError) throw foreignSyntax(name, DEFLATED);
    const message = reason instanceof Error ? reason.message : String(reason);
    throw new Error(
      `${name}: not a whole DICOM file (${message.split('\n')[0].slice(0, 160)}); download the file again.`,
    );
  }
}

export interface FrameShape {
  readonly height: number;
  readonly width: number;
  /** 8 or 16 */
  readonly allocated: number;
}

function rawFrame(name: string, bytes: Uint8Array, { dataOffset, length }: Element, shape: FrameShape): Uint16Array {
  const count = shape.height * shape.width;
  const wanted = (count * shape.allocated) / 8;
  const there = Math.min(length, bytes.length - dataOffset);
  if (there < wanted)
    throw new Error(
      `${name}: ${shape.height} x ${shape.width} pixels need ${wanted} bytes, the file has ${there}; download the file again.`,
    );
  if (shape.allocated === 8) return Uint16Array.from(bytes.subarray(dataOffset, dataOffset + wanted));
  const view = new DataView(bytes.buffer, bytes.byteOffset + dataOffset, wanted);
  const values = new Uint16Array(count);
  for (let i = 0; i < count; i++) values[i] = view.getUint16(2 * i, true);
  return values;
}

/** The fragments of a compressed frame, joined. */
function fragments(bytes: Uint8Array, data: DataSet, element: Element): Uint8Array<ArrayBuffer> {
  const parts = (element.fragments ?? []).map(({ position, length }) =>
    data.byteArray === undefined
      ? bytes.subarray(position, position + length)
      : (data.byteArray as Uint8Array).subarray(position, position + length),
  );
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

/** Drops bits above those stored (overlays lived there once). */
function storedValues(frame: Uint16Array, stored: number, isSigned: boolean): Uint16Array {
  const mask = 2 ** stored - 1;
  const flip = isSigned ? 2 ** (stored - 1) : 0; // two's complement with its sign bit turned is an offset
  return frame.map((value) => (value & mask) ^ flip);
}
