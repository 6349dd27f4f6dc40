/** Compressed DICOM frames, each kind through a decoder that is loaded when the first file needs it. */
import { syntaxName } from './dicom-syntax.ts';
import { decodeLosslessJpeg, LOSSLESS_PIXELS_PER_BYTE } from './jpeg-lossless.ts';
import { decodeLossyJpeg, JPEG_PIXELS_PER_BYTE } from './jpeg-lossy.ts';
import { jpegHeader } from './jpeg-markers.ts';
import { checkPacking } from './packing.ts';
import { runLengths } from './run-lengths.ts';

export interface FrameShape {
  readonly height: number;
  readonly width: number;
  /** 8 or 16 */
  readonly allocated: number;
}

interface Syntax {
  readonly decode: (frame: Uint8Array<ArrayBuffer>, shape: FrameShape) => Promise<Uint16Array>;
  /** Pixels that one byte can hold at most, so that memory is not taken on the word of a header. */
  readonly pixelsPerByte: number;
}

/** Two bytes repeat one byte 128 times. */
const RUNS: Syntax = { decode: async (frame, shape) => runLengths(frame, shape), pixelsPerByte: 64 };
const BASELINE: Syntax = { decode: jpegBaseline, pixelsPerByte: JPEG_PIXELS_PER_BYTE };
const LOSSLESS: Syntax = { decode: jpegLossless, pixelsPerByte: LOSSLESS_PIXELS_PER_BYTE };
/** A block of 64 x 64 pixels of one value takes a few bits; a film has noise. */
const WAVELETS: Syntax = { decode: jpeg2000, pixelsPerByte: 4096 };

const SYNTAXES: Record<string, Syntax> = {
  '1.2.840.10008.1.2.5': RUNS,
  '1.2.840.10008.1.2.4.50': BASELINE,
  '1.2.840.10008.1.2.4.57': LOSSLESS,
  '1.2.840.10008.1.2.4.70': LOSSLESS,
  '1.2.840.10008.1.2.4.90': WAVELETS,
  '1.2.840.10008.1.2.4.91': WAVELETS,
};

export const isCompressed = (syntax: string): boolean => Object.hasOwn(SYNTAXES, syntax);

/** height x width values. syntax: one that isCompressed. @throws Error, one sentence that begins with `name` */
export async function decodeFrame(
  name: string,
  syntax: string,
  frame: Uint8Array<ArrayBuffer>,
  shape: FrameShape,
): Promise<Uint16Array> {
  const known = SYNTAXES[syntax];
  if (frame.length === 0) throw new Error(`${name}: its pixel data (${syntaxName(syntax)}) hold no fragment.`);
  checkPacking(name, shape.height * shape.width, frame.length, known.pixelsPerByte);
  let values: Uint16Array;
  try {
    values = await known.decode(frame, shape);
  } catch (error) {
    // A decoder from C++ throws a number, the place of what it means.
    const message = error instanceof Error ? error.message : 'the decoder gave up';
    throw new Error(`${name}: its ${syntaxName(syntax)} pixels (${frame.length} bytes) cannot be decoded: ${message}.`);
  }
  if (values.length !== shape.height * shape.width) {
    throw new Error(
      `${name}: its ${syntaxName(syntax)} pixels decode to ${values.length} values, ${shape.height} x ${shape.width} are announced.`,
    );
  }
  return values;
}

/** What the compressed frame itself announces must agree before a decoder allocates for it. */
function sameSize(height: number, width: number, shape: FrameShape): void {
  if (height !== shape.height || width !== shape.width)
    throw new Error(`the frame announces ${height} x ${width}, the DICOM ${shape.height} x ${shape.width}`);
}

/** Bits above those that are allocated would be lost. */
function checkPrecision(bits: number, { allocated }: FrameShape): void {
  if (bits > allocated) throw new Error(`the frame has values of ${bits} bits, the DICOM allocates ${allocated}`);
}

/** Rows and columns of a JPEG 2000 code stream's SIZ segment (ISO 15444-1, A.5.1), which comes first. */
export function jpeg2000Size(bytes: Uint8Array): { height: number; width: number } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (bytes.length < 24 || view.getUint32(0) !== 0xff4fff51) throw new Error('the JPEG 2000 code stream has no header');
  const [right, bottom, left, top] = [8, 12, 16, 20].map((at) => view.getUint32(at));
  return { height: bottom - top, width: right - left };
}

async function jpegBaseline(frame: Uint8Array<ArrayBuffer>, shape: FrameShape): Promise<Uint16Array> {
  const { height, width } = jpegHeader(frame);
  sameSize(height, width, shape);
  const { values, isColour } = await decodeLossyJpeg(frame);
  if (isColour) throw new Error('the frame is in colour, the DICOM announces one sample a pixel');
  return values;
}

async function jpegLossless(frame: Uint8Array<ArrayBuffer>, shape: FrameShape): Promise<Uint16Array> {
  const { height, width } = jpegHeader(frame);
  sameSize(height || shape.height, width, shape);
  const { precision, values } = decodeLosslessJpeg(frame, shape.height);
  checkPrecision(precision, shape);
  return values;
}

interface OpenJpeg {
  J2KDecoder: new () => {
    getEncodedBuffer(length: number): Uint8Array;
    getDecodedBuffer(): Uint8Array;
    decode(): void;
    getFrameInfo(): { width: number; height: number; bitsPerSample: number; componentCount: number };
    delete(): void;
  };
}

let openJpeg: Promise<OpenJpeg> | null = null;

async function jpeg2000(frame: Uint8Array<ArrayBuffer>, shape: FrameShape): Promise<Uint16Array> {
  const { height, width } = jpeg2000Size(frame);
  sameSize(height, width, shape);
  openJpeg ??= import('@cornerstonejs/codec-openjpeg/decode').then((module) =>
    // What it has to say would go to stdout, which is for results.
    (module.default as (options: object) => Promise<OpenJpeg>)({ print() {}, printErr() {} }),
  );
  const decoder = new (await openJpeg).J2KDecoder();
  let isWhole = false;
  try {
    decoder.getEncodedBuffer(frame.length).set(frame);
    decoder.decode();
    const { bitsPerSample, componentCount } = decoder.getFrameInfo();
    if (componentCount !== 1) throw new Error(`the frame has ${componentCount} components; one is read`);
    checkPrecision(bitsPerSample, shape);
    const decoded = decoder.getDecodedBuffer().slice();
    isWhole = true;
    return bitsPerSample <= 8 ? Uint16Array.from(decoded) : new Uint16Array(decoded.buffer);
  } finally {
    if (isWhole) decoder.delete();
    // What a failure has left of the decoder's memory goes with the whole of it.
    else openJpeg = null;
  }
}
