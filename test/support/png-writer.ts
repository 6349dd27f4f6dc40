/** PNG files chunk by chunk, right and wrong ones: every colour type, depth and interlacing, with ancillary chunks (PNG, third edition). */

export interface TestPng {
  readonly height: number;
  readonly width: number;
  readonly depth: number;
  /** 0 grey, 2 RGB, 3 palette, 4 grey and alpha, 6 RGB and alpha. */
  readonly type: 0 | 2 | 3 | 4 | 6;
  /** Samples of every pixel, row by row. */
  readonly samples: readonly number[];
  readonly palette?: readonly (readonly [number, number, number])[];
  readonly isInterlaced?: boolean;
  /** Between IHDR and IDAT. */
  readonly chunks?: readonly (readonly [name: string, data: Uint8Array])[];
  /** Bytes of the unpacked pixels that are left out at their end. */
  readonly missing?: number;
  readonly trailing?: Uint8Array;
}

const CHANNELS = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 } as const;
const PASSES = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
];

function crc(bytes: readonly number[]): number {
  let value = 0xffffffff;
  for (const byte of bytes) {
    value ^= byte;
    for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  }
  return ~value >>> 0;
}

const word = (value: number) => [value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255];

function chunk(name: string, data: ArrayLike<number>): number[] {
  const body = [...[...name].map((letter) => letter.charCodeAt(0)), ...Array.from(data)];
  return [...word(data.length), ...body, ...word(crc(body))];
}

async function deflate(bytes: readonly number[]): Promise<Uint8Array> {
  const stream = new Blob([Uint8Array.from(bytes)]).stream().pipeThrough(new CompressionStream('deflate'));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** A row of samples, packed, the first in the highest bits. */
function packed(samples: readonly number[], depth: number): number[] {
  if (depth === 16) return samples.flatMap((sample) => [sample >> 8, sample & 255]);
  const bytes = Array<number>(Math.ceil((samples.length * depth) / 8)).fill(0);
  samples.forEach((sample, i) => {
    const bit = i * depth;
    bytes[bit >> 3] |= sample << (8 - depth - (bit & 7));
  });
  return bytes;
}

/** Each row with another of the five filters (PNG 9.2). */
function filtered(rows: readonly (readonly number[])[], step: number): number[] {
  return rows.flatMap((row, y) => {
    const filter = y % 5;
    const at = (line: readonly number[] | undefined, x: number) => line?.[x] ?? 0;
    return [
      filter,
      ...row.map((value, x) => {
        const [a, b, c] = [at(row, x - step), at(rows[y - 1], x), at(rows[y - 1], x - step)];
        const p = a + b - c;
        const [pa, pb, pc] = [Math.abs(p - a), Math.abs(p - b), Math.abs(p - c)];
        const paeth = pa <= pb && pa <= pc ? a : pb <= pc ? b : c;
        return (value - [0, a, b, (a + b) >> 1, paeth][filter]) & 255;
      }),
    ];
  });
}

export async function writePng(png: TestPng): Promise<Uint8Array<ArrayBuffer>> {
  const { height, width, depth, type, samples, palette, isInterlaced = false, chunks = [], missing = 0 } = png;
  const channels = CHANNELS[type];
  const step = Math.max(1, (channels * depth) >> 3);
  const pixel = (row: number, column: number) =>
    samples.slice((row * width + column) * channels, (row * width + column + 1) * channels);
  const pass = ([x, y, across, down]: readonly number[]) => {
    const rows: number[][] = [];
    for (let row = y; row < height; row += down) {
      const line: number[] = [];
      for (let column = x; column < width; column += across) line.push(...pixel(row, column));
      if (line.length > 0) rows.push(packed(line, depth));
    }
    return filtered(rows, step);
  };
  const raw = isInterlaced ? PASSES.flatMap(pass) : pass([0, 0, 1, 1]);
  const pixels = await deflate(raw.slice(0, raw.length - missing));
  const half = pixels.length >> 1; // pixels may lie in several chunks
  return Uint8Array.from([
    ...[0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a],
    ...chunk('IHDR', [...word(width), ...word(height), depth, type, 0, 0, isInterlaced ? 1 : 0]),
    ...(palette ? chunk('PLTE', palette.flat()) : []),
    ...chunks.flatMap(([name, data]) => chunk(name, data)),
    ...chunk('IDAT', pixels.subarray(0, half)),
    ...chunk('IDAT', pixels.subarray(half)),
    ...chunk('IEND', []),
    ...(png.trailing ?? []),
  ]);
}
