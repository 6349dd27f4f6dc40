/** Stored bits to modality values to what is shown: high bits, signs, rescale, padding, polarity, byte orders, colour; each against plain arithmetic. */
import { expect, it } from 'vitest';
import { type Film, windowedFilm } from '../../src/data/film.ts';
import { readFilm } from '../../src/data/film-file.ts';
import { ascii, attribute, dicomFile, type TestElement, type TestFile, UID, words } from '../support/dicom-file.ts';

const [height, width] = [8, 12];
const count = height * width;
/** Noise of `bits` bits with both ends in it. */
function noise(bits: number, seed = 1): number[] {
  let state = seed;
  const list = Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state >>> (32 - bits);
  });
  [list[3], list[17]] = [0, 2 ** bits - 1];
  return list;
}
const base: TestFile = { height, width, pixels: new Uint8Array(0) };
const read = (file: Partial<TestFile>) => readFilm('a.dcm', dicomFile({ ...base, ...file }));
const valuesOf = (film: Film) => [...film.details.values()];
const decimal = (tag: number, value: number | string) => attribute(tag, 'DS', ascii(String(value)));
const rescaled = (slope: number, intercept: number) => ({
  ...decimal(0x00281053, slope),
  ...decimal(0x00281052, intercept),
});
const padded = (value: number, limit = value): Record<number, TestElement> => ({
  ...attribute(0x00280120, 'US', words([value])),
  ...(limit !== value && attribute(0x00280121, 'US', words([limit]))),
});
const shown = (film: Film) => [...film.pixels].map((value) => (film.inverted ? film.range - value : value));
/** What a network sees, which divides by the largest value. */
const contrast = (film: Film) => {
  const values = shown(film);
  const largest = Math.max(...values);
  return values.map((value) => value / largest);
};

it('takes the stored bits from below the high bit, whatever lies around them, signed or not, in both byte orders', async () => {
  for (const allocated of [8, 16])
    for (let stored = 1; stored <= allocated; stored++)
      for (let highBit = stored - 1; highBit < allocated; highBit++)
        for (const signed of [false, true]) {
          const values = noise(stored);
          const around = noise(allocated, 99);
          const shift = highBit + 1 - stored;
          const mask = (2 ** stored - 1) << shift;
          const raw = values.map((value, i) => (around[i] & ~mask) | (value << shift));
          const want = values.map((value) => (signed && value >= 2 ** (stored - 1) ? value - 2 ** stored : value));
          const what = `${stored} of ${allocated}, high bit ${highBit}, ${signed ? 'signed' : 'unsigned'}`;
          for (const littleEndian of [true, false]) {
            const pixels = allocated === 8 ? Uint8Array.from(raw) : words(raw, littleEndian);
            const syntax = littleEndian ? UID.explicit : UID.big;
            const film = await read({ allocated, stored, highBit, signed, pixels, syntax });
            expect(valuesOf(film), what).toEqual(want);
            const least = Math.min(0, ...want);
            expect(film.pixels, what).toEqual(Uint16Array.from(want, (value) => value - least));
            expect([film.bits, film.details.highBit, film.details.signed]).toEqual([stored, highBit, signed]);
          }
        }
});

it('reads big-endian bytes that stand in words', async () => {
  const values = noise(8);
  const turned = Uint8Array.from(values, (_, i) => values[i ^ 1]);
  const film = await read({ allocated: 8, stored: 8, pixels: turned, pixelVr: 'OW', syntax: UID.big });
  expect(valuesOf(film)).toEqual(values);
});

it('reads an odd number of bytes, padded or not', async () => {
  const bytes = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9);
  const file = { height: 3, width: 3, allocated: 8, stored: 8 };
  for (const pixels of [bytes, Uint8Array.of(...bytes, 0)])
    for (const syntax of [UID.explicit, UID.implicit])
      expect(valuesOf(await read({ ...file, syntax, pixels }))).toEqual([...bytes]);
});

