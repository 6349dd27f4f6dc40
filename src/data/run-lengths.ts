/** DICOM's RLE (PS3.5, Annex G): a table of up to 15 offsets, then PackBits segments, one a byte of the value, most significant first. */
import type { FrameShape } from './dicom-frames.ts';

export function runLengths(frame: Uint8Array, { height, width, allocated }: FrameShape): Uint16Array {
  const count = height * width;
  const planes = allocated / 8;
  if (frame.length < 64) throw new Error(`${frame.length} bytes are shorter than the table of segments`);
  const table = new DataView(frame.buffer, frame.byteOffset, 64);
  const segments = table.getUint32(0, true);
  if (segments !== planes) throw new Error(`${segments} segments for ${planes} byte(s) a value`);
  const values = new Uint16Array(count);
  for (let plane = 0; plane < planes; plane++) {
    const begin = table.getUint32(4 + 4 * plane, true);
    const end = plane + 1 < planes ? table.getUint32(8 + 4 * plane, true) : frame.length;
    if (begin < 64 || begin > end || end > frame.length) throw new Error(`segment ${plane} lies outside the frame`);
    const bytes = unpackBits(frame.subarray(begin, end), count);
    const shift = 8 * (planes - 1 - plane);
    for (let i = 0; i < count; i++) values[i] |= bytes[i] << shift;
  }
  return values;
}

function unpackBits(packed: Uint8Array, count: number): Uint8Array {
  const bytes = new Uint8Array(count);
  let to = 0;
  for (let at = 0; to < count; ) {
    if (at >= packed.length) throw new Error(`a segment holds ${to} of ${count} bytes`);
    const control = packed[at++];
    if (control === 128) continue;
    const length = control < 128 ? control + 1 : 257 - control;
    const end = Math.min(count, to + length);
    if (control < 128) {
      if (at + length > packed.length) throw new Error(`a segment holds ${to} of ${count} bytes`);
      bytes.set(packed.subarray(at, at + end - to), to);
      at += length;
    } else {
      if (at >= packed.length) throw new Error(`a segment holds ${to} of ${count} bytes`);
      bytes.fill(packed[at++], to, end);
    }
    to = end;
  }
  return bytes;
}
