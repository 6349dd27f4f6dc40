/** mtunet data prepare --folder on DICOM files without an ending, and what data check says of them. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { start } from '../support/command.ts';
import { ascii, attribute, dicomFile, words } from '../support/dicom-file.ts';
import { builtProgram } from '../support/program.ts';

const place = mkdtempSync(join(tmpdir(), 'mtunet-folder-'));
afterAll(() => rmSync(place, { recursive: true }));

const [height, width] = [40, 26];
const picture = (seed: number, window: boolean) =>
  dicomFile({
    ...{ height, width, pixels: words(Array.from({ length: height * width }, (_, i) => (i * (97 + seed)) % 4096)) },
    set: window
      ? { ...attribute(0x00281050, 'DS', ascii(`${1000 + seed}`)), ...attribute(0x00281051, 'DS', ascii('2000')) }
      : {},
  });

it('prepares them by their contents, and says once what was ignored', async () => {
  const main = await builtProgram();
  const folder = join(place, 'films');
  mkdirSync(folder);
  const names = Array.from({ length: 12 }, (_, i) => (i % 2 ? `IM${i}` : `1.2.840.99.${i}`));
  names.forEach((name, i) => {
    writeFileSync(join(folder, name), picture(i, i < 5));
  });
  const rows = names.map((name, i) => `${name},${i % 3 === 0 ? 'a' : 'b'}\n`);
  writeFileSync(join(folder, 'labels.csv'), `file,label\n${rows.join('')}`);
  writeFileSync(join(folder, 'gaze.csv'), `file,x,y\n${names.map((name) => `${name},5,9\n${name},12,20\n`).join('')}`);
  const run = (...args: string[]) => start(main, ['data', ...args]).ended;
  const checked = async (out: string, ...options: string[]) => {
    const prepared = await run('prepare', '--folder', folder, '--out', join(place, out), ...options);
    expect(prepared.code, prepared.err).toBe(0);
    return run('check', join(place, out), '--no-sheet', '--no-report');
  };
  expect((await checked('ignored')).out).toMatch(/^ignored {8}VOI window of 5 films$/m);
  expect((await checked('applied', '--voi', 'apply')).out).toMatch(/^ignored {8}nothing$/m);
}, 120_000);