it('shows the same picture with the same contrast, however it is stored', async () => {
  const values = noise(12);
  const plain = await read({ pixels: words(values) });
  const twins: Partial<TestFile>[] = [
    { stored: 16, pixels: words(values) },
    { stored: 14, pixels: words(values) },
    { stored: 16, signed: true, pixels: words(values) },
    { stored: 13, signed: true, pixels: words(values) },
    { stored: 12, signed: true, pixels: words(values.map((value) => value - 2048)) },
    { stored: 12, highBit: 15, pixels: words(values.map((value) => value << 4)) },
    { pixels: words(values), set: rescaled(1, 0) },
    { pixels: words(values), set: rescaled(1, -1024) },
    { pixels: words(values.map((value) => 4095 - value)), set: rescaled(-1, 4095) },
    { pixels: words(values.map((value) => 4095 - value)), set: rescaled(-1, 0) },
    { pixels: words(values.map((value) => 4095 - value)), photometric: 'MONOCHROME1' },
    { pixels: words(values.map((value) => 4095 - value)), photometric: 'MONOCHROME1', stored: 16 },
    { pixels: words(values.map((value) => 4095 - value)), photometric: 'MONOCHROME1', stored: 16, signed: true },
    { pixels: words(values.map((value) => 2047 - value)), photometric: 'MONOCHROME1', signed: true },
  ];
  expect(shown(plain)).toEqual(values);
  for (const twin of twins) {
    const { pixels, ...rest } = twin;
    expect(contrast(await read(twin)), JSON.stringify(rest)).toEqual(contrast(plain));
  }
});

it.each([
  [1, 1024],
  [1, -1024],
  [2, 0],
  [2, -1000],
  [0.5, 0],
  [0.25, -100],
  [0.1, 0.05],
  [-1, 0],
  [-1, 4095],
  [-0.5, 10],
  [100, 0],
  [1000, -500000],
])('rescales by %s and %s, and says how its pixels stand to the values', async (slope, intercept) => {
  for (const signed of [false, true])
    for (const photometric of ['MONOCHROME1', 'MONOCHROME2']) {
      const stored = noise(12).map((value) => (signed && value >= 2048 ? value - 4096 : value));
      const film = await read({ signed, photometric, pixels: words(stored), set: rescaled(slope, intercept) });
      const want = stored.map((value) => slope * value + intercept);
      expect(valuesOf(film)).toEqual(want);
      const { pixels, range, modality } = film;
      const largest = Math.max(...pixels);
      expect(largest).toBeLessThanOrEqual(range);
      // Exact where steps of the slope fit into 16 bits, else to half a step of a 65,535th of the span.
      const span = Math.max(...want) - Math.min(0, ...want);
      for (let i = 0; i < count; i++)
        expect(Math.abs(pixels[i] * modality.slope + modality.intercept - want[i])).toBeLessThanOrEqual(
          0.5 * Math.max(span / 65535, 0) * 1.0001 + 1e-9,
        );
    }
});

it.each([
  ['a rescale slope alone', decimal(0x00281053, 2), 2, 0],
  ['a rescale intercept alone', decimal(0x00281052, -7), 1, -7],
  ['empty ones', { ...decimal(0x00281053, ''), ...decimal(0x00281052, '') }, 1, 0],
  ['blanks and an exponent', { ...decimal(0x00281053, ' 5E-1 '), ...decimal(0x00281052, '+3.0 ') }, 0.5, 3],
] as const)('reads %s', async (_, set, slope, intercept) => {
  const values = noise(12);
  expect(valuesOf(await read({ pixels: words(values), set }))).toEqual(values.map((v) => slope * v + intercept));
});

