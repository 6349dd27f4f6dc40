/** Tables as people have them: blanks around labels, missing labels, spellings, gaze in another unit, bad rows, files that are no tables. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encode as encodePng } from 'fast-png';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { checkPrepared } from '../../src/cli/commands/data-check.ts';
import { readConfigFile } from '../../src/cli/config-file.ts';
import { openSource, type SourceOptions } from '../../src/cli/data-sources.ts';
import { writeExample } from '../../src/cli/example-egd.ts';
import { prepareData } from '../../src/cli/prepare-data.ts';
import { openPrepared } from '../../src/cli/prepared-folder.ts';
import { missingClasses } from '../../src/data/dataset.ts';
import { goldenPart } from '../support/golden-part.ts';

const place = mkdtempSync(join(tmpdir(), 'mtunet-tables-'));
let said: string[] = [];
beforeAll(() => {
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    said.push(String(text));
    return true;
  });
});
afterAll(() => {
  vi.restoreAllMocks();
  rmSync(place, { recursive: true, force: true });
});

const recipe = { height: 160, width: 160, stride: 5, keepCorner: false };
let count = 0;

async function prepare(options: Partial<SourceOptions>) {
  said = [];
  const out = join(place, `out${count++}`);
  const source = await openSource({ recipe: 'paper', ...options });
  await prepareData(source.cases, {
    ...source,
    out,
    recipe,
    split: 'patient',
    skipBad: options.skipBad ?? false,
    signal: new AbortController().signal,
    progress: () => {},
  });
  return { out, report: checkPrepared(out) };
}

type Gaze = (i: number, k: number) => readonly [number | string, number | string];
const pixels: Gaze = (i, k) => [8 + 3 * k + i, 10 + 5 * k];

/** A folder of twelve films of 48 x 40 with these labels. */
function folder(
  labelAt: (i: number) => string,
  gazeAt: Gaze = pixels,
  names: (i: number) => string = (i) => `f${i}.png`,
) {
  const path = join(place, `folder${count++}`);
  mkdirSync(path);
  const [labels, gaze] = [['file,label'], ['file,x,y']];
  for (let i = 0; i < 12; i++) {
    const data = Uint8Array.from({ length: 48 * 40 }, (_, k) => (k * (i + 3)) % 251);
    writeFileSync(join(path, `f${i}.png`), encodePng({ width: 40, height: 48, data, channels: 1, depth: 8 }));
    labels.push(`f${i}.png,${labelAt(i)}`);
    for (let k = 0; k < 6; k++) gaze.push([names(i), ...gazeAt(i, k)].join(','));
  }
  writeFileSync(join(path, 'labels.csv'), labels.join('\n'));
  writeFileSync(join(path, 'gaze.csv'), gaze.join('\n'));
  return path;
}
const three = (i: number) => ['normal', 'CHF', 'pneumonia'][i % 3];

it('trims labels, and refuses a row without one with its line', async () => {
  const { out } = await prepare({ folder: folder((i) => (i % 2 ? ` ${three(i)}\u00a0` : three(i))) });
  expect(openPrepared(out).classNames).toEqual(['CHF', 'normal', 'pneumonia']);
  for (const empty of ['', '  ', '\u00a0']) {
    const source = folder((i) => (i === 4 ? empty : three(i)));
    await expect(prepare({ folder: source })).rejects.toThrow(/labels\.csv, line 6: f4\.png has no label.*--skip-bad/);
    const { out, report } = await prepare({ folder: source, skipBad: true });
    expect(openPrepared(out).classNames).toEqual(['CHF', 'normal', 'pneumonia']);
    expect(report.skipped).toEqual([{ id: 'f4.png', reason: expect.stringMatching(/line 6: f4\.png has no label/) }]);
  }
});

it('tells of labels that are perhaps spellings of one', async () => {
  const { report } = await prepare({ folder: folder((i) => (i === 1 ? 'chf ' : three(i))) });
  expect(report.problems).toContainEqual(expect.stringMatching(/the labels "CHF" and "chf" are 2 classes/));
});

