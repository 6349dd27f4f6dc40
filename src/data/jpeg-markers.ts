/** The markers of a JPEG (ITU T.81, annex B), read before a decoder takes memory or time for what they announce. */
import { exifOrientation } from './exif.ts';

/** Files of ten bytes a scan over a large picture would keep a decoder busy for hours; progressive films have about ten scans. */
const MOST_SCANS = 64;
const [SOS, EOI, DNL, TEM, APP0, APP1, APP14] = [0xda, 0xd9, 0xdc, 0x01, 0xe0, 0xe1, 0xee];

const isFrameHeader = (marker: number) =>
  marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;
const isRestart = (marker: number) => marker >= 0xd0 && marker <= 0xd7;

export interface JpegHeader {
  /** 0 where neither the frame header nor a DNL segment says it. */
  readonly height: number;
  readonly width: number;
  /** n of SOFn: 0 baseline, 1 extended, 2 progressive, 3 lossless. */
  readonly process: number;
  /** Bits of a sample. */
  readonly precision: number;
  readonly components: number;
  /** Whether three components are red, green and blue; else they are luma and two chroma. */
  readonly isRgb: boolean;
  /** As Exif has it: 1 is upright. */
  readonly orientation: number;
}

/** The one frame header (SOF0 to SOF15). @throws Error, a clause, for a second one and for too many scans */
export function jpegHeader(bytes: Uint8Array): JpegHeader {
  let frame: Omit<JpegHeader, 'orientation' | 'isRgb'> | null = null;
  let names = '';
  let isJfif = false;
  let transform: number | null = null;
  let lines = 0;
  let orientation = 1;
  let scans = 0;
  for (let at = 2; at + 1 < bytes.length; ) {
    if (bytes[at] !== 0xff) throw new Error('a JPEG marker is missing');
    const marker = bytes[at + 1];
    if (marker === EOI) break;
    if (marker === 0xff) {
      at++;
      continue;
    }
    if (isRestart(marker) || marker === TEM) {
      at += 2;
      continue;
    }
    if (isFrameHeader(marker) && at + 9 < bytes.length) {
      if (frame) throw new Error('the JPEG has a second frame header');
      const [height, width] = [(bytes[at + 5] << 8) | bytes[at + 6], (bytes[at + 7] << 8) | bytes[at + 8]];
      frame = { height, width, process: marker - 0xc0, precision: bytes[at + 4], components: bytes[at + 9] };
      names = String.fromCharCode(bytes[at + 10], bytes[at + 13], bytes[at + 16]);
    }
    if (marker === DNL && at + 5 < bytes.length) lines = (bytes[at + 4] << 8) | bytes[at + 5];
    if (marker === APP0 && begins(bytes, at + 4, 'JFIF\0')) isJfif = true;
    if (marker === APP1 && begins(bytes, at + 4, 'Exif\0\0'))
      orientation = exifOrientation(segmentAt(bytes, at).subarray(6));
    if (marker === APP14 && begins(bytes, at + 4, 'Adobe')) transform = segmentAt(bytes, at)[11] ?? null;
    if (marker === SOS && ++scans > MOST_SCANS) throw new Error(`the JPEG has more than ${MOST_SCANS} scans`);
    at += 2 + ((bytes[at + 2] << 8) | bytes[at + 3]);
    if (marker === SOS) at = afterScan(bytes, at);
  }
  if (!frame) throw new Error('the JPEG has no frame header');
  // As libjpeg decides: JFIF is always luma and chroma, then Adobe's segment counts, then the names of the components.
  const isRgb = !isJfif && (transform === null ? names === 'RGB' : transform === 0);
  return { ...frame, height: frame.height || lines, isRgb, orientation };
}

const begins = (bytes: Uint8Array, at: number, text: string) =>
  [...text].every((letter, i) => bytes[at + i] === letter.charCodeAt(0));

/** What the segment of the marker at `at` holds behind its length. */
const segmentAt = (bytes: Uint8Array, at: number) =>
  bytes.subarray(at + 4, at + 2 + Math.max(2, (bytes[at + 2] << 8) | bytes[at + 3]));

/** Where the next marker stands: in a scan 0xff is followed by 0 or a restart. */
function afterScan(bytes: Uint8Array, from: number): number {
  for (let at = bytes.indexOf(0xff, from); at >= 0 && at + 1 < bytes.length; at = bytes.indexOf(0xff, at + 1))
    if (bytes[at + 1] !== 0 && !isRestart(bytes[at + 1])) return at;
  return bytes.length;
}
