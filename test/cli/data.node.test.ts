/** From invented clinical folders to a data set that loads: values, a kill in the middle, damage, links that leave the folder. */
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import jpeg from 'jpeg-js';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { checkPrepared } from '../../src/cli/commands/data-check.ts';
import { openSource, type SourceOptions } from '../../src/cli/data-sources.ts';
import { writeExample } from '../../src/cli/example-egd.ts';
import { UsageError } from '../../src/cli/failure.ts';
import { prepareData } from '../../src/cli/prepare-data.ts';
import { openPrepared, readIndex } from '../../src/cli/prepared-folder.ts';
import { type Batch, batches } from '../../src/data/batches.ts';
import type { SplitRule } from '../../src/data/case-splits.ts';
import type { ChestDataset } from '../../src/data/dataset.ts';
import { GazeTable } from '../../src/data/gaze-table.ts';
import { heatMap } from '../../src/data/heat-map.ts';
import type { PreparedSample } from '../../src/data/prepared.ts';
import type { Recipe } from '../../src/data/recipe.ts';
import { builtProgram } from '../support/program.ts';

const films = 18;
const size = { height: 128, width: 128 };
const small: Recipe = { height: 160, width: 120, stride: 5, keepCorner: false };
const place = mkdtempSync(join(tmpdir(), 'mtunet-data-'));
const at = (...parts: string[]) => join(place, ...parts);
let main: string;
const egd = { egd: at('egd'), mimic: at('mimic') };

type Changes = Partial<SourceOptions> & { split?: SplitRule; skipBad?: boolean };
async function prepare(out: string, changes: Changes = egd) {
  const source = await openSource({ recipe: 'paper', ...changes });
  const { split = 'patient', skipBad = false } = changes;
  const progress = () => {};
  const { signal } = new AbortController();
  return (await prepareData(source.cases, {
    ...source,
    out: at(out),
    recipe: small,
    split,
    skipBad,
    signal,
    progress,
  }))!.index;
}
const shardsOf = (folder: string) =>
  readdirSync(at(folder, 'shards')).map((name) => readFileSync(at(folder, 'shards', name), 'latin1'));
const every = ({ train, valid, test }: ReturnType<typeof openPrepared>) =>
  [...train, ...valid, ...test] as PreparedSample[];

beforeAll(async () => {
  main = await builtProgram();
  vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  writeExample(place, { films, seed: 1, ...size, gazeBytes: 0 });
  await prepare('whole');
});
afterAll(() => {
  vi.restoreAllMocks();
  rmSync(place, { recursive: true, force: true });
});

it('holds each film over its maximum and the gaze map of the recipe', () => {
  const dataset = openPrepared(at('whole'));
  expect([every(dataset).length, dataset.height, dataset.width]).toEqual([films, 32, 24]);
  const table = new GazeTable('eye_gaze.csv');
  table.push(readFileSync(at('egd', 'eye_gaze.csv')));
  table.end();
  for (const { id, image, gaze } of every(dataset)) {
    expect(image.reduce((a, b) => Math.max(a, b))).toBe(1);
    const expected = heatMap([{ points: table.byId.get(id)!.values }], size, small, 'paper')!;
    for (let i = 0; i < gaze.length; i++)
      expect(Math.abs(gaze[i] - expected[i])).toBeLessThanOrEqual(2 ** -11 * expected[i] + 2 ** -25);
  }
});

/** In a process of its own, which is killed without warning once a shard of two is whole. */
const KILLED = `
const [program, egd, mimic, out, recipe] = process.argv.slice(1);
const { openSource } = await import(program + '/data-sources.js');
const { prepareData } = await import(program + '/prepare-data.js');
const source = await openSource({ recipe: 'paper', egd, mimic });
const progress = (message) => message.startsWith('16 of 18') && process.kill(process.pid, 'SIGKILL');
const { signal } = new AbortController();
await prepareData(source.cases, { ...source, out, recipe: JSON.parse(recipe), split: 'patient', skipBad: false, signal, progress });
`;

