/** Films that other programs compressed (fixtures/compressed-films.mjs), read back value for value in Node and in Chromium. */
import { expect, it } from 'vitest';
import { readDicom } from '../../src/data/dicom.ts';
import recorded from './fixtures/compressed-films.json' with { type: 'json' };

const { height, width, cases } = recorded;
const bytesOf = (text: string) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));

it.each(cases)('$what of $bits bits, $photometric', async ({ bits, photometric, values, file }) => {
  const film = await readDicom('a.dcm', bytesOf(file));
  expect(film).toMatchObject({
    height,
    width,
    pixels: Uint16Array.from(values),
    bits,
    inverted: photometric === 'MONOCHROME1',
  });
});

it('answers a compressed film that was cut or changed with a film or with a sentence', async () => {
  for (const { file } of cases.filter(({ bits }) => bits === 12)) {
    const whole = bytesOf(file);
    for (let cut = 1; cut < 20; cut++) {
      const damaged = cut % 2 ? whole.slice(0, whole.length - 11 * cut) : whole.slice();
      if (cut % 2 === 0) damaged[whole.length - 13 * cut] ^= 1 << (cut % 8);
      try {
        expect((await readDicom('a.dcm', damaged)).pixels.length).toBe(height * width);
      } catch (error) {
        expect((error as Error).message).toMatch(/^a\.dcm: .*\.$/s);
      }
    }
  }
});
