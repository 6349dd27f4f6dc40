/** A picture of one's own is seen as the training pictures were: for every preparation, bit for bit, and in the predictions of a run. */
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { encode as encodePng } from 'fast-png';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { register } from '../../src/cli/commands/predict.ts';
import { openSource, type SourceOptions } from '../../src/cli/data-sources.ts';
import { writeExample } from '../../src/cli/example-egd.ts';
import { inputHash, inputOf } from '../../src/cli/input-of.ts';
import { loadData } from '../../src/cli/load-data.ts';
import { prepareData } from '../../src/cli/prepare-data.ts';
import { openPrepared, readIndex } from '../../src/cli/prepared-folder.ts';
import { RunFolder } from '../../src/cli/run-folder.ts';
import { trainRun } from '../../src/cli/train-run.ts';
import { writeDicom } from '../../src/data/dicom-writer.ts';
import { fullRange } from '../../src/data/film.ts';
import { readFilm } from '../../src/data/film-file.ts';
import { networkInput } from '../../src/data/picture-input.ts';
import type { Recipe } from '../../src/data/recipe.ts';
import { resolveConfig } from '../../src/mtunet/config.ts';
import { exponential, logSoftmax } from '../../src/mtunet/metrics/index.ts';
import { runCommand, SMALL } from '../support/command.ts';
import { testGpu } from '../support/gpu.ts';

const place = mkdtempSync(join(tmpdir(), 'mtunet-input-'));
const at = (...parts: string[]) => join(place, ...parts);
const recipe: Recipe = { height: 160, width: 160, stride: 5, keepCorner: false };

/** Films of 128 x 128; every third as MONOCHROME1, and one of them signed with rescale. */
beforeAll(async () => {
  vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  writeExample(place, { films: 18, seed: 3, height: 128, width: 128, gazeBytes: 0 });
  for (const [i, path] of dicomsBelow(at('mimic')).entries()) {
    if (i % 3) continue;
    const { height, width, pixels, bits } = await readFilm(path, readFileSync(path));
    const range = fullRange(4095);
    const turned = new Uint8Array(pixels.map((value) => range - value).buffer as ArrayBuffer);
    writeFileSync(path, writeDicom({ height, width, bits, allocated: 16, photometric: 'MONOCHROME1', pixels: turned }));
  }
  await ownFolder();
});
afterAll(() => {
  vi.restoreAllMocks();
  rmSync(place, { recursive: true, force: true });
});

function dicomsBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.name.endsWith('.dcm'))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

/** The same films under short names, one as PNG of another size, with tables of labels and gaze. */
async function ownFolder(): Promise<void> {
  mkdirSync(at('own'));
  const [labels, gaze] = [['file,label'], ['file,x,y']];
  for (const [i, path] of dicomsBelow(at('mimic')).entries()) {
    const name = i === 4 ? `film${i}.png` : `film${i}`;
    if (i === 4) {
      const data = Uint8Array.from({ length: 90 * 70 }, (_, k) => (k * 7) % 251);
      writeFileSync(at('own', name), encodePng({ width: 70, height: 90, data, channels: 1, depth: 8 }));
    } else cpSync(path, at('own', name));
    labels.push(`${name},${['a', 'b', 'c'][i % 3]}`);
    for (let k = 0; k < 5; k++) gaze.push(`${name},${20 + 5 * k},${30 + 3 * k}`);
  }
  writeFileSync(at('own', 'labels.csv'), labels.join('\n'));
  writeFileSync(at('own', 'gaze.csv'), gaze.join('\n'));
}

async function prepare(out: string, source: Partial<SourceOptions>, canvas = recipe) {
  const { cases, ...opened } = await openSource({ recipe: 'paper', ...source });
  const { signal } = new AbortController();
  await prepareData(cases, {
    ...opened,
    out: at(out),
    recipe: canvas,
    split: 'patient',
    skipBad: false,
    signal,
    progress: () => {},
  });
  return opened.films;
}

const egd = { egd: at('egd'), mimic: at('mimic') };
const reflacx = { reflacx: at('reflacx'), mimic: at('mimic') };
const folder = { folder: at('own') };
const corner = { ...recipe, height: 100, width: 80, keepCorner: true };

it.each<[string, Partial<SourceOptions>, Recipe]>([
  ['EGD-CXR', egd, recipe],
  ['EGD-CXR, inverted', { ...egd, monochrome1: 'invert' }, recipe],
  ['EGD-CXR, fitted and inverted', { ...egd, monochrome1: 'invert', scale: 'fit' }, recipe],
  ['EGD-CXR, cropped at the corner', egd, corner],
  ['EGD-CXR through windows', { ...egd, voi: 'apply' }, recipe],
  ['REFLACX', reflacx, recipe],
  ['REFLACX, fitted', { ...reflacx, scale: 'fit' }, corner],
  ['a folder of one’s own', folder, recipe],
  ['a folder of one’s own, kept', { ...folder, monochrome1: 'keep', scale: 'keep' }, recipe],
])('prepares %s as a picture is shown to a network', async (name, source, canvas) => {
  const out = `prepared ${name}`;
  const films = await prepare(out, source, canvas);
  const input = inputOf(at(out));
  const { cases } = readIndex(at(out));
  const { train, valid, test } = openPrepared(at(out));
  expect(cases.length).toBeGreaterThan(5);
  for (const { id, image } of [...train, ...valid, ...test]) {
    const path = join(films, cases.find((one) => one.id === id)!.source);
    const seen = networkInput(await readFilm(path, readFileSync(path)), input);
    expect(Buffer.from(seen.buffer).equals(Buffer.from(image.buffer)), id).toBe(true);
  }
});

