/** Compressed DICOM frames, each kind through a decoder that is loaded when the first file needs it. */
import type { FrameShape } from './dicom.ts';
import { runLengths } from './run-lengths.ts';

type Decoder = (frame: Uint8Array<ArrayBuffer>, shape: FrameShape) => Promise<Uint16Array>;

const SYNTAXES: Record<string, Decoder> = {
  '1.2.840.10008.1.2.5': async (frame, shape) => runLengths(frame, shape),
  '1.2.840.10008.1.2.4.50': jpegBaseline,
  '1.2.840.10008.1.2.4.57': jpegLossless,
  '1.2.840.10008.1.2.4.70': jpegLossless,
  '1.2.840.10008.1.2.4.90': jpeg2000,
  '1.2.840.10008.1.2.4.91': jpeg2000,
};

/** height x width values. @throws Error, one sentence that begins with `name` */
export async function decodeFrame(
  name: string,
  syntax: string,
  frame: Uint8Array<ArrayBuffer>,
  shape: FrameShape,
): Promise<Uint16Array> {
  const decode = Object.hasOwn(SYNTAXES, syntax) ? SYNTAXES[syntax] : null;
  if (!decode) {
    throw new Error(
      `${name}: transfer syntax ${syntax} is not read; convert the file to explicit little endian, for example with dcmconv.`,
    );
  }
  let values: Uint16Array;
  try {
    values = await decode(frame, shape);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new Error(
      `${name}: the compressed pixels (${syntax}) cannot be decoded (${message}); download the file again.`,
    );
  }
  if (values.length !== shape.height * shape.width) {
    throw new Error(
      `${name}: the pixels decode to ${values.length} values, but ${shape.height} x ${shape.width} were announced; download the file again.`,
    );
  }
  return values;
}

/** What the compressed frame itself announces must agree before a decoder allocates for it. */
function sameSize(height: number, width: number, shape: FrameShape): void {
  if (height !== shape.height || width !== shape.width)
    throw new Error(`the frame announces ${height} x ${width}, the DICOM ${shape.height} x ${shape.width}`);
}

/** Rows and columns of a JPEG's frame header (SOF0 to SOF15). */
export function jpegSize(bytes: Uint8Array): { height: number; width: number } {
  for (let at = 2; at + 9 < bytes.length; ) {
    if (bytes[at] !== 0xff) throw new Error('a JPEG marker is missing');
    const marker = bytes[at + 1];
    if (marker === 0xff) {
      at++;
      continue;
    }
    if (marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc)
      return { height: (bytes[at + 5] << 8) | bytes[at + 6], width: (bytes[at + 7] << 8) | bytes[at + 8] };
    at += 2 + ((bytes[at + 2] << 8) | bytes[at + 3]);
  }
  throw new Error('the JPEG has no frame header');
}

/** Rows and columns of a JPEG 2000 code stream's SIZ segment (ISO 15444-1, A.5.1), which comes first. */
export function jpeg2000Size(bytes: Uint8Array): { height: number; width: number } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (bytes.length < 24 || view.getUint32(0) !== 0xff4fff51) throw new Error('the JPEG 2000 code stream has no header');
  const [right, bottom, left, top] = [8, 12, 16, 20].map((at) => view.getUint32(at));
  return { height: bottom - top, width: right - left };
}

async function jpegBaseline(frame: Uint8Array<ArrayBuffer>, shape: FrameShape): Promise<Uint16Array> {
  const { height, width } = jpegSize(frame);
  sameSize(height, width, shape);
  return greyJpeg(frame);
}

/** Red of the decoded picture, which in a grey one is the grey. */
export async function greyJpeg(bytes: Uint8Array): Promise<Uint16Array> {
  const { decode } = (await import('jpeg-js')).default;
  const { data, width, height } = decode(bytes, {
    useTArray: true,
    formatAsRGBA: true,
    maxResolutionInMP: 100,
    maxMemoryUsageInMB: 2048,
  });
  const grey = new Uint16Array(width * height);
  for (let i = 0; i < grey.length; i++) grey[i] = data[4 * i];
  return grey;
}

async function jpegLossless(frame: Uint8Array<ArrayBuffer>, shape: FrameShape): Promise<Uint16Array> {
  const { height, width } = jpegSize(frame);
  sameSize(height, width, shape);
  const { Decoder } = await import('jpeg-lossless-decoder-js');
  const values = new Decoder().decode(frame.buffer, 0, frame.length);
  return Uint16Array.from(values);
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
    (module.default as () => Promise<OpenJpeg>)(),
  );
  const decoder = new (await openJpeg).J2KDecoder();
  try {
    decoder.getEncodedBuffer(frame.length).set(frame);
    decoder.decode();
    const { bitsPerSample } = decoder.getFrameInfo();
    const decoded = decoder.getDecodedBuffer().slice();
    return bitsPerSample <= 8 ? Uint16Array.from(decoded) : new Uint16Array(decoded.buffer);
  } finally {
    decoder.delete();
  }
}
