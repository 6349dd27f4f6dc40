/** What kind of picture a file holds, by its first bytes, whatever its name says. */

/** Bytes that are enough for `filmKind`. */
export const FILM_HEADER = 512;

export type FilmKind = 'PNG' | 'JPEG' | 'DICOM';

/** Value representations of PS3.5, table 6.2-1. */
const VALUE_REPRESENTATIONS = new Set(
  'AE AS AT CS DA DS DT FD FL IS LO LT OB OD OF OL OV OW PN SH SL SQ SS ST SV TM UC UI UL UN UR US UT UV'.split(' '),
);

/** The kind of a file that is read; null for any other. bytes: the first FILM_HEADER of the file, or all of a shorter one. */
export function filmKind(bytes: Uint8Array): FilmKind | null {
  if (begins(bytes, '\x89PNG')) return 'PNG';
  if (begins(bytes, '\xff\xd8\xff')) return 'JPEG';
  if (begins(bytes, 'DICM', 128) || begins(bytes, 'DICM') || beginsWithElement(bytes)) return 'DICOM';
  return null;
}

/** Kinds that are not read, by their signature and its place. */
const OTHER_KINDS: readonly (readonly [what: string, signature: string, at: number])[] = [
  ['a GIF picture', 'GIF8', 0],
  ['a TIFF picture', 'II*\0', 0],
  ['a TIFF picture', 'MM\0*', 0],
  ['a TIFF picture', 'II+\0', 0],
  ['a TIFF picture', 'MM\0+', 0],
  ['a WebP picture', 'WEBP', 8],
  ['a HEIC picture', 'ftyphei', 4],
  ['a HEIC picture', 'ftypmif1', 4],
  ['an AVIF picture', 'ftypavif', 4],
  ['a JPEG 2000 picture outside DICOM', 'jP  \r\n', 4],
  ['a JPEG 2000 picture outside DICOM', '\xff\x4f\xff\x51', 0],
  ['a JPEG XL picture', '\xff\x0a', 0],
  ['a PGM picture', 'P5\n', 0],
  ['a PPM picture', 'P6\n', 0],
  ['a PDF document', '%PDF', 0],
  ['a zip archive', 'PK\x03\x04', 0],
  ['a gzip archive', '\x1f\x8b', 0],
  ['a NumPy array', '\x93NUMPY', 0],
  ['a NIfTI volume', 'n+1\0', 344],
  ['an NRRD volume', 'NRRD000', 0],
];

/** Packed files, which hold other files. */
const ARCHIVES = new Set(['a zip archive', 'a gzip archive']);

/**
 * What `bytes` hold instead of a picture that is read, with the remedy, as a clause;
 * null when the signature is none that is known.
 */
export function unreadKind(bytes: Uint8Array): string | null {
  // Two letters alone may begin a text: in a bitmap's header four reserved zeros follow the size.
  const isBitmap = begins(bytes, 'BM') && begins(bytes, '\0\0\0\0', 6);
  const what = isBitmap ? 'a BMP picture' : OTHER_KINDS.find(([, signature, at]) => begins(bytes, signature, at))?.[0];
  if (!what) return null;
  return ARCHIVES.has(what)
    ? `it is ${what}; unpack it and give the pictures inside`
    : `it is ${what}; DICOM, PNG and JPEG are read, so save it as a grey PNG of 8 or 16 bits`;
}

function begins(bytes: Uint8Array, signature: string, at = 0): boolean {
  if (bytes.length < at + signature.length) return false;
  for (let i = 0; i < signature.length; i++) if (bytes[at + i] !== signature.charCodeAt(i)) return false;
  return true;
}

/**
 * Whether a DICOM data set without a preamble begins here: an element of group 0002 or 0008 (either byte order), followed by a value
 * representation or by a 32-bit length that is even and small, as the first elements of every image have (a group length has four bytes).
 */
function beginsWithElement(bytes: Uint8Array): boolean {
  if (bytes.length < 8) return false;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const isExplicit = VALUE_REPRESENTATIONS.has(String.fromCharCode(bytes[4], bytes[5]));
  for (const littleEndian of [true, false]) {
    const group = view.getUint16(0, littleEndian);
    const element = view.getUint16(2, littleEndian);
    if ((group !== 0x0002 && group !== 0x0008) || element > 0x0100) continue;
    if (isExplicit) return true;
    const length = view.getUint32(4, littleEndian);
    if (littleEndian && (element === 0 ? length === 4 : length % 2 === 0 && length <= 1024)) return true;
  }
  return false;
}