it('goes on after a kill to the same bytes, and keeps what is whole', async () => {
  const words = [dirname(main), egd.egd, egd.mimic, at('killed'), JSON.stringify(small)];
  const killed = spawnSync(process.execPath, ['--input-type=module', '-e', KILLED, ...words]);
  expect(killed.signal).toBe('SIGKILL');
  const first = at('killed', 'shards', '0000.safetensors');
  expect([existsSync(first), existsSync(at('killed', 'index.json'))]).toEqual([true, false]);
  const written = statSync(first).mtimeMs;
  await prepare('killed');
  expect(statSync(first).mtimeMs).toBe(written);
  expect(shardsOf('killed')).toEqual(shardsOf('whole'));
  expect(readFileSync(at('killed', 'index.json'), 'utf8')).toBe(readFileSync(at('whole', 'index.json'), 'utf8'));
});

it('makes batches ahead in a thread: the same bits as without, and a sentence when the data go away', async () => {
  // The thread runs built code, so its other end is taken from there too.
  const { prefetching } = await import(/* @vite-ignore */ join(dirname(main), 'prefetch.js'));
  const dataset = openPrepared(at('whole'));
  const ahead = prefetching(at('whole'), dataset) as ChestDataset;
  const augment = { height: 32, width: 24, augmentation: { rotate: 5, shift: 0.1, zoom: 0.1, gamma: 0.2 } };
  const order = { batchSize: 4, seed: 3, epoch: 2, from: 1, augment };
  const got: Batch[] = [];
  for await (const batch of ahead.load!('train', order)) got.push(batch);
  expect(got).toEqual([...batches(dataset.train, order)]);
  for await (const _ of ahead.load!('train', order)) break; // leaves the thread ready for the next epoch
  const valid: Batch[] = [];
  for await (const batch of ahead.load!('valid', { ...order, from: 0, shuffle: false })) valid.push(batch);
  expect(valid.flatMap(({ ids }) => ids)).toEqual(dataset.valid.map(({ id }) => id));
  const gone = prefetching(at('nowhere'), dataset) as ChestDataset;
  await expect(gone.load!('train', order).next()).rejects.toThrow(/holds no prepared data/);
});

it('checks: leakage of the released split, calibration screens, changed bytes', async () => {
  const released = await prepare('released', { ...egd, split: 'released', heatMap: 'released' });
  expect(released.calibrationScreens).toBe(1);
  expect(released.leakage.patients).toBeGreaterThan(0);
  expect(checkPrepared(at('released')).leakage).toEqual(released.leakage);
  expect(checkPrepared(at('whole'))).toMatchObject({
    leakage: { patients: 0, films: 0 },
    problems: [],
    readable: true,
  });
  const shard = at('released', 'shards', '0000.safetensors');
  const bytes = readFileSync(shard);
  bytes[bytes.length - 1] ^= 1;
  writeFileSync(shard, bytes);
  expect(checkPrepared(at('released'))).toMatchObject({
    problems: [expect.stringMatching(/0000.safetensors: the bytes are not those that were written/)],
    readable: false,
  });
});

it('reads films and readings of REFLACX, merged and separate, with ellipses', async () => {
  const reflacx = { reflacx: at('reflacx'), mimic: egd.mimic };
  const merged = await prepare('merged', reflacx);
  // Of 18 films one has another finding; one reading was discarded, and its film has no second one.
  expect(merged.cases.length).toBe(films - 2);
  expect(new Set(merged.cases.map(({ readings }) => readings))).toEqual(new Set([1, 2]));
  expect(merged).toMatchObject({ ellipses: true, settings: { heatMap: 'degrees', readings: 'merged' } });
  for (const { label, ellipses } of every(openPrepared(at('merged'))))
    expect(ellipses.reduce((a, b) => Math.max(a, b))).toBeCloseTo(label === 0 ? 0 : 0.8, 3);
  const separate = await prepare('separate', { ...reflacx, readings: 'separate', phases: [1, 2] });
  expect(separate.cases.length).toBe(merged.cases.reduce((sum, { readings }) => sum + readings, 0));
  expect(checkPrepared(at('separate')).problems).toEqual([]);
  await expect(prepare('none', { ...reflacx, heatMap: 'released' })).rejects.toThrow(/counts samples/);
  rmSync(at('reflacx', 'main_data', 'P100R100000', 'fixations.csv'));
  await expect(prepare('none', reflacx)).rejects.toThrow(/P100R100000\/fixations.csv .* does not exist/);
  const skipping = await prepare('skipping', { ...reflacx, skipBad: true });
  expect(skipping.skipped.map(({ reason }) => reason)).toEqual([expect.stringMatching(/does not exist/)]);
});

