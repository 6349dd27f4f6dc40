/** mtunet data inspect as a user and as a checking script run it. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encode } from 'fast-png';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { start } from '../support/command.ts';
import { ascii, attribute, dicomFile, words } from '../support/dicom-file.ts';
import { goldenPart } from '../support/golden-part.ts';
import { builtProgram } from '../support/program.ts';

const place = mkdtempSync(join(tmpdir(), 'mtunet-inspect-'));
const at = (name: string) => join(place, name);
let main: string;

const values = [-5, 7, 100, -2000, 3, 0];
beforeAll(async () => {
  main = await builtProgram();
  writeFileSync(
    at('film'),
    dicomFile({
      ...{ height: 2, width: 3, stored: 16, signed: true, photometric: 'MONOCHROME1', pixels: words(values) },
      set: {
        ...attribute(0x00280120, 'SS', words([-2000])),
        ...attribute(0x00281050, 'DS', ascii('40')),
        ...attribute(0x00281051, 'DS', ascii('400')),
        ...attribute(0x00281052, 'DS', ascii('10')),
        ...attribute(0x00281053, 'DS', ascii('2')),
      },
    }),
  );
  writeFileSync(
    at('large.png'),
    encode({ width: 300, height: 300, data: new Uint8Array(90_000), channels: 1, depth: 8 }),
  );
  writeFileSync(at('page.dcm'), '<!doctype html><html></html>');
});
afterAll(() => rmSync(place, { recursive: true }));

const inspect = (...args: string[]) => start(main, ['data', 'inspect', ...args]).ended;

const film = {
  ...{ height: 2, width: 3, bits: 16, inverted: true, kind: 'DICOM', photometric: 'MONOCHROME1' },
  ...{ allocated: 16, highBit: 15, signed: true, rescale: { slope: 2, intercept: 10 }, padding: [-2000, -2000] },
  transferSyntax: { uid: '1.2.840.10008.1.2.1', name: 'explicit little endian' },
  window: { center: 40, width: 400, shape: 'LINEAR' },
  ignored: ['VOI window (center 40, width 400)'],
  ...{ paddedPixels: 1, least: 0, largest: 210 },
  values: values.map((value) => 2 * value + 10),
};

it('prints an object for one file, with the values of a small picture', async () => {
  const { code, out, err } = await inspect(at('film'), '--json');
  expect([code, err]).toEqual([0, '']);
  expect(JSON.parse(out)).toMatchObject({ file: at('film'), ...film });
});

it('prints an array for several files, with an error for the one that cannot be read', async () => {
  const { code, out, err } = await inspect(at('film'), at('page.dcm'), at('large.png'), at('missing'), '--json');
  expect(code).toBe(1);
  const [first, page, large, missing] = JSON.parse(out);
  expect(first).toMatchObject(film);
  expect(page).toEqual({ file: at('page.dcm'), error: expect.stringMatching(/is a web page, not data/) });
  expect(large).toMatchObject({ kind: 'PNG', height: 300, width: 300, least: 0, largest: 0 });
  expect(large).not.toHaveProperty('values');
  expect(missing.error).toMatch(/missing cannot be read: it does not exist/);
  expect(err).toMatch(/mtunet: .*page\.dcm is a web page/);
});

it('prints values of a large picture when they are asked for', async () => {
  const { code, out } = await inspect(at('large.png'), '--json', '--values');
  expect(code).toBe(0);
  expect(JSON.parse(out).values).toHaveLength(90_000);
});

it('prints a few lines for a person, and the values row by row', async () => {
  const { code, out } = await inspect(at('film'), '--values');
  expect(code).toBe(0);
  expect(out).toBe(`${at('film')}
  kind      DICOM, explicit little endian (1.2.840.10008.1.2.1)
  size      2 rows x 3 columns
  bits      16 stored of 16 allocated, high bit 15, signed
  polarity  MONOCHROME1: the least value is white
  rescale   slope 2, intercept 10
  padding   stored value -2000: 1 pixel
  window    center 40, width 400, LINEAR
  ignored   VOI window (center 40, width 400)
  values    0 to 210, padding aside
0 24 210
-3990 16 10
`);
});

it('fails with the reason, and with 2 when no file is named', async () => {
  const one = await inspect(at('page.dcm'));
  expect([one.code, one.out]).toEqual([1, '']);
  expect(one.err).toMatch(/^mtunet: .*page\.dcm is a web page/);
  const json = await inspect(at('page.dcm'), '--json');
  expect(JSON.parse(json.out)).toEqual({ file: at('page.dcm'), error: expect.any(String) });
  expect(json.code).toBe(1);
  expect((await inspect()).code).toBe(2);
  expect((await inspect(place)).err).toMatch(/it is a folder; give a file/);
});

it('shows every recorded picture as the reader does', async () => {
  const folder = goldenPart('films');
  const expected: Record<string, number[]> = JSON.parse(readFileSync(join(folder, 'expected.json'), 'utf8'));
  const { code, out } = await inspect(...Object.keys(expected).map((file) => join(folder, file)), '--json');
  expect(code).toBe(0);
  expect(JSON.parse(out).map((one: { values: number[] }) => one.values)).toEqual(Object.values(expected));
});