it('predicts a test film of a run as the run itself did, and says which input it saw', async () => {
  const films = await prepare('data', { ...egd, monochrome1: 'invert' });
  const changes = { data: at('data'), epochs: 1, batchSize: 2 };
  const config = resolveConfig('tiny', SMALL, changes);
  const run = RunFolder.create(at('run'), config);
  const dataset = loadData(config, { prefetch: false });
  await trainRun(await testGpu(), run, dataset, new AbortController().signal);
  const { cases } = readIndex(at('data'));
  const paths = dataset.test.map(({ id }) => join(films, cases.find((one) => one.id === id)!.source));
  const { json } = await runCommand(register, 'predict', at('run'), ...paths, '--out', at('out'), '--json');
  const found = json as { image: string; file: string; input_sha256: string; probabilities: number[] }[];
  expect(found.map(({ file }) => file)).toEqual(paths);
  const { diagnosis } = run.predictions;
  for (const [i, { input_sha256, probabilities, file, image }] of found.entries()) {
    expect(input_sha256).toBe(inputHash(dataset.test[i].image));
    const stored = exponential(logSoftmax(diagnosis[i]));
    probabilities.forEach((p, c) => {
      expect(Math.abs(p - stored[c])).toBeLessThan(1e-6);
    });
    expect(image).toBe(basename(file, '.dcm'));
    expect(existsSync(at('out', `${image}.png`))).toBe(true);
  }
});

it('does not guess for a run that lacks the description', async () => {
  const provenance = JSON.parse(readFileSync(at('run', 'provenance.json'), 'utf8'));
  cpSync(at('run'), at('old'), { recursive: true });
  const { input: _, ...without } = provenance;
  writeFileSync(at('old', 'provenance.json'), JSON.stringify(without));
  const film = dicomsBelow(at('mimic'))[0];
  const predict = (...more: string[]) =>
    runCommand(register, 'predict', at('old'), film, '--out', at('out-old'), '--json', ...more);
  await expect(predict()).rejects.toThrow(/does not say how a picture becomes its input.*--input/);
  const [stated] = (await predict('--input', at('data'))).json as { input_sha256: string }[];
  const [fitted] = (await predict('--input', 'fit')).json as { input_sha256: string }[];
  const bytes = readFileSync(film);
  expect(stated.input_sha256).toBe(inputHash(networkInput(await readFilm(film, bytes), inputOf(at('data')))));
  expect(fitted.input_sha256).not.toBe(stated.input_sha256);
  await expect(predict('--input', at('prepared EGD-CXR, cropped at the corner'))).rejects.toThrow(
    /inputs of 20 x 16, the run's network was trained at 32 x 32/,
  );
});

it('keeps the results of films of one name apart, in one call and after another', async () => {
  const [a, b] = dicomsBelow(at('mimic'));
  for (const part of ['A', 'B']) mkdirSync(at(part), { recursive: true });
  cpSync(a, at('A', 'chest.dcm'));
  cpSync(b, at('B', 'chest.dcm'));
  cpSync(b, at('B', 'CHEST.png.dcm'));
  writeFileSync(at('B', 'broken.dcm'), 'nothing');
  const predict = async (...files: string[]) => {
    const { json, exitCode } = await runCommand(
      register,
      'predict',
      at('run'),
      ...files,
      '--out',
      at('names'),
      '--json',
    );
    return { entries: json as { image: string | null; picture?: string; error?: string }[], exitCode };
  };
  const together = await predict(at('A', 'chest.dcm'), at('B', 'chest.dcm'), at('A', 'chest.dcm'));
  expect(together.entries.map(({ image }) => image)).toEqual(['A-chest.dcm', 'B-chest.dcm']);
  const [one] = (await predict(at('A', 'chest.dcm'))).entries;
  const [other] = (await predict(at('B', 'chest.dcm'))).entries;
  const [again] = (await predict(at('A', 'chest.dcm'))).entries;
  expect([one.image, other.image, again.image]).toEqual(['chest', 'chest-2', 'chest']);
  expect(readdirSync(at('names')).sort()).toEqual([
    'A-chest.dcm.png',
    'B-chest.dcm.png',
    'chest-2.png',
    'chest.png',
    'predictions.json',
  ]);
  const mixed = await predict(at('B', 'broken.dcm'), at('A', 'chest.dcm'));
  expect(mixed.exitCode).toBe(1);
  expect(mixed.entries[0]).toMatchObject({ image: null, error: expect.stringMatching(/broken\.dcm/) });
  expect(mixed.entries[1].image).toBe('chest');
});
