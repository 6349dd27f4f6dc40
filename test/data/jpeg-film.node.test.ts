/** JPEG files: grey, colour in its several codings, lossless, turned, damaged. */
import jpegJs from 'jpeg-js';
import { expect, it } from 'vitest';
import { readFilm } from '../../src/data/film-file.ts';
import { encodeLosslessJpeg } from '../support/jpeg-lossless-encoder.ts';

const [height, width] = [16, 24];
const count = height * width;
/** Blocks of one colour, which JPEG of quality 100 keeps to rounding. */
const colours = [
  [200, 30, 90],
  [20, 180, 240],
  [120, 120, 120],
  [255, 0, 0],
  [0, 0, 255],
  [0, 255, 0],
];
const block = (i: number) => colours[(Math.floor(Math.floor(i / width) / 8) * 3 + Math.floor((i % width) / 8)) % 6];
const luma = ([r, g, b]: readonly number[]) => Math.round(0.2126 * r + 0.7152 * g + 0.0722 * b);
const encode = (at: (i: number) => readonly number[]) =>
  new Uint8Array(
    jpegJs.encode(
      { width, height, data: Uint8Array.from({ length: 4 * count }, (_, i) => [...at(i >> 2), 255][i & 3]) as never },
      100,
    ).data,
  );
const read = (bytes: Uint8Array) => readFilm('a.jpg', bytes);
const refusal = (bytes: Uint8Array) =>
  read(bytes).then(
    () => 'read',
    ({ message }: Error) => message,
  );
const find = (bytes: Uint8Array, marker: number) =>
  bytes.findIndex((byte, i) => byte === 0xff && bytes[i + 1] === marker);
/** Segments of other markers in place of JFIF's. */
const withSegments = (bytes: Uint8Array, ...segments: number[][]) =>
  Uint8Array.from([
    0xff,
    0xd8,
    ...segments.flatMap(([marker, ...data]) => [0xff, marker, 0, data.length + 2, ...data]),
    ...bytes.subarray(find(bytes, 0xdb)),
  ]);
const letters = (text: string) => [...text].map((letter) => letter.charCodeAt(0));
const adobe = (transform: number) => [0xee, ...letters('Adobe'), 0, 100, 0, 0, 0, 0, transform];
const exif = (orientation: number, little = false) => {
  const header = little
    ? [0x49, 0x49, 42, 0, 8, 0, 0, 0, 1, 0, 0x12, 1, 3, 0, 1, 0, 0, 0, orientation, 0, 0, 0, 0, 0, 0, 0]
    : [0x4d, 0x4d, 0, 42, 0, 0, 0, 8, 0, 1, 1, 0x12, 0, 3, 0, 0, 0, 1, 0, orientation, 0, 0, 0, 0, 0, 0];
  return [0xe1, ...letters('Exif'), 0, 0, ...header];
};
const near = (values: ArrayLike<number>, wanted: (i: number) => number, tolerance: number, what?: string) => {
  const worst = Math.max(...Array.from(values, (value, i) => Math.abs(value - wanted(i))));
  expect(worst, what).toBeLessThanOrEqual(tolerance);
};

it('turns colour to luminance and keeps grey', async () => {
  const colour = await read(encode(block));
  near(colour.pixels, (i) => luma(block(i)), 2);
  expect(colour.details).toMatchObject({ kind: 'JPEG', ignored: ['colour (turned to luminance, Rec. 709)'] });
  expect(colour.bits).toBe(8);
  const grey = await read(encode((i) => Array(3).fill(block(i)[0])));
  near(grey.pixels, (i) => block(i)[0], 2);
  expect(grey.details.ignored).toEqual([]);
});

it('takes three components for red, green and blue where Adobe or their names say so', async () => {
  const bytes = encode(block);
  const original = await read(bytes);
  for (const same of [
    withSegments(bytes),
    withSegments(bytes, adobe(1)),
    withSegments(bytes, [0xe0, ...letters('AVI1')]),
  ])
    expect((await read(same)).pixels).toEqual(original.pixels);
  // The encoder writes luma and chroma: read as RGB, the luminance is that of these three.
  const [r, g, b] = [0, 1, 2].map((c) => (i: number) => block(i)[c]);
  const ycc = (i: number) => [
    0.299 * r(i) + 0.587 * g(i) + 0.114 * b(i),
    128 - 0.168736 * r(i) - 0.331264 * g(i) + 0.5 * b(i),
    128 + 0.5 * r(i) - 0.418688 * g(i) - 0.081312 * b(i),
  ];
  near((await read(withSegments(bytes, adobe(0)))).pixels, (i) => luma(ycc(i)), 2, 'Adobe');
  // JFIF is luma and chroma whatever Adobe's segment says, as libjpeg has it.
  const jfif = [0xe0, ...letters('JFIF'), 0, 1, 1, 0, 0, 1, 0, 1, 0, 0];
  expect((await read(withSegments(bytes, jfif, adobe(0)))).pixels).toEqual(original.pixels);
  const named = withSegments(bytes);
  const [frame, scan] = [find(named, 0xc0), find(named, 0xda)];
  letters('RGB').forEach((name, i) => {
    named[frame + 10 + 3 * i] = name;
    named[scan + 5 + 2 * i] = name;
  });
  near((await read(named)).pixels, (i) => luma(ycc(i)), 2, 'names');
});

it('reads lossless grey of 2 to 16 bits to the bit', async () => {
  for (let precision = 2; precision <= 16; precision++) {
    let state = precision;
    const values = Array.from({ length: count }, () => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return state >>> (32 - precision);
    });
    const film = await read(encodeLosslessJpeg(values, { height, width, precision, predictor: 1 + (precision % 7) }));
    expect([...film.details.values()]).toEqual(values);
    expect(film.bits).toBe(precision);
  }
});

it('refuses a picture that is stored turned, and reads an upright one', async () => {
  const bytes = encode(block);
  for (const little of [false, true]) {
    expect((await read(withSegments(bytes, exif(1, little)))).pixels).toHaveLength(count);
    for (const orientation of [2, 3, 4, 5, 6, 7, 8])
      expect(await refusal(withSegments(bytes, exif(orientation, little)))).toMatch(
        new RegExp(`turned or mirrored, Exif orientation ${orientation}`),
      );
  }
});

it('refuses four components, 12 bits, arithmetic coding and files that are cut', async () => {
  const bytes = encode(block);
  const frame = find(bytes, 0xc0);
  const changed = (at: number, value: number) => {
    const copy = bytes.slice();
    copy[at] = value;
    return copy;
  };
  expect(await refusal(changed(frame + 9, 4))).toMatch(/4 components, CMYK perhaps/);
  expect(await refusal(changed(frame + 4, 12))).toMatch(/12 bits; baseline and progressive of 8 bits/);
  expect(await refusal(changed(frame + 1, 0xc9))).toMatch(/SOF9/);
  // The number of lines behind the scan (T.81, B.2.5), which the decoder of lossy pictures does not look for.
  const lines = Uint8Array.from([...changed(frame + 6, 0).subarray(0, -2), 0xff, 0xdc, 0, 4, 0, height, 0xff, 0xd9]);
  expect(await refusal(lines)).toMatch(/^a\.jpg: the JPEG cannot be read/);
  for (const share of [0.3, 0.6, 0.9])
    expect(await refusal(bytes.slice(0, Math.floor(share * bytes.length)))).toMatch(/^a\.jpg: the JPEG cannot be read/);
});
