/** From invented clinical folders to a data set that loads: values, a stop in the middle, damage, links that leave the folder. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { checkPrepared } from '../../src/cli/commands/data-check.ts';
import { openPrepared } from '../../src/cli/prepared-folder.ts';
import { GazeTable } from '../../src/data/gaze-table.ts';
import { recipeGaze, recipes } from '../../src/data/recipe.ts';
import { builtProgram } from '../support/program.ts';

let main: string;
let place: string;
const films = 24;
const at = (...parts: string[]) => join(place, ...parts);
const call = (...words: string[]) => spawnSync(process.execPath, [main, 'data', ...words], { encoding: 'utf8' });
const prepare = (out: string, ...more: string[]) =>
  call('prepare', '--egd', at('egd'), '--mimic', at('mimic'), '--out', at(out), '--json', ...more);
const bytesOf = (folder: string) =>
  readdirSync(at(folder, 'shards')).map((name) => readFileSync(at(folder, 'shards', name)));

beforeAll(async () => {
  main = await builtProgram();
  place = mkdtempSync(join(tmpdir(), 'mtunet-data-'));
  const size = ['--height', '256', '--width', '212'];
  execFileSync(process.execPath, [main, 'data', 'example', '--out', at('both'), '--films', `${films}`, ...size]);
  for (const name of ['egd', 'mimic']) symlinkSync(at('both', name), at(name));
  expect(prepare('whole').status).toBe(0);
});
afterAll(() => rmSync(place, { recursive: true, force: true }));

it('holds each film over its maximum and the gaze map of the recipe', () => {
  const { train, valid, test, height, width } = openPrepared(at('whole'));
  expect([train.length + valid.length + test.length, height, width]).toEqual([films, 640, 416]);
  const table = new GazeTable('eye_gaze.csv');
  table.push(readFileSync(at('egd', 'eye_gaze.csv')));
  table.end();
  const [{ id, image, gaze }] = train;
  expect(Math.max(...image)).toBe(1);
  const expected = recipeGaze(table.byId.get(id)!.points, { height: 256, width: 212 }, recipes.paper)!;
  for (let i = 0; i < gaze.length; i++)
    expect(Math.abs(gaze[i] - expected[i])).toBeLessThanOrEqual(2 ** -11 * expected[i] + 2 ** -25);
});

it('goes on after a stop to the same bytes, and keeps what is whole', () => {
  expect(prepare('again').status).toBe(0);
  rmSync(at('again', 'shards', '0001.json')); // as if killed before the second shard was whole
  rmSync(at('again', 'index.json'));
  const first = statSync(at('again', 'shards', '0000.safetensors')).mtimeMs;
  expect(prepare('again').status).toBe(0);
  expect(statSync(at('again', 'shards', '0000.safetensors')).mtimeMs).toBe(first);
  expect(bytesOf('again').map((bytes, i) => bytes.equals(bytesOf('whole')[i]))).toEqual(
    bytesOf('whole').map(() => true),
  );
});

it('checks: leakage of the released split, calibration screens, changed bytes', () => {
  const released = JSON.parse(prepare('released', '--split', 'released', '--recipe', 'released').stdout);
  expect(released.calibrationScreens).toBe(2);
  expect(released.leakage.patients).toBeGreaterThan(0);
  expect(checkPrepared(at('released')).leakage).toEqual(released.leakage);
  expect(checkPrepared(at('whole')).leakage).toEqual({ patients: 0, films: 0 });
  const shard = at('released', 'shards', '0000.safetensors');
  const bytes = readFileSync(shard);
  bytes[bytes.length - 1] ^= 1;
  writeFileSync(shard, bytes);
  const { status, stdout } = call('check', at('released'), '--no-sheet');
  expect([status, stdout]).toEqual([
    1,
    expect.stringMatching(/0000.safetensors: the bytes are not those that were written/),
  ]);
});

it('stops at a bad film with a sentence, or lists it with --skip-bad; follows no link out of the folder', () => {
  const { source } = JSON.parse(readFileSync(at('whole', 'index.json'), 'utf8')).cases[0];
  const path = at('both', 'mimic', source);
  const bytes = readFileSync(path);
  writeFileSync(path, bytes.subarray(0, 5000));
  const bad = prepare('bad');
  expect([bad.status, bad.stderr]).toEqual([1, expect.stringMatching(/\.dcm: .*--skip-bad/)]);
  const skipping = JSON.parse(prepare('bad', '--skip-bad').stdout);
  expect([skipping.films, skipping.skipped.length]).toEqual([films - 1, 1]);
  writeFileSync(at('outside.dcm'), bytes);
  rmSync(path);
  symlinkSync(at('outside.dcm'), path);
  expect(prepare('bad').stderr).toMatch(/lies outside/);
  rmSync(path);
  expect(prepare('bad').stderr).toMatch(/does not exist/);
  writeFileSync(path, bytes);
});

it('takes a folder of anyone, with names of columns', () => {
  const index = JSON.parse(readFileSync(at('whole', 'index.json'), 'utf8'));
  const names: string[] = index.cases.map(({ source }: { source: string }) => source);
  writeFileSync(
    at('labels.csv'),
    `image,what\n${names.map((name, i) => `${name},${i % 2 ? 'ill' : 'well'}`).join('\n')}\n`,
  );
  writeFileSync(at('gaze.csv'), `image,gx,gy\n${names.map((name) => `${name},100.5,80\n${name},50,60`).join('\n')}\n`);
  const own = ['--folder', at('mimic'), '--labels', at('labels.csv'), '--gaze', at('gaze.csv'), '--out', at('own')];
  const { status, stderr } = call('prepare', ...own, '--columns', 'file=image,label=what,x=gx,y=gy');
  expect([status, stderr]).toEqual([0, expect.any(String)]);
  expect(openPrepared(at('own')).classNames).toEqual(['ill', 'well']);
  expect(call('prepare', ...own).stderr).toMatch(/labels.csv, line 1: the column "file" is missing/);
});

it('tells wrong usage by exit code 2', () => {
  expect(call('prepare', '--out', at('none')).status).toBe(2);
  expect(call('check', at('nowhere'))).toMatchObject({
    status: 2,
    stderr: expect.stringMatching(/mtunet data prepare/),
  });
});
