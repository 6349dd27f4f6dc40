/** A film from a file of any kind that is read, told by its first bytes: DICOM, PNG or JPEG. The same in Node and for a File in a browser. */
import { decode as decodePng } from 'fast-png';
import { checkFilmSize, type Film, readDicom } from './dicom.ts';
import { greyJpeg, JPEG_PIXELS_PER_BYTE } from './dicom-frames.ts';
import { jpegSize } from './jpeg-markers.ts';
import { checkPacking } from './packing.ts';
import { pixelsOnly } from './png-chunks.ts';

/** Deflate repeats at most 258 bytes in 2 bits. */
const PNG_PIXELS_PER_BYTE = 1032;
const LARGEST_FILE = 2 ** 30;

export async function readFilm(name: string, bytes: Uint8Array): Promise<Film> {
  if (bytes[0] === 0x89 && bytes[1] === 0x50) return readPng(name, bytes);
  if (bytes[0] === 0xff && bytes[1] === 0xd8) return readJpeg(name, bytes);
  return readDicom(name, bytes);
}

/** From a dropped or chosen file; the bytes stay on the machine. */
export async function readFilmFile(file: File, name = file.name): Promise<Film> {
  if (file.size > LARGEST_FILE) throw new Error(`${name} has ${file.size} bytes; at most ${LARGEST_FILE} are read.`);
  return readFilm(name, new Uint8Array(await file.arrayBuffer()));
}

async function readPng(name: string, bytes: Uint8Array): Promise<Film> {
  const header = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (bytes.length < 33) throw new Error(`${name}: the PNG ends after ${bytes.length} bytes; copy the file again.`);
  const [rows, columns] = [header.getUint32(20), header.getUint32(16)];
  checkFilmSize(name, rows, columns);
  checkPacking(name, rows * columns, bytes.length, PNG_PIXELS_PER_BYTE);
  try {
    const { width, height, data, depth, channels, palette } = decodePng(await pixelsOnly(bytes));
    if (palette || (depth !== 8 && depth !== 16))
      throw new Error(`${depth} bits${palette ? ' and a palette' : ''} are not read`);
    const pixels = Uint16Array.from({ length: width * height }, (_, i) => data[i * channels]);
    return { height, width, pixels, bits: depth, inverted: false };
  } catch (error) {
    throw new Error(
      `${name}: the PNG cannot be read (${(error as Error).message}); save it as grey with 8 or 16 bits.`,
    );
  }
}

async function readJpeg(name: string, bytes: Uint8Array): Promise<Film> {
  try {
    const { height, width } = jpegSize(bytes);
    checkFilmSize(name, height, width);
    checkPacking(name, height * width, bytes.length, JPEG_PIXELS_PER_BYTE);
    return { height, width, pixels: await greyJpeg(bytes), bits: 8, inverted: false };
  } catch (error) {
    const message = (error as Error).message;
    throw message.startsWith(name)
      ? error
      : new Error(`${name}: the JPEG cannot be read (${message}); copy the file again.`);
  }
}
