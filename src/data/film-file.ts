/** A film from a file of any kind that is read, told by its first bytes: DICOM, PNG or JPEG. The same in Node and for a File in a browser. */
import { type DecodedPng, decode as decodePng } from 'fast-png';
import { checkFilmSize, readDicom } from './dicom.ts';
import { greyJpeg, JPEG_PIXELS_PER_BYTE, LOSSLESS_PIXELS_PER_BYTE } from './dicom-frames.ts';
import { type Film, type FilmDetails, fullRange, largestOf } from './film.ts';
import { refuseForeignFile } from './foreign-file.ts';
import { decodeLosslessJpeg } from './jpeg-lossless.ts';
import { jpegHeader } from './jpeg-markers.ts';
import { luminance } from './luminance.ts';
import { checkPacking } from './packing.ts';
import { pixelsOnly } from './png-chunks.ts';

/** Deflate repeats at most 258 bytes in 2 bits. */
const PNG_PIXELS_PER_BYTE = 1032;
const LARGEST_FILE = 2 ** 30;

/** @throws Error, one sentence that begins with `name` */
export async function readFilm(name: string, bytes: Uint8Array): Promise<Film> {
  if (bytes[0] === 0x89 && bytes[1] === 0x50) return readPng(name, bytes);
  if (bytes[0] === 0xff && bytes[1] === 0xd8) return readJpeg(name, bytes);
  refuseForeignFile(name, bytes);
  return readDicom(name, bytes);
}

/** From a dropped or chosen file; the bytes stay on the machine. */
export async function readFilmFile(file: File, name = file.name): Promise<Film> {
  if (file.size > LARGEST_FILE) throw new Error(`${name} has ${file.size} bytes; at most ${LARGEST_FILE} are read.`);
  return readFilm(name, new Uint8Array(await file.arrayBuffer()));
}

/** Whether a file may be a film, by its first bytes; 132 of them are enough. */
export function looksLikeFilm(head: Uint8Array): boolean {
  const is = (at: number, text: string) => [...text].every((letter, i) => head[at + i] === letter.charCodeAt(0));
  return is(1, 'PNG') || (head[0] === 0xff && head[1] === 0xd8) || is(128, 'DICM');
}

/** A picture that is no DICOM: its values are what they are. */
function plainFilm(
  height: number,
  width: number,
  bits: number,
  pixels: Uint16Array<ArrayBuffer>,
  about: Pick<FilmDetails, 'kind' | 'photometric' | 'ignored'>,
): Film {
  const details: FilmDetails = {
    ...about,
    allocated: bits > 8 ? 16 : 8,
    highBit: bits - 1,
    signed: false,
    transferSyntax: null,
    rescale: null,
    padding: null,
    window: null,
    values: () => Float64Array.from(pixels),
  };
  const range = fullRange(largestOf(pixels));
  return { height, width, pixels, bits, inverted: false, range, modality: { slope: 1, intercept: 0 }, details };
}

const LUMINANCE = 'colour (turned to luminance, Rec. 709)';

async function readPng(name: string, bytes: Uint8Array): Promise<Film> {
  const header = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (bytes.length < 33) throw new Error(`${name}: the PNG ends after ${bytes.length} bytes; copy the file again.`);
  const [rows, columns] = [header.getUint32(20), header.getUint32(16)];
  checkFilmSize(name, rows, columns);
  checkPacking(name, rows * columns, bytes.length, PNG_PIXELS_PER_BYTE);
  try {
    const png = decodePng(await pixelsOnly(bytes));
    const pixels = greyPng(png);
    const isColour = png.channels > 2 || png.palette !== undefined;
    const photometric = png.palette ? 'palette' : isColour ? 'RGB' : 'grey';
    const ignored = isColour ? [LUMINANCE] : [];
    return plainFilm(png.height, png.width, png.depth, pixels, { kind: 'PNG', photometric, ignored });
  } catch (error) {
    throw new Error(
      `${name}: the PNG cannot be read (${(error as Error).message}); save it as grey with 8 or 16 bits.`,
    );
  }
}

/** @throws Error, a clause */
function greyPng({ width, height, data, depth, channels, palette }: DecodedPng): Uint16Array<ArrayBuffer> {
  const count = width * height;
  if (depth !== 8 && depth !== 16) throw new Error(`${depth} bits are not read`);
  if (channels === 2 || channels === 4) {
    const opaque = 2 ** depth - 1;
    for (let i = 0; i < count; i++)
      if (data[i * channels + channels - 1] !== opaque)
        throw new Error(`pixel ${i % width}, ${Math.floor(i / width)} is not opaque: what lies behind it is unknown`);
  }
  if (palette) return luminance(count, (i, c) => palette[data[i]]?.[c] ?? 0);
  if (channels > 2) return luminance(count, (i, c) => data[i * channels + c]);
  const grey = new Uint16Array(count);
  for (let i = 0; i < count; i++) grey[i] = data[i * channels];
  return grey;
}

async function readJpeg(name: string, bytes: Uint8Array): Promise<Film> {
  try {
    const { height, width, process, precision, components, orientation } = jpegHeader(bytes);
    const isLossless = process === 3;
    checkFilmSize(name, height, width);
    checkPacking(name, height * width, bytes.length, isLossless ? LOSSLESS_PIXELS_PER_BYTE : JPEG_PIXELS_PER_BYTE);
    if (orientation > 1 && orientation <= 8)
      throw new Error(`it is stored turned or mirrored, Exif orientation ${orientation}`);
    const pixels = isLossless ? decodeLosslessJpeg(bytes).values : await greyJpeg(bytes);
    const isColour = components === 3;
    return plainFilm(height, width, precision, pixels, {
      kind: 'JPEG',
      photometric: isColour ? 'colour' : 'grey',
      ignored: isColour ? [LUMINANCE] : [],
    });
  } catch (error) {
    const message = (error as Error).message;
    throw message.startsWith(name)
      ? error
      : new Error(`${name}: the JPEG cannot be read (${message}); save it as an upright grey picture of 8 bits.`);
  }
}