it.each<[string, Gaze, RegExp | null]>([
  ['pixels', pixels, null],
  ['shares of the picture', (_, k) => [0.1 + 0.1 * k, 0.2 + 0.05 * k], /between 0 and 1/],
  ['one pixel', () => [11, 12], /one pixel/],
  ['pixels of a screen', (i, k) => [(k === 0 ? 10 : 700) + i, 400 + k], /outside of the picture|none of/],
])('gaze in %s', async (_, gaze, sentence) => {
  const source = folder(three, gaze);
  if (sentence === null) {
    const { report } = await prepare({ folder: source });
    expect(report.problems.filter((problem) => problem.includes('gaze'))).toEqual([]);
    return;
  }
  const problems = await prepare({ folder: source }).then(
    ({ report }) => report.problems,
    (error: Error) => [error.message],
  );
  expect(problems.join('\n')).toMatch(sentence);
});

it('takes file names with blanks around them for the same film, and names a near match where there is none', async () => {
  await prepare({ folder: folder(three, pixels, (i) => (i % 2 ? `f${i}.png ` : `f${i}.png`)) });
  const source = folder(three, pixels, (i) => (i === 3 ? 'F3.PNG' : `f${i}.png`));
  await expect(prepare({ folder: source })).rejects.toThrow(
    /no gaze for f3\.png: .*gaze\.csv has .* rows for "F3\.PNG"/,
  );
});

it('says of a bad row of gaze that the row is left out and the film stays', async () => {
  const source = folder(three, (i, k) => (i === 2 && k === 3 ? ['NaN', 4] : pixels(i, k)));
  await expect(prepare({ folder: source })).rejects.toThrow(/gaze\.csv, line 17: x is "NaN", not a number/);
  const { report, out } = await prepare({ folder: source, skipBad: true });
  expect(report.skipped).toEqual([
    { id: 'f2.png', reason: expect.stringMatching(/This row of gaze is left out, the film stays\.$/) },
  ]);
  expect(said.join('')).toMatch(/left out a row of f2\.png/);
  const { train, valid, test } = openPrepared(out);
  expect([...train, ...valid, ...test].map(({ id }) => id)).toContain('f2.png');
});

it('names the near match of an id that was cut short in fixations.csv', async () => {
  const at = join(place, 'clinical');
  writeExample(at, { films: 6, seed: 1, height: 128, width: 128, gazeBytes: 0 });
  const table = join(at, 'egd', 'fixations.csv');
  const text = readFileSync(table, 'utf8');
  const [, id] = /^\d+,\d+,([0-9a-f-]{44}),/m.exec(text)!;
  writeFileSync(table, text.replaceAll(id, id.slice(0, 35)));
  const options = { egd: join(at, 'egd'), mimic: join(at, 'mimic'), heatMap: 'fixations' } as const;
  await expect(prepare(options)).rejects.toThrow(
    new RegExp(
      `no gaze for ${id}: fixations\\.csv has no row for it, but rows for "${id.slice(0, 35)}", which may be this id cut short`,
    ),
  );
});

it.each([
  ['empty', '', /is empty \(0 bytes\)/],
  ['Git LFS', 'version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 3\n', /is a Git LFS pointer/],
  ['HTML', '<!DOCTYPE html><html><body>Sign in</body></html>', /is a web page/],
])('calls a table that is %s by its name', async (_, content, sentence) => {
  for (const table of ['labels.csv', 'gaze.csv']) {
    const source = folder(three);
    writeFileSync(join(source, table), content);
    await expect(prepare({ folder: source })).rejects.toThrow(new RegExp(`${table} ${sentence.source}`));
  }
  const config = join(place, 'config.yaml');
  writeFileSync(config, content);
  expect(() => readConfigFile(config)).toThrow(sentence);
});

it('says which classes a split lacks', async () => {
  const { out } = await prepare({ folder: folder((i) => (i === 0 ? 'rare' : three(i))) });
  const sentences = missingClasses(openPrepared(out));
  expect(sentences.length).toBeGreaterThan(0);
  expect(sentences.join('\n')).toMatch(/the (train|valid|test) split of .* has no image of .*"rare"/);
});

it('treats the recorded folders as their table says', async () => {
  const golden = goldenPart('folders');
  for (const name of readdirSync(golden)) {
    const prepared = prepare({ folder: join(golden, name), skipBad: name.includes('label') });
    if (name === 'empty-label') {
      const { out } = await prepared;
      expect(openPrepared(out).classNames).toEqual(['Normal', 'pneumonia']);
    } else if (name === 'normalised-gaze') {
      const { report } = await prepared;
      expect(report.problems.join('\n')).toMatch(/between 0 and 1/);
    }
  }
});
