/**
 * What of a PNG a decoder may see. Deflate packs a gigabyte into a megabyte, in the pixels, a colour profile or a text alike, and a decoder
 * unpacks all of it before it looks: so the pixels are counted first, in a stream, and every chunk that is no pixels stays away.
 */

/** Samples of a pixel by colour type (PNG 11.2.2). */
const CHANNELS: Readonly<Record<number, number>> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };
const NEEDED = new Set(['IHDR', 'PLTE', 'IDAT', 'IEND']);
const SIGNATURE = 8;
/** Length, name and checksum. */
const FRAME = 12;

/** The same picture without ancillary chunks. @throws Error, a clause, when its pixels unpack to more than the header announces */
export async function pixelsOnly(bytes: Uint8Array): Promise<Uint8Array> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const kept: Uint8Array<ArrayBuffer>[] = [bytes.slice(0, SIGNATURE)];
  const packed: Uint8Array<ArrayBuffer>[] = [];
  let hasHeader = false;
  for (let at = SIGNATURE; at + FRAME <= bytes.length; ) {
    const length = view.getUint32(at);
    const name = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    if (at + FRAME + length > bytes.length) throw new Error(`the chunk ${JSON.stringify(name)} is cut short`);
    if (name === 'IHDR' && hasHeader) throw new Error('it has a second header');
    hasHeader ||= name === 'IHDR';
    if (NEEDED.has(name)) kept.push(bytes.slice(at, at + FRAME + length));
    if (name === 'IDAT') packed.push(bytes.slice(at + 8, at + 8 + length));
    at += FRAME + length;
  }
  const channels = CHANNELS[bytes[25]];
  if (!channels) throw new Error(`colour type ${bytes[25]} is none`);
  const row = 1 + Math.ceil((view.getUint32(16) * channels * bytes[24]) / 8);
  // Interlaced rows are more and shorter: their filter bytes never double the whole.
  await unpacksTo(packed, 2 * row * view.getUint32(20) + 64);
  return new Uint8Array(await new Blob(kept).arrayBuffer());
}

async function unpacksTo(packed: readonly Uint8Array<ArrayBuffer>[], most: number): Promise<void> {
  const stream = new Blob([...packed]).stream().pipeThrough(new DecompressionStream('deflate'));
  const reader = stream.getReader();
  let bytes = 0;
  for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
    bytes += piece.value.length;
    if (bytes > most) {
      await reader.cancel().catch(() => {});
      throw new Error(`its pixels unpack to more than ${most} bytes`);
    }
  }
}