it('shows padding black, and leaves it out of least and largest, signed or not, at both polarities', async () => {
  const inside = noise(12).map((value) => 100 + (value >> 2));
  const places = [0, 5, 40, count - 1];
  const cases: { signed: boolean; stored: number; value: number; limit?: number; fill: number[] }[] = [
    { signed: false, stored: 12, value: 4095, fill: [4095, 4095, 4095, 4095] },
    { signed: false, stored: 16, value: 65535, fill: [65535, 65535, 65535, 65535] },
    { signed: true, stored: 16, value: -2000, fill: [-2000, -2000, -2000, -2000] },
    { signed: true, stored: 16, value: -32768, fill: [-32768, -32768, -32768, -32768] },
    { signed: true, stored: 12, value: -2048, fill: [-2048, -2048, -2048, -2048] },
    { signed: false, stored: 12, value: 4000, limit: 4095, fill: [4000, 4050, 4095, 4001] },
    { signed: false, stored: 12, value: 4095, limit: 4000, fill: [4000, 4050, 4095, 4001] },
    { signed: true, stored: 16, value: -2000, limit: -1990, fill: [-2000, -1995, -1990, -1991] },
    { signed: true, stored: 16, value: -5, limit: 3, fill: [-5, 3, 0, -1] },
  ];
  for (const { signed, stored, value, limit, fill } of cases)
    for (const photometric of ['MONOCHROME1', 'MONOCHROME2']) {
      const values = inside.slice();
      places.forEach((place, i) => {
        values[place] = fill[i];
      });
      const file = { signed, stored, photometric, pixels: words(values) };
      const film = await read({ ...file, set: padded(value, limit) });
      const what = JSON.stringify({ signed, stored, value, limit, photometric });
      expect(valuesOf(film), what).toEqual(values);
      // Beside it the picture that holds no padding: the same everywhere else.
      const bare = await read({ ...file, pixels: words(inside), signed, photometric });
      const [withPadding, without] = [shown(film), shown(bare)];
      for (const place of places) {
        expect(withPadding[place], what).toBe(0);
        without[place] = 0;
      }
      expect(withPadding, what).toEqual(without);
    }
});

it('inverts signed values that go below 0 about -1, and moves them up by the least', async () => {
  const values = noise(7).map((value) => value - 20);
  const film = await read({ stored: 16, signed: true, photometric: 'MONOCHROME1', pixels: words(values) });
  const largest = Math.max(...values);
  expect(valuesOf(film)).toEqual(values);
  expect(shown(film)).toEqual(values.map((value) => largest - value));
});

it('says what a display would do and the reader does not', async () => {
  const pixels = words(noise(12));
  const word = (tag: number, value: number) => attribute(tag, 'US', words([value]));
  const shape = (value: string) => attribute(0x20500020, 'CS', ascii(value));
  const ignored = async (file: Partial<TestFile>) => (await read({ pixels, ...file })).details.ignored;
  expect(await ignored({})).toEqual([]);
  expect(await ignored({ set: word(0x60000102, 0) })).toEqual(['overlay']);
  expect(await ignored({ set: word(0x60020102, 12) })).toEqual(['overlay']);
  expect(await ignored({ set: attribute(0x00283010, 'SQ', new Uint8Array(0)) })).toEqual(['VOI LUT']);
  expect(await ignored({ set: attribute(0x00280034, 'IS', ascii('1\\2')) })).toEqual(['pixel aspect ratio 1:2']);
  expect(await ignored({ set: attribute(0x00280034, 'IS', ascii('1\\1')) })).toEqual([]);
  for (const [photometric, value, found] of [
    ['MONOCHROME2', 'IDENTITY', false],
    ['MONOCHROME2', 'INVERSE', true],
    ['MONOCHROME1', 'INVERSE', false],
    ['MONOCHROME1', 'IDENTITY', true],
  ] as const)
    expect(await ignored({ photometric, set: shape(value) })).toEqual(
      found ? [`Presentation LUT Shape ${value} beside ${photometric}`] : [],
    );
  const window = { ...decimal(0x00281050, '2000\\1500'), ...decimal(0x00281051, '4000\\800') };
  const film = await read({ pixels, set: window });
  expect(film.details.window).toEqual({ center: 2000, width: 4000, shape: 'LINEAR' });
  for (const width of ['0', '0.5', '-3', 'wide'])
    expect((await read({ pixels, set: { ...window, ...decimal(0x00281051, width) } })).details.window).toBeNull();
});

it('leaves padding black behind a window, at both polarities', async () => {
  const values = noise(12).map((value) => 100 + (value >> 2));
  values[7] = 4000;
  const set = { ...padded(4000), ...decimal(0x00281050, 1000), ...decimal(0x00281051, 8000) };
  for (const photometric of ['MONOCHROME1', 'MONOCHROME2']) {
    const film = windowedFilm(await read({ pixels: words(values), photometric, set }));
    expect(shown(film)[7], photometric).toBe(0);
    expect(film.details.ignored).toEqual([]);
    // The window is so wide that nothing else is near black.
    expect(Math.min(...shown(film).filter((_, i) => i !== 7))).toBeGreaterThan(20_000);
  }
});

