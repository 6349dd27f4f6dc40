/** PNG of every colour type and depth: right values, luminance, or a refusal. */
import { expect, it } from 'vitest';
import { readFilm } from '../../src/data/film-file.ts';
import { type TestPng, writePng } from '../support/png-writer.ts';

const [height, width] = [11, 13];
const count = height * width;

function noise(bits: number, length: number, seed = 7): number[] {
  let state = seed;
  return Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state >>> (32 - bits);
  });
}

const luma = (r: number, g: number, b: number) => Math.round(0.2126 * r + 0.7152 * g + 0.0722 * b);
const read = async (png: TestPng) => readFilm('a.png', await writePng(png));
const valuesOf = async (png: TestPng) => [...(await read(png)).details.values()];
const refusal = (png: TestPng) =>
  read(png).then(
    () => 'read',
    ({ message }: Error) => message,
  );
const grey = (depth: number): TestPng => ({ height, width, depth, type: 0, samples: noise(depth, count) });

it('reads grey of 1 to 16 bits, interlaced or not', async () => {
  for (const depth of [1, 2, 4, 8, 16]) {
    const png = grey(depth);
    const film = await read(png);
    expect([...film.details.values()], `${depth} bits`).toEqual(png.samples);
    expect([...film.pixels]).toEqual(png.samples);
    expect([film.bits, film.details.kind, film.details.ignored]).toEqual([depth, 'PNG', []]);
    const interlaced = { ...png, isInterlaced: true };
    if (depth >= 8) expect(await valuesOf(interlaced), `${depth} bits`).toEqual(png.samples);
    else expect(await refusal(interlaced)).toMatch(/interlaced pixels of \d bits are not read/);
  }
});

it('turns colour to luminance and keeps grey that is stored as colour', async () => {
  for (const depth of [8, 16])
    for (const isInterlaced of [false, true])
      for (const alpha of [false, true]) {
        const opaque = alpha ? [2 ** depth - 1] : [];
        const [r, g, b] = [1, 2, 3].map((seed) => noise(depth, count, seed));
        const png = { height, width, depth, isInterlaced, type: alpha ? (6 as const) : (2 as const) };
        const colour = await read({ ...png, samples: r.flatMap((red, i) => [red, g[i], b[i], ...opaque]) });
        expect([...colour.details.values()]).toEqual(r.map((red, i) => luma(red, g[i], b[i])));
        expect(colour.details.ignored).toEqual(['colour (turned to luminance, Rec. 709)']);
        const plain = await read({ ...png, samples: r.flatMap((red) => [red, red, red, ...opaque]) });
        expect([...plain.details.values()]).toEqual(r);
        expect(plain.details.ignored).toEqual([]);
      }
});

it('reads grey with an alpha that is opaque everywhere, and refuses any other', async () => {
  for (const depth of [8, 16]) {
    const values = noise(depth, count);
    const opaque = 2 ** depth - 1;
    const png: TestPng = { height, width, depth, type: 4, samples: values.flatMap((value) => [value, opaque]) };
    expect(await valuesOf(png)).toEqual(values);
    for (const alpha of [0, 1, opaque - 1]) {
      const samples = [...png.samples];
      samples[2 * (3 * width + 5) + 1] = alpha;
      expect(await refusal({ ...png, samples })).toMatch(/pixel 5, 3 is not opaque/);
    }
  }
});

it('reads palettes of 1 to 8 bits by their colours', async () => {
  for (const depth of [1, 2, 4, 8]) {
    const colours = noise(8, 3 * 2 ** depth);
    const palette = Array.from(
      { length: 2 ** depth },
      (_, i) => [colours[3 * i], colours[3 * i + 1], colours[3 * i + 2]] as const,
    );
    const samples = noise(depth, count);
    const png: TestPng = { height, width, depth, type: 3, samples, palette };
    const film = await read(png);
    expect([...film.details.values()], `${depth} bits`).toEqual(samples.map((i) => luma(...palette[i])));
    expect(film.bits).toBe(8);
    const greys = palette.map(([r]) => [r, r, r] as const);
    expect(await valuesOf({ ...png, palette: greys })).toEqual(samples.map((i) => palette[i][0]));
    const short = { ...png, palette: palette.slice(0, -1), samples: samples.map(() => palette.length - 1) };
    expect(await refusal(short)).toMatch(new RegExp(`colour ${palette.length - 1} of a palette of`));
    // The opacity of colours, those behind the last of which are opaque.
    const used = Math.min(...samples);
    const opacities = Uint8Array.from({ length: used + 1 }, (_, i) => (i === used ? 128 : 255));
    expect(await refusal({ ...png, chunks: [['tRNS', opacities]] })).toMatch(/is not opaque/);
    expect(await valuesOf({ ...png, chunks: [['tRNS', Uint8Array.of(255)]] })).toHaveLength(count);
  }
});

