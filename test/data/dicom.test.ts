/** Films that were written, read back in Node and in Chromium: both syntaxes, 8 to 16 bits, signs, compressed frames, and damage. */
import fc from 'fast-check';
import { encode as encodePng } from 'fast-png';
import { expect, it } from 'vitest';
import { readDicom } from '../../src/data/dicom.ts';
import { type DicomFilm, EXPLICIT, IMPLICIT, writeDicom } from '../../src/data/dicom-writer.ts';
import { readFilm, readFilmFile } from '../../src/data/film-file.ts';

const [height, width] = [3, 5];
const ramp = (largest: number) =>
  Uint16Array.from({ length: height * width }, (_, i) => Math.round((i * largest) / 14));
const words = (values: Uint16Array) => new Uint8Array(values.slice().buffer);
const film = { height, width, bits: 12, allocated: 16, photometric: 'MONOCHROME2', pixels: words(ramp(4095)) } as const;

it.each([EXPLICIT, IMPLICIT])('reads %s with 8 to 16 bits and both photometric interpretations', async (syntax) => {
  for (const bits of [8, 10, 12, 14, 15, 16])
    for (const photometric of ['MONOCHROME1', 'MONOCHROME2'] as const) {
      const values = ramp(2 ** bits - 1);
      const read = await readDicom('a.dcm', writeDicom({ ...film, bits, photometric, syntax, pixels: words(values) }));
      expect(read).toMatchObject({ height, width, pixels: values, bits, inverted: photometric === 'MONOCHROME1' });
    }
  const bytes = Uint8Array.from(ramp(255));
  const eight = await readDicom('a.dcm', writeDicom({ ...film, bits: 8, allocated: 8, syntax, pixels: bytes }));
  expect(eight.pixels).toEqual(ramp(255));
});

it('moves values below 0 up and drops bits above those stored', async () => {
  const signed = Int16Array.from([-2048, -1, 0, 2047]);
  const dicom = writeDicom({ ...film, height: 1, width: 4, signed: true, pixels: new Uint8Array(signed.buffer) });
  expect([...(await readDicom('a.dcm', dicom)).pixels]).toEqual([0, 2047, 2048, 4095]);
  const overlaid = writeDicom({ ...film, height: 1, width: 1, pixels: words(Uint16Array.of(0xf123)) });
  expect([...(await readDicom('a.dcm', overlaid)).pixels]).toEqual([0x123]);
});

/** PackBits of every plane, literal runs and repeats. */
function packed(values: Uint16Array): Uint8Array {
  const planes = [8, 0].map((shift) => {
    const literal = [
      values.length - 2,
      ...Array.from(values.subarray(0, values.length - 1), (value) => (value >> shift) & 255),
    ];
    return [...literal, 257 - 2, (values[values.length - 1] >> shift) & 255]; // the last one twice: one too many is cut
  });
  const table = new Uint32Array(16);
  table.set([2, 64, 64 + planes[0].length]);
  return Uint8Array.from([...new Uint8Array(table.buffer), ...planes.flat()]);
}

/** 8 x 8 pixels of 128, as jpeg-js writes them at quality 100. */
const GREY_JPEG =
  '/9j/4AAQSkZJRgABAQAAAQABAAD/2wCEAAEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAf/AABEIAAgACAMBEQACEQEDEQH/xAGiAAABBQEBAQEBAQAAAAAAAAAAAQIDBAUGBwgJCgsQAAIBAwMCBAMFBQQEAAABfQECAwAEEQUSITFBBhNRYQcicRQygZGhCCNCscEVUtHwJDNicoIJChYXGBkaJSYnKCkqNDU2Nzg5OkNERUZHSElKU1RVVldYWVpjZGVmZ2hpanN0dXZ3eHl6g4SFhoeIiYqSk5SVlpeYmZqio6Slpqeoqaqys7S1tre4ubrCw8TFxsfIycrS09TV1tfY2drh4uPk5ebn6Onq8fLz9PX29/j5+gEAAwEBAQEBAQEBAQAAAAAAAAECAwQFBgcICQoLEQACAQIEBAMEBwUEBAABAncAAQIDEQQFITEGEkFRB2FxEyIygQgUQpGhscEJIzNS8BVictEKFiQ04SXxFxgZGiYnKCkqNTY3ODk6Q0RFRkdISUpTVFVWV1hZWmNkZWZnaGlqc3R1dnd4eXqCg4SFhoeIiYqSk5SVlpeYmZqio6Slpqeoqaqys7S1tre4ubrCw8TFxsfIycrS09TV1tfY2dri4+Tl5ufo6ery8/T19vf4+fr/2gAMAwEAAhEDEQA/ACgD/9k=';

