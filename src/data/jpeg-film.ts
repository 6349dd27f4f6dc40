/** A JPEG file as a film: lossy of 8 bits, grey or colour, or lossless grey of 2 to 16 bits. */
import { checkUpright } from './exif.ts';
import type { Film } from './film.ts';
import { checkFilmSize } from './film-size.ts';
import { decodeLosslessJpeg, LOSSLESS_PIXELS_PER_BYTE } from './jpeg-lossless.ts';
import { decodeLossyJpeg, JPEG_PIXELS_PER_BYTE } from './jpeg-lossy.ts';
import { jpegHeader } from './jpeg-markers.ts';
import { checkPacking } from './packing.ts';
import { LUMINANCE, plainFilm } from './plain-film.ts';

const LOSSLESS = 3;

/** @throws Error, one sentence that begins with `name` */
export async function readJpeg(name: string, bytes: Uint8Array): Promise<Film> {
  try {
    const { height, width, process, precision, components, orientation } = jpegHeader(bytes);
    const isLossless = process === LOSSLESS;
    checkFilmSize(name, height, width);
    checkPacking(name, height * width, bytes.length, isLossless ? LOSSLESS_PIXELS_PER_BYTE : JPEG_PIXELS_PER_BYTE);
    checkUpright(orientation);
    const { values, isColour } = isLossless
      ? { ...decodeLosslessJpeg(bytes), isColour: false }
      : await decodeLossyJpeg(bytes);
    if (values.length !== height * width)
      throw new Error(`its pixels decode to ${values.length} values, ${height} x ${width} are announced`);
    return plainFilm({
      height,
      width,
      pixels: values,
      bits: precision,
      kind: 'JPEG',
      photometric: components === 3 ? 'colour' : 'grey',
      ignored: isColour ? [LUMINANCE] : [],
    });
  } catch (error) {
    const { message } = error as Error;
    throw message.startsWith(`${name}: `)
      ? error
      : new Error(`${name}: the JPEG cannot be read (${message}); save it as an upright grey picture of 8 bits.`);
  }
}