it('refuses a colour that tRNS makes transparent, and only where it occurs', async () => {
  const key = (...samples: number[]) => Uint8Array.from(samples.flatMap((sample) => [sample >> 8, sample & 255]));
  for (const depth of [1, 2, 4, 8, 16]) {
    const png = grey(depth);
    expect(await refusal({ ...png, chunks: [['tRNS', key(png.samples[20])]] })).toMatch(/is not opaque/);
  }
  const samples = noise(8, count).map((value) => value & 0xfe);
  const png: TestPng = { height, width, depth: 8, type: 0, samples };
  expect(await valuesOf({ ...png, chunks: [['tRNS', key(1)]] })).toEqual(samples);
  const rgb: TestPng = { ...png, type: 2, samples: samples.flatMap((value) => [value, value, value]) };
  expect(await refusal({ ...rgb, chunks: [['tRNS', key(samples[4], samples[4], samples[4])]] })).toMatch(/not opaque/);
  expect(await valuesOf({ ...rgb, chunks: [['tRNS', key(samples[4], 1, samples[4])]] })).toEqual(samples);
});

const exif = (orientation: number) =>
  Uint8Array.from([0x4d, 0x4d, 0, 42, 0, 0, 0, 8, 0, 1, 1, 0x12, 0, 3, 0, 0, 0, 1, 0, orientation, 0, 0, 0, 0, 0, 0]);

it('says what it ignores, and refuses a picture that is stored turned', async () => {
  const png = grey(8);
  const film = await read({
    ...png,
    chunks: [
      ['gAMA', Uint8Array.of(0, 0, 0xb1, 0x8f)],
      ['sRGB', Uint8Array.of(0)],
    ],
  });
  expect(film.details.ignored).toEqual(['colour space (gAMA, sRGB)']);
  expect([...film.details.values()]).toEqual(png.samples);
  const animated = await read({ ...png, chunks: [['acTL', Uint8Array.of(0, 0, 0, 1, 0, 0, 0, 0)]] });
  expect(animated.details.ignored).toEqual(['the frames of an animation after the first']);
  expect(await valuesOf({ ...png, chunks: [['eXIf', exif(1)]] })).toEqual(png.samples);
  for (const orientation of [2, 3, 6, 8])
    expect(await refusal({ ...png, chunks: [['eXIf', exif(orientation)]] })).toMatch(/Exif orientation/);
});

it('reads on with bytes behind the picture, and refuses pixels that are missing or damaged', async () => {
  const png = grey(8);
  expect(await valuesOf({ ...png, trailing: Uint8Array.of(1, 2, 3) })).toEqual(png.samples);
  for (const depth of [1, 8, 16])
    for (const missing of [1, width, 3 * width])
      expect(await refusal({ ...grey(depth), missing })).toMatch(/^a\.png: .*unpack to \d+ bytes, \d+ are announced/);
  const coloured = await writePng({ ...png, type: 3, samples: png.samples.map(() => 0), palette: [[10, 20, 30]] });
  coloured[43] ^= 1; // a colour of the palette, which only its checksum protects
  await expect(readFilm('a.png', coloured)).rejects.toThrow(/CRC mismatch for chunk PLTE/);
  const whole = await writePng(png);
  for (const at of [18, 22, 60, whole.length - 20]) {
    const damaged = whole.slice();
    damaged[at] ^= 4;
    await expect(readFilm('a.png', damaged)).rejects.toThrow(/^a\.png: the (PNG cannot be read|film says)/);
  }
  for (const [type, depth] of [
    [2, 4],
    [3, 16],
    [0, 3],
    [5, 8],
  ]) {
    const wrong = { ...png, type: 0 as const };
    const bytes = await writePng(wrong);
    bytes[24] = depth;
    bytes[25] = type;
    await expect(readFilm('a.png', bytes)).rejects.toThrow(/colour type \d/);
  }
});
