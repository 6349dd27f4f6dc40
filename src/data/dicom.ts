/**
 * One grey picture out of a DICOM file (PS3.5, PS3.10): implicit and explicit, little and big endian, 8 to 16 bits, and through decoders that
 * are loaded when a file needs them RLE, JPEG baseline, JPEG lossless and JPEG 2000. Runs in Node and in browsers.
 *
 * Nothing is allocated on the word of a header: sizes are limited first and compared with the bytes that are there.
 */
import { contradiction, ignored, windowOf } from './dicom-display.ts';
import { type DicomElements, type DicomFile, openDicom } from './dicom-elements.ts';
import { decodeFrame, isCompressed } from './dicom-frames.ts';
import {
  EXPLICIT_BIG,
  EXPLICIT_LITTLE,
  IMPLICIT_LITTLE,
  isUncompressed,
  syntaxName,
  unreadSyntax,
} from './dicom-syntax.ts';
import { filmOfFrame, type StoredFormat } from './dicom-values.ts';
import type { Film, FilmDetails } from './film.ts';
import { checkFilmSize } from './film-size.ts';
import { type Luminance, luminance } from './luminance.ts';
import { LUMINANCE } from './plain-film.ts';

const TAG = {
  samples: 0x00280002,
  photometric: 0x00280004,
  planar: 0x00280006,
  frames: 0x00280008,
  rows: 0x00280010,
  columns: 0x00280011,
  allocated: 0x00280100,
  stored: 0x00280101,
  highBit: 0x00280102,
  signed: 0x00280103,
  padding: 0x00280120,
  paddingLimit: 0x00280121,
  intercept: 0x00281052,
  slope: 0x00281053,
  modalityTable: 0x00283000,
  functionalGroups: 0x52009229,
  floatPixels: 0x7fe00008,
  doublePixels: 0x7fe00009,
  pixels: 0x7fe00010,
} as const;

/** @throws Error, one sentence that begins with `name` */
export async function readDicom(name: string, bytes: Uint8Array): Promise<Film> {
  const { syntax, elements } = opened(name, bytes);
  const need = (tag: number, what: string): number => {
    const value = elements.uint16(tag);
    if (value === undefined) throw new Error(`${name}: the DICOM has no ${what}, so its pixels cannot be read.`);
    return value;
  };
  const pixels = elements.get(TAG.pixels);
  if (!pixels) throw new Error(`${name}: the DICOM holds no pixel data${otherContents(elements)}.`);
  const [height, width] = [need(TAG.rows, 'Rows (0028,0010)'), need(TAG.columns, 'Columns (0028,0011)')];
  checkFilmSize(name, height, width);
  const format = storedFormat(name, elements, height, width);
  const samples = elements.uint16(TAG.samples) ?? 1;
  const photometric = elements.text(TAG.photometric) ?? '';
  checkGrey(name, elements, samples, photometric, format.allocated);
  const uid = syntax ?? encodedAs(elements);
  if (!isUncompressed(uid) && !isCompressed(uid)) throw unreadSyntax(name, uid);
  const wantsItems = isCompressed(uid);
  const hasItems = (pixels.length === null || wantsItems) && elements.hasItems(pixels);
  if (wantsItems !== hasItems)
    throw new Error(
      `${name}: the transfer syntax says ${syntaxName(uid)}, but its pixel data are ${hasItems ? 'encapsulated' : `not encapsulated (${pixels.length ?? 'an unknown number of'} bytes)`}; the program that wrote it contradicts itself, so export the picture again.`,
    );
  if (wantsItems && samples !== 1)
    throw new Error(
      `${name}: its pixels are compressed colour (${syntaxName(uid)}), which is not read; save the picture as MONOCHROME2 or as a PNG.`,
    );
  const frame = wantsItems
    ? await decodeFrame(name, uid, joined(elements.items(pixels).slice(1)), format)
    : rawFrame(name, elements, samples, format);
  const { values, isColour } =
    samples === 3 ? colourFrame(frame, format, elements.uint16(TAG.planar) === 1) : { values: frame, isColour: false };
  return filmOfFrame(values, format, {
    kind: 'DICOM',
    photometric,
    allocated: format.allocated,
    highBit: format.highBit,
    signed: format.signed,
    transferSyntax: { uid, name: syntaxName(uid) + (syntax === null ? ', not stated by the file' : '') },
    rescale: format.rescale,
    padding: format.padding && paddingValues(format.padding, format),
    window: windowOf(elements),
    ignored: [...contradiction(elements, uid), ...ignored(elements, photometric), ...(isColour ? [LUMINANCE] : [])],
  });
}

function opened(name: string, bytes: Uint8Array): DicomFile {
  try {
    return openDicom(bytes, (uid) => {
      if (!isUncompressed(uid) && !isCompressed(uid)) throw unreadSyntax(name, uid);
    });
  } catch (error) {
    const { message } = error as Error;
    if (message.startsWith(`${name}: `)) throw error;
    throw new Error(`${name}: the file cannot be read as DICOM: ${message}.`);
  }
}

/** Of a file that does not state its transfer syntax: encapsulated pixels could be anything, and are not read. */
const encodedAs = ({ encoding: { explicit, littleEndian } }: DicomElements): string =>
  explicit ? (littleEndian ? EXPLICIT_LITTLE : EXPLICIT_BIG) : IMPLICIT_LITTLE;

function otherContents(elements: DicomElements): string {
  if (elements.has(TAG.floatPixels) || elements.has(TAG.doublePixels))
    return ' of integers but floating-point pixels, which are not read';
  const modality = elements.text(0x00080060);
  return modality ? ` (its modality is ${modality})` : '';
}