it('makes the maps that EGD-CXR and REFLACX have out of fixations', async () => {
  const fixations = await prepare('fixations', { ...egd, heatMap: 'fixations' });
  expect(fixations.cases[0].gazeSamples).toBeLessThan(readIndex(at('whole')).cases[0].gazeSamples / 10);
  await expect(prepare('degrees', { ...egd, heatMap: 'degrees' })).rejects.toThrow(/needs --pixels-per-degree/);
  const degrees = await prepare('degrees', { ...egd, heatMap: 'degrees', pixelsPerDegree: 5 });
  expect(degrees.settings).toMatchObject({ heatMap: 'degrees', pixelsPerDegree: 5 });
});

it('reads MIMIC-CXR-JPG with a warning', async () => {
  const data = Buffer.alloc(size.height * size.width * 4, 255);
  for (let i = 0; i < data.length; i += 4) data.fill(i % 251, i, i + 3);
  const picture = jpeg.encode({ ...size, data }, 90).data;
  for (const [i, { source }] of readIndex(at('whole')).cases.entries()) {
    const path = at('jpg', source.replace(/\.dcm$/, '.jpg'));
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, Buffer.concat([picture, Buffer.of(i)])); // no two files are the same
  }
  const said = vi.mocked(process.stderr.write);
  said.mockClear();
  const index = await prepare('from-jpg', { egd: egd.egd, mimic: at('jpg'), jpg: true });
  expect([index.name, index.cases.length]).toEqual(['EGD-CXR with MIMIC-CXR-JPG', films]);
  expect(said.mock.calls.join('\n')).toMatch(/--jpg: 8-bit films .* are not the signal that the paper trained on/);
  expect(checkPrepared(at('from-jpg')).problems).toEqual([]);
});

it('stops at a bad film with a sentence, or lists it with --skip-bad; follows no link out of the folder', async () => {
  const { source } = readIndex(at('whole')).cases[0];
  const path = at('mimic', source);
  const bytes = readFileSync(path);
  writeFileSync(path, bytes.subarray(0, 5000));
  await expect(prepare('bad')).rejects.toThrow(/\.dcm: .*--skip-bad/);
  const skipping = await prepare('bad', { ...egd, skipBad: true });
  expect([skipping.cases.length, skipping.skipped.length]).toEqual([films - 1, 1]);
  writeFileSync(at('outside.dcm'), bytes);
  rmSync(path);
  symlinkSync(at('outside.dcm'), path);
  await expect(prepare('bad')).rejects.toThrow(/lies outside/);
  rmSync(path);
  await expect(prepare('bad')).rejects.toThrow(/does not exist/);
  mkdirSync(path);
  await expect(prepare('bad')).rejects.toThrow(/it is a folder/);
  rmSync(path, { recursive: true });
  writeFileSync(path, bytes);
});

