/** Recorded pictures that readers of the field stumble over: right values, or a refusal with the true reason. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { decode } from 'fast-png';
import { expect, it } from 'vitest';
import { readFilm } from '../../src/data/film-file.ts';
import { goldenPart } from '../support/golden-part.ts';

const folder = goldenPart('films');
const bytesOf = (file: string) => new Uint8Array(readFileSync(join(folder, file)));
const read = (file: string) => readFilm(file, bytesOf(file));
const expected = JSON.parse(readFileSync(join(folder, 'expected.json'), 'utf8')) as Record<string, number[]>;
const files = readdirSync(folder).filter((file) => !file.endsWith('.json'));

it.each(Object.entries(expected))('%s has its values', async (file, values) => {
  const film = await read(file);
  expect([...film.details.values()]).toEqual(values);
  expect([...film.pixels]).toEqual(values);
});

it.each(files)('%s is read, or refused with a reason that is true', async (file) => {
  const reason = await read(file).then(
    () => null,
    ({ message }: Error) => message,
  );
  if (reason === null) return;
  expect(reason).toMatch(new RegExp(`^${file}: .*\\.$`));
  expect(reason).not.toMatch(/download|0 bytes|\bdcmconv/);
});

it('signed pixels and padding leave the picture as it is', async () => {
  const [plain, signed, padded] = await Promise.all(['m2.dcm', 'signed.dcm', 'padding.dcm'].map(read));
  expect(signed.pixels).toEqual(plain.pixels);
  const { isPadding } = padded.details;
  const inside = (film: typeof plain) => film.pixels.filter((_, i) => !isPadding?.[i]);
  expect(inside(padded)).toEqual(inside(plain));
  expect(new Set(padded.pixels.filter((_, i) => isPadding?.[i]))).toEqual(new Set([0]));
});

it('a tinted picture becomes its luminance', async () => {
  const { data, channels } = decode(bytesOf('color_tint.png'));
  const { pixels, height, width } = await read('color_tint.png');
  const wanted = Array.from({ length: height * width }, (_, i) =>
    Math.round(0.2126 * data[channels * i] + 0.7152 * data[channels * i + 1] + 0.0722 * data[channels * i + 2]),
  );
  expect([...pixels]).toEqual(wanted);
});
