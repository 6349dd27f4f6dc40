/**
 * What of a PNG a decoder may see. Deflate packs a gigabyte into a megabyte, in the pixels, a colour profile or a text alike, and a decoder
 * unpacks all of it before it looks: so the pixels are counted first, in a stream, and every chunk that is no pixels stays away.
 */

/** Samples of a pixel and bits of a sample by colour type (PNG 11.2.2, table 11.1). */
const COLOUR_TYPES: Readonly<Record<number, { readonly channels: number; readonly depths: readonly number[] }>> = {
  0: { channels: 1, depths: [1, 2, 4, 8, 16] },
  2: { channels: 3, depths: [8, 16] },
  3: { channels: 1, depths: [1, 2, 4, 8] },
  4: { channels: 2, depths: [8, 16] },
  6: { channels: 4, depths: [8, 16] },
};
const NEEDED = new Set(['IHDR', 'PLTE', 'IDAT', 'IEND']);
const COLOUR_SPACES = new Set(['gAMA', 'cHRM', 'iCCP', 'sRGB', 'cICP']);
const SIGNATURE = 8;
/** Length, name and checksum. */
const FRAME = 12;
/** First column, first row and steps of the seven passes of an interlaced picture (PNG 8.2). */
const ADAM7 = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
] as const;

export interface PngParts {
  /** The same picture without ancillary chunks. */
  readonly png: Uint8Array;
  readonly depth: number;
  readonly isInterlaced: boolean;
  /** The data of tRNS: samples of 16 bits, or an opacity for each colour of the palette. */
  readonly transparency: Uint8Array | null;
  /** The data of eXIf: a TIFF header and its directories. */
  readonly exif: Uint8Array | null;
  readonly colourSpaces: readonly string[];
  readonly isAnimated: boolean;
}

/** @throws Error, a clause, for headers that no PNG has and for pixels that unpack to another size than the header announces */
export async function pngParts(bytes: Uint8Array): Promise<PngParts> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const kept: Uint8Array<ArrayBuffer>[] = [bytes.slice(0, SIGNATURE)];
  const packed: Uint8Array<ArrayBuffer>[] = [];
  const colourSpaces: string[] = [];
  let [transparency, exif]: (Uint8Array | null)[] = [null, null];
  let isAnimated = false;
  let hasHeader = false;
  for (let at = SIGNATURE; at + FRAME <= bytes.length; ) {
    const length = view.getUint32(at);
    const name = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    if (at + FRAME + length > bytes.length) throw new Error(`the chunk ${JSON.stringify(name)} is cut short`);
    const data = bytes.subarray(at + 8, at + 8 + length);
    if (name === 'IHDR' && hasHeader) throw new Error('it has a second header');
    hasHeader ||= name === 'IHDR';
    if (NEEDED.has(name)) kept.push(bytes.slice(at, at + FRAME + length));
    if (name === 'IDAT') packed.push(data.slice());
    if (name === 'tRNS') transparency = data;
    if (name === 'eXIf') exif = data;
    if (name === 'acTL') isAnimated = true;
    if (COLOUR_SPACES.has(name)) colourSpaces.push(name);
    at += FRAME + length;
    if (name === 'IEND') break; // what follows is no part of the picture
  }
  const [width, height, depth, type, interlace] = [
    view.getUint32(16),
    view.getUint32(20),
    bytes[24],
    bytes[25],
    bytes[28],
  ];
  const { channels, depths } = COLOUR_TYPES[type] ?? {};
  if (!channels) throw new Error(`colour type ${type} is none`);
  if (!depths!.includes(depth)) throw new Error(`colour type ${type} with ${depth} bits is none`);
  const row = (columns: number) => (columns === 0 ? 0 : 1 + Math.ceil((columns * channels * depth) / 8));
  const isInterlaced = interlace !== 0;
  const size = isInterlaced
    ? ADAM7.reduce((sum, [x, y, across, down]) => {
        const rows = Math.max(0, Math.ceil((height - y) / down));
        return sum + rows * row(Math.max(0, Math.ceil((width - x) / across)));
      }, 0)
    : row(width) * height;
  await unpacksTo(packed, size);
  const png = new Uint8Array(await new Blob(kept).arrayBuffer());
  return { png, depth, isInterlaced, transparency, exif, colourSpaces, isAnimated };
}

/** Bytes behind the pixels that are no harm. */
const SPARE = 64;

async function unpacksTo(packed: readonly Uint8Array<ArrayBuffer>[], size: number): Promise<void> {
  const stream = new Blob([...packed]).stream().pipeThrough(new DecompressionStream('deflate'));
  const reader = stream.getReader();
  let bytes = 0;
  for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
    bytes += piece.value.length;
    if (bytes > size + SPARE) {
      await reader.cancel().catch(() => {});
      throw new Error(`its pixels unpack to more than ${size + SPARE} bytes`);
    }
  }
  if (bytes < size) throw new Error(`its pixels unpack to ${bytes} bytes, ${size} are announced`);
}
