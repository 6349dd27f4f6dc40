/** A minimal DICOM file (PS3.10) of one grey film: for the invented example and for tests of the reader. */

export interface DicomFilm {
  readonly height: number;
  readonly width: number;
  readonly bits: number;
  readonly allocated: 8 | 16;
  readonly photometric: 'MONOCHROME1' | 'MONOCHROME2';
  readonly signed?: boolean;
  /** explicit, implicit, or the UID of a compressed syntax whose one frame `pixels` is. */
  readonly syntax?: string;
  /** Little-endian values, or a compressed frame. */
  readonly pixels: Uint8Array;
}

export const IMPLICIT = '1.2.840.10008.1.2';
export const EXPLICIT = '1.2.840.10008.1.2.1';
const LONG_LENGTH = new Set(['OB', 'OW']);

export function writeDicom(film: DicomFilm): Uint8Array<ArrayBuffer> {
  const { height, width, bits, allocated, photometric, signed = false, syntax = EXPLICIT, pixels } = film;
  const compressed = syntax !== EXPLICIT && syntax !== IMPLICIT;
  const parts: Uint8Array[] = [];
  const element = (tag: number, vr: string, value: Uint8Array, { implicit = false, length = value.length } = {}) => {
    const head = new DataView(new ArrayBuffer(12));
    head.setUint16(0, tag >>> 16, true);
    head.setUint16(2, tag & 0xffff, true);
    let size = 8;
    if (implicit) head.setUint32(4, length, true);
    else {
      head.setUint8(4, vr.charCodeAt(0));
      head.setUint8(5, vr.charCodeAt(1));
      if (LONG_LENGTH.has(vr)) {
        head.setUint32(8, length, true);
        size = 12;
      } else head.setUint16(6, length, true);
    }
    parts.push(new Uint8Array(head.buffer, 0, size), value);
  };
  const text = (value: string, pad = ' ') => new TextEncoder().encode(value.length % 2 ? value + pad : value);
  const word = (value: number) => Uint8Array.of(value & 255, value >>> 8);

  element(0x00020010, 'UI', text(syntax, '\0'));
  const meta = joined(parts.splice(0));
  const count = new Uint8Array(4);
  new DataView(count.buffer).setUint32(0, meta.length, true);
  element(0x00020000, 'UL', count);
  parts.push(meta);
  const options = { implicit: syntax === IMPLICIT };
  element(0x00280002, 'US', word(1), options);
  element(0x00280004, 'CS', text(photometric), options);
  element(0x00280010, 'US', word(height), options);
  element(0x00280011, 'US', word(width), options);
  element(0x00280100, 'US', word(allocated), options);
  element(0x00280101, 'US', word(bits), options);
  element(0x00280102, 'US', word(bits - 1), options);
  element(0x00280103, 'US', word(signed ? 1 : 0), options);
  const even = pixels.length % 2 ? joined([pixels, Uint8Array.of(0)]) : pixels;
  if (!compressed) element(0x7fe00010, allocated === 8 ? 'OB' : 'OW', even, options);
  else {
    const item = (tag: number, length: number) => {
      const head = new DataView(new ArrayBuffer(8));
      head.setUint16(0, 0xfffe, true);
      head.setUint16(2, tag, true);
      head.setUint32(4, length, true);
      return new Uint8Array(head.buffer);
    };
    const value = joined([item(0xe000, 0), item(0xe000, even.length), even, item(0xe0dd, 0)]);
    element(0x7fe00010, 'OB', value, { length: 0xffffffff });
  }
  return joined([new Uint8Array(128), text('DICM'), ...parts]);
}

function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