it('reads run lengths and baseline JPEG', async () => {
  const rle = writeDicom({ ...film, syntax: '1.2.840.10008.1.2.5', pixels: packed(ramp(4095)) });
  expect((await readDicom('a.dcm', rle)).pixels).toEqual(ramp(4095));
  const pixels = Uint8Array.from(atob(GREY_JPEG), (letter) => letter.charCodeAt(0));
  const baseline = {
    ...film,
    height: 8,
    width: 8,
    bits: 8,
    allocated: 8,
    syntax: '1.2.840.10008.1.2.4.50',
    pixels,
  } as const;
  const read = await readDicom('a.dcm', writeDicom(baseline));
  expect(Math.max(...read.pixels.map((value) => Math.abs(value - 128)))).toBeLessThanOrEqual(1);
  await expect(readDicom('a.dcm', writeDicom({ ...baseline, height: 9 }))).rejects.toThrow(
    /announces 8 x 8, the DICOM 9 x 8/,
  );
});

it('reads PNG and a dropped file', async () => {
  const png = encodePng({ width, height, data: ramp(65535), channels: 1, depth: 16 });
  expect(await readFilmFile(new File([png as never], 'a.png'))).toMatchObject({
    height,
    width,
    pixels: ramp(65535),
    bits: 16,
    inverted: false,
  });
  const dicom = await readFilmFile(new File([writeDicom(film)], 'a.dcm'));
  expect(dicom.pixels).toEqual(ramp(4095));
});

const damaged: [string, Partial<DicomFilm>, RegExp][] = [
  ['a bomb', { height: 65535, width: 65535 }, /a.dcm: the film says it is 65535 x 65535/],
  ['nothing', { height: 0 }, /0 x 5/],
  ['too little', { height: 4 }, /4 x 5 pixels need 40 bytes, its pixel data have 30/],
  [
    'another syntax',
    { syntax: '1.2.840.10008.1.2.4.80' },
    /transfer syntax 1.2.840.10008.1.2.4.80 \(JPEG-LS lossless\) is not read; write .* dcmdjpls/,
  ],
  ['bad run lengths', { syntax: '1.2.840.10008.1.2.5' }, /cannot be decoded/],
  ['no JPEG', { syntax: '1.2.840.10008.1.2.4.70' }, /cannot be decoded/],
  ['no JPEG 2000', { syntax: '1.2.840.10008.1.2.4.90' }, /cannot be decoded/],
];
it.each(damaged)('refuses %s', async (_, change, sentence) => {
  await expect(readDicom('a.dcm', writeDicom({ ...film, ...change }))).rejects.toThrow(sentence);
});

it('answers any bytes with a film or with a sentence that begins with the name', async () => {
  const whole = writeDicom(film);
  const broken = fc.oneof(
    fc.integer({ min: 0, max: whole.length - 1 }).map((length) => whole.subarray(0, length)),
    fc.uint8Array({ maxLength: 300 }),
    fc.tuple(fc.integer({ min: 128, max: whole.length - 1 }), fc.integer({ min: 0, max: 255 })).map(([at, value]) => {
      const copy = whole.slice();
      copy[at] = value;
      return copy;
    }),
  );
  await fc.assert(
    fc.asyncProperty(broken, async (bytes) => {
      try {
        const read = await readFilm('a.dcm', bytes);
        expect(read.pixels.length).toBe(read.height * read.width);
      } catch (error) {
        expect((error as Error).message).toMatch(/^a\.dcm[: ].*\.$/s);
      }
    }),
    { numRuns: 500 },
  );
});