function storedFormat(name: string, elements: DicomElements, height: number, width: number): StoredFormat {
  const allocated = elements.uint16(TAG.allocated);
  const stored = elements.uint16(TAG.stored) ?? allocated;
  if (allocated === undefined || stored === undefined)
    throw new Error(`${name}: the DICOM has no Bits Allocated (0028,0100), so its pixels cannot be read.`);
  const highBit = elements.uint16(TAG.highBit) ?? stored - 1;
  if ((allocated !== 8 && allocated !== 16) || stored > allocated || stored < 1)
    throw new Error(`${name}: ${stored} of ${allocated} bits are stored; films of 8 or 16 allocated bits are read.`);
  if (highBit < stored - 1 || highBit >= allocated)
    throw new Error(
      `${name}: the high bit is ${highBit}, where ${stored} of ${allocated} bits are stored; it lies from ${stored - 1} to ${allocated - 1}.`,
    );
  if (elements.has(TAG.modalityTable))
    throw new Error(
      `${name}: the values go through a Modality LUT (0028,3000), which is not read; export the picture with rescale slope and intercept.`,
    );
  if (elements.has(TAG.functionalGroups))
    throw new Error(
      `${name}: its rescale lies in functional groups (5200,9229), as in enhanced multi-frame images, which are not read; export the picture as a single-frame image.`,
    );
  const signed = elements.uint16(TAG.signed) === 1;
  const padding = elements.uint16(TAG.padding);
  const inverted = elements.text(TAG.photometric) === 'MONOCHROME1';
  return {
    height,
    width,
    allocated,
    stored,
    highBit,
    signed,
    inverted,
    rescale: rescaleOf(name, elements),
    padding: padding === undefined ? null : [padding, elements.uint16(TAG.paddingLimit) ?? padding],
  };
}

/** Beyond it, arithmetic in doubles would lose steps of the stored values. */
const LARGEST_RESCALE = 1e9;

function rescaleOf(name: string, elements: DicomElements): FilmDetails['rescale'] {
  const [slope, intercept] = [elements.number(TAG.slope), elements.number(TAG.intercept)];
  if (slope === undefined && intercept === undefined) return null;
  const rescale = { slope: slope ?? 1, intercept: intercept ?? 0 };
  // Written so that NaN and infinity are outside, too.
  const isWithin = (value: number) => Math.abs(value) <= LARGEST_RESCALE;
  if (!isWithin(1 / rescale.slope) || !isWithin(rescale.slope) || !isWithin(rescale.intercept / rescale.slope))
    throw new Error(
      `${name}: the rescale slope is ${elements.text(TAG.slope) || 'missing'} and the intercept ${elements.text(TAG.intercept) || 'missing'}; a slope other than 0 and numbers of up to ${LARGEST_RESCALE} are read.`,
    );
  return rescale;
}

function checkGrey(
  name: string,
  elements: DicomElements,
  samples: number,
  photometric: string,
  allocated: number,
): void {
  const frames = elements.number(TAG.frames) ?? 1;
  // 0 stands in files of a single frame.
  if (Number.isNaN(frames) || frames > 1)
    throw new Error(`${name}: it has ${elements.text(TAG.frames)} frames; one is read. Export a single frame.`);
  if (samples === 1 && /^MONOCHROME[12]$/.test(photometric)) return;
  if (samples === 3 && photometric === 'RGB' && allocated === 8) return;
  throw new Error(
    `${name}: a pixel has ${samples} sample(s) of ${allocated} bits, ${photometric || 'without a photometric interpretation'}; MONOCHROME1, MONOCHROME2 and RGB of 8 bits are read.`,
  );
}

function rawFrame(name: string, elements: DicomElements, samples: number, shape: StoredFormat): Uint16Array {
  const { bytes, encoding } = elements;
  const { offset, vr, ...element } = elements.get(TAG.pixels)!;
  const count = shape.height * shape.width * samples;
  const wanted = (count * shape.allocated) / 8;
  const there = bytes.length - offset;
  const length = element.length ?? there; // undefined without items: they are all that follows
  if (length < wanted || there < wanted)
    throw new Error(
      `${name}: ${shape.height} x ${shape.width} pixels need ${wanted} bytes, ${element.length !== null && length < wanted ? `its pixel data have ${length}` : `the file ends after ${there} of them: it is not whole, so copy it again`}.`,
    );
  const view = new DataView(bytes.buffer, bytes.byteOffset + offset);
  const values = new Uint16Array(count);
  if (shape.allocated === 16) for (let i = 0; i < count; i++) values[i] = view.getUint16(2 * i, encoding.littleEndian);
  else {
    // In big endian, bytes that are words (OW) stand in pairs the other way around (PS3.5, 8.1.1 and annex A.3).
    const turned = !encoding.littleEndian && vr === 'OW' ? 1 : 0;
    for (let i = 0; i < count; i++) values[i] = offset + (i ^ turned) < bytes.length ? view.getUint8(i ^ turned) : 0;
  }
  return values;
}

/** RGB, pixel by pixel or plane by plane (PlanarConfiguration 1), of 8 bits. */
function colourFrame(frame: Uint16Array, { height, width }: StoredFormat, isPlanar: boolean): Luminance {
  const count = height * width;
  return luminance(count, (i, c) => (isPlanar ? frame[c * count + i] : frame[3 * i + c]));
}

function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

function paddingValues(padding: readonly [number, number], { signed }: StoredFormat): readonly [number, number] {
  const [from, to] = padding.map((value) => (signed && value >= 32768 ? value - 65536 : value)).sort((a, b) => a - b);
  return [from, to];
}
