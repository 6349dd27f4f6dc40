/** A PNG as a film: grey, colour or a palette of 1 to 16 bits; colour becomes luminance, transparency is refused. */
import { type DecodedPng, decode } from 'fast-png';
import { checkUpright, exifOrientation } from './exif.ts';
import type { Film } from './film.ts';
import { checkFilmSize } from './film-size.ts';
import { luminance } from './luminance.ts';
import { checkPacking } from './packing.ts';
import { LUMINANCE, plainFilm } from './plain-film.ts';
import { type PngParts, pngParts } from './png-chunks.ts';

/** Deflate repeats at most 258 bytes in 2 bits; a byte holds eight pixels of one bit. */
const PIXELS_PER_BYTE = 8 * 1032;
const HEADER = 33;

/** @throws Error, one sentence that begins with `name` */
export async function readPng(name: string, bytes: Uint8Array): Promise<Film> {
  const header = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (bytes.length < HEADER) throw new Error(`${name}: the PNG ends after ${bytes.length} bytes; copy the file again.`);
  const [height, width] = [header.getUint32(20), header.getUint32(16)];
  checkFilmSize(name, height, width);
  checkPacking(name, height * width, bytes.length, PIXELS_PER_BYTE);
  try {
    const parts = await pngParts(bytes);
    // fast-png puts the packed bits of a pass where whole bytes belong.
    if (parts.isInterlaced && parts.depth < 8) throw new Error(`interlaced pixels of ${parts.depth} bits are not read`);
    if (parts.exif) checkUpright(exifOrientation(parts.exif));
    const png = decode(parts.png, { checkCrc: true });
    checkOpaque(png, parts);
    const { values, isColour } = grey(png);
    return plainFilm({
      height,
      width,
      pixels: values,
      bits: png.palette ? 8 : png.depth,
      kind: 'PNG',
      photometric: png.palette ? 'palette' : png.channels > 2 ? 'RGB' : 'grey',
      ignored: [
        ...(isColour ? [LUMINANCE] : []),
        ...(parts.colourSpaces.length > 0 ? [`colour space (${parts.colourSpaces.join(', ')})`] : []),
        ...(parts.isAnimated ? ['the frames of an animation after the first'] : []),
      ],
    });
  } catch (error) {
    throw new Error(
      `${name}: the PNG cannot be read (${(error as Error).message}); save it as an upright grey picture of 8 or 16 bits without transparency.`,
    );
  }
}

/** Sample `place` of row `row`; samples of fewer than 8 bits lie packed, the first in the highest bits (PNG 7.2). */
function sampler({ data, depth, channels, width }: DecodedPng): (row: number, place: number) => number {
  if (depth >= 8) return (row, place) => data[row * width * channels + place];
  const stride = Math.ceil((width * depth) / 8);
  const mask = 2 ** depth - 1;
  return (row, place) => {
    const bit = place * depth;
    return (data[row * stride + (bit >> 3)] >> (8 - depth - (bit & 7))) & mask;
  };
}

/** @throws Error, a clause */
function grey(png: DecodedPng): { values: Uint16Array<ArrayBuffer>; isColour: boolean } {
  const { width, height, channels, palette } = png;
  const count = width * height;
  const sample = sampler(png);
  const at = (i: number, c: number) => sample(Math.floor(i / width), (i % width) * channels + c);
  if (palette)
    return luminance(count, (i, c) => {
      const colour = palette[at(i, 0)];
      if (!colour) throw new Error(`pixel ${place(i, width)} has colour ${at(i, 0)} of a palette of ${palette.length}`);
      return colour[c];
    });
  if (channels > 2) return luminance(count, at);
  const values = new Uint16Array(count);
  for (let i = 0; i < count; i++) values[i] = at(i, 0);
  return { values, isColour: false };
}

const place = (i: number, width: number) => `${i % width}, ${Math.floor(i / width)}`;

/** What shows through a transparent pixel is not in the file. @throws Error, a clause */
function checkOpaque(png: DecodedPng, { transparency }: PngParts): void {
  const { width, height, channels, depth, palette } = png;
  const alpha = channels === 2 || channels === 4;
  if (!alpha && !transparency) return;
  const sample = sampler(png);
  const key = new DataView(new ArrayBuffer(6));
  transparency?.subarray(0, 6).forEach((byte, i) => {
    key.setUint8(i, byte);
  });
  const opaque = 2 ** depth - 1;
  const isTransparent = alpha
    ? (row: number, from: number) => sample(row, from + channels - 1) !== opaque
    : palette
      ? (row: number, from: number) => (transparency![sample(row, from)] ?? 255) !== 255
      : (row: number, from: number) => {
          for (let c = 0; c < channels; c++) if (sample(row, from + c) !== key.getUint16(2 * c)) return false;
          return true;
        };
  for (let row = 0; row < height; row++)
    for (let column = 0; column < width; column++)
      if (isTransparent(row, column * channels))
        throw new Error(`pixel ${column}, ${row} is not opaque: what lies behind it is unknown`);
}