it('takes a folder of anyone, with names of columns', async () => {
  const names = readIndex(at('whole')).cases.map(({ source }) => source);
  const labels = (rows: string[]) => writeFileSync(at('labels.csv'), `image,what\n${rows.join('\n')}\n`);
  labels(names.map((name, i) => `${name},${i % 2 ? 'ill' : 'well'}`));
  writeFileSync(at('gaze.csv'), `image,gx,gy\n${names.map((name) => `${name},100.5,80\n${name},50,60`).join('\n')}\n`);
  const own = { folder: at('mimic'), labels: at('labels.csv'), gaze: at('gaze.csv') };
  const columns = { file: 'image', label: 'what', x: 'gx', y: 'gy' };
  await prepare('own', { ...own, columns });
  expect(readIndex(at('own')).settings).toMatchObject({ scale: 'fit' });
  expect(openPrepared(at('own')).classNames).toEqual(['ill', 'well']);
  await expect(prepare('own', own)).rejects.toThrow(/labels.csv, line 1: the column "file" is missing/);
  labels([`../egd/master_sheet.csv,ill`, `${names[0]},well`]);
  writeFileSync(at('gaze.csv'), `image,gx,gy\n../egd/master_sheet.csv,1,1\n`);
  await expect(prepare('own', { ...own, columns })).rejects.toThrow(/lies outside/);
});

it('tells wrong usage', async () => {
  const wrong: [Changes, RegExp][] = [
    [{}, /one of --egd and --reflacx/],
    [{ egd: egd.egd }, /--mimic is missing/],
    [{ ...egd, folder: at('mimic') }, /got --egd and --folder/],
    [{ ...egd, phases: [1] }, /--phases speaks of --reflacx/],
    [{ folder: at('mimic'), jpg: true }, /--jpg does not go with --folder/],
    [{ ...egd, egd: at('nowhere') }, /--egd .*nowhere.* does not exist/],
    [{ ...egd, pixelsPerDegree: 3 }, /speaks of --heat-map degrees/],
  ];
  for (const [changes, sentence] of wrong) {
    const failure = await prepare('none', changes).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(UsageError);
    expect((failure as Error).message).toMatch(sentence);
  }
});

it('prints a report, and tells what to do where nothing is prepared', async () => {
  const call = (...words: string[]) => spawnSync(process.execPath, [main, 'data', ...words], { encoding: 'utf8' });
  expect(call('check', at('nowhere'))).toMatchObject({
    status: 2,
    stderr: expect.stringMatching(/mtunet data prepare/),
  });
  const { status, stdout } = call('check', at('whole'));
  expect([status, stdout]).toEqual([0, expect.stringMatching(/problems +none/)]);
  const page = readFileSync(at('whole', 'report.html'), 'utf8');
  expect(page).toMatch(/No problem was found/);
  expect([...page.matchAll(/<img src="data:image\/png;base64,[^"]{100,}"/g)].length).toBe(films);
  for (const { id } of readIndex(at('whole')).cases) expect(page).toContain(id);
  expect(readFileSync(at('whole', 'contact-sheet.png')).subarray(1, 4).toString()).toBe('PNG');
  for (const name of ['contact-sheet.png', 'report.html']) rmSync(at('whole', name));
});

it('shows the films of a set with a problem beside the problem', () => {
  cpSync(at('whole'), at('silent'), { recursive: true });
  const index = JSON.parse(readFileSync(at('silent', 'index.json'), 'utf8'));
  index.cases[0].gazeSamples = 0;
  writeFileSync(at('silent', 'index.json'), JSON.stringify(index));
  const { status } = spawnSync(process.execPath, [main, 'data', 'check', at('silent')], { encoding: 'utf8' });
  expect(status).toBe(1);
  const page = readFileSync(at('silent', 'report.html'), 'utf8');
  expect(page).toContain(`${index.cases[0].id} has no gaze; prepare the data again.`);
  expect([...page.matchAll(/<img src="data:image\/png;base64,[^"]{100,}"/g)].length).toBe(films);
  expect(readFileSync(at('silent', 'contact-sheet.png')).subarray(1, 4).toString()).toBe('PNG');
});

it('refuses an index that was changed by hand', () => {
  cpSync(at('whole'), at('changed'), { recursive: true });
  writeFileSync(at('changed', 'index.json'), '{"format": "mtunet-data-1"}');
  expect(() => openPrepared(at('changed'))).toThrow(/index.json: name: .*; prepare the data again/);
});