it('compares padding with stored values, not with rescaled ones', async () => {
  const values = noise(12).map((value) => 100 + (value >> 2));
  values[7] = 0;
  const film = await read({ pixels: words(values), set: { ...rescaled(2, -1000), ...padded(0) } });
  expect(valuesOf(film)[7]).toBe(-1000);
  expect(film.pixels[7]).toBe(0);
  const others = [...film.pixels].filter((_, i) => i !== 7);
  const spread = values.filter((_, i) => i !== 7);
  const least = Math.min(...spread);
  // 2 v - 1000 is below 0 for the least: the rest is moved up by it, in steps of the slope.
  expect(2 * least - 1000).toBeLessThan(0);
  expect(others.map((pixel) => pixel * film.modality.slope + film.modality.intercept)).toEqual(
    spread.map((value) => 2 * value - 1000),
  );
});

it('reads a picture of nothing but padding, and of one value', async () => {
  const nothing = await read({ pixels: words(Array(count).fill(9)), set: padded(9) });
  expect(shown(nothing)).toEqual(Array(count).fill(0));
  for (const value of [0, 1, 4095])
    expect(shown(await read({ pixels: words(Array(count).fill(value)) }))).toEqual(Array(count).fill(value));
});

it('turns RGB to luminance, pixel by pixel and plane by plane, and keeps grey exactly', async () => {
  const [red, green, blue] = [noise(8, 1), noise(8, 2), noise(8, 3)];
  const want = red.map((r, i) => Math.round(0.2126 * r + 0.7152 * green[i] + 0.0722 * blue[i]));
  const file = { samples: 3, photometric: 'RGB', allocated: 8, stored: 8 };
  const planar = attribute(0x00280006, 'US', words([1]));
  const interleaved = Uint8Array.from(red.flatMap((r, i) => [r, green[i], blue[i]]));
  expect(valuesOf(await read({ ...file, pixels: interleaved }))).toEqual(want);
  const planes = Uint8Array.from([...red, ...green, ...blue]);
  expect(valuesOf(await read({ ...file, pixels: planes, set: planar }))).toEqual(want);
  const grey = Uint8Array.from(red.flatMap((r) => [r, r, r]));
  expect(valuesOf(await read({ ...file, pixels: grey }))).toEqual(red);
});

it('applies the windows of PS3.3 C.11.2.1.2 and C.11.2.1.3 where that is asked for', async () => {
  const values = noise(12);
  const shares: Record<string, (x: number, c: number, w: number) => number> = {
    LINEAR: (x, c, w) =>
      x <= c - 0.5 - (w - 1) / 2 ? 0 : x > c - 0.5 + (w - 1) / 2 ? 1 : (x - (c - 0.5)) / (w - 1) + 0.5,
    LINEAR_EXACT: (x, c, w) => (x <= c - w / 2 ? 0 : x > c + w / 2 ? 1 : (x - c) / w + 0.5),
    SIGMOID: (x, c, w) => 1 / (1 + Math.exp((-4 * (x - c)) / w)),
  };
  for (const [shape, share] of Object.entries(shares))
    for (const [center, width] of [
      [2048, 4096],
      [1000, 300],
      [2000.5, 1],
      [100, 2],
    ]) {
      const set = {
        ...decimal(0x00281050, center),
        ...decimal(0x00281051, width),
        ...attribute(0x00281056, 'CS', ascii(shape)),
      };
      const film = await read({ pixels: words(values), set });
      expect(film.details.window).toEqual({ center, width, shape });
      expect(film.details.ignored.join()).toMatch(/window/i);
      expect([...film.pixels], 'a window is not applied unless asked for').toEqual(values);
      const applied = windowedFilm(film);
      values.forEach((value, i) => {
        expect(applied.pixels[i]).toBe(Math.round(65535 * share(value, center, width)));
      });
    }
});
