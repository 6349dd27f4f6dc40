/** `data prepare` where the disk fills up at any call, a folder may not be written to or read, or rows of a table are bad. */
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { checkPrepared } from '../../src/cli/commands/data-check.ts';
import { openSource, type Source } from '../../src/cli/data-sources.ts';
import { writeExample } from '../../src/cli/example-egd.ts';
import { Failure } from '../../src/cli/failure.ts';
import { prepareData } from '../../src/cli/prepare-data.ts';
import { readIndex } from '../../src/cli/prepared-folder.ts';

/** Which call of those that write fails from here on, and how. */
const fault = vi.hoisted(() => ({ in: Number.POSITIVE_INFINITY, code: '', calls: 0 }));

vi.mock('node:fs', async (original) => {
  const real = await original<typeof import('node:fs')>();
  const faulty = Object.fromEntries(
    (['mkdirSync', 'openSync', 'writeSync', 'fsyncSync', 'renameSync'] as const).map((name) => [
      name,
      (...args: unknown[]) => {
        if (fault.calls++ === fault.in) throw Object.assign(new Error(`${fault.code}: injected`), { code: fault.code });
        return (real[name] as (...args: unknown[]) => unknown)(...args);
      },
    ]),
  );
  return { ...real, ...faulty };
});

const FILMS = 2;
const place = mkdtempSync(join(tmpdir(), 'mtunet-faults-'));
const at = (...parts: string[]) => join(place, ...parts);
const folders = { recipe: 'paper', egd: at('egd'), mimic: at('mimic') } as const;
const recipe = { height: 160, width: 120, stride: 5, keepCorner: false };
const contents = (folder: string) =>
  ['index.json', 'shards/0000.json', 'shards/0000.safetensors'].map((name) => readFileSync(at(folder, name), 'latin1'));

async function prepare(source: Source, out: string, skipBad = false) {
  const { signal } = new AbortController();
  const progress = () => {};
  const options = { ...source, out: at(out), recipe, split: 'patient', skipBad, signal, progress } as const;
  return (await prepareData(source.cases, options))!.index;
}

/** As somebody who is not root, whom no permission stops. */
async function unprivileged<T>(work: () => Promise<T>): Promise<T> {
  const isRoot = process.geteuid!() === 0;
  if (isRoot) process.seteuid!(65534);
  try {
    return await work();
  } finally {
    if (isRoot) process.seteuid!(0);
  }
}

let source: Source;
beforeAll(async () => {
  vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  chmodSync(place, 0o755);
  writeExample(place, { films: FILMS, seed: 1, height: 128, width: 128, gazeBytes: 0 });
  source = await openSource(folders);
  await prepare(source, 'whole');
});
afterAll(() => {
  vi.restoreAllMocks();
  rmSync(place, { recursive: true, force: true });
});

describe('preparing data', () => {
  it.each([
    ['ENOSPC', 1, /free some space, then go on\.$/],
    ['EROFS', 3, /choose a folder that you may write to/],
    ['EACCES', 4, /choose a folder that you may write to/],
  ])(
    'is stopped by %s (every %d. call that writes) with one sentence, and goes on to the same bytes',
    async (code, every, remedy) => {
      let told = 0;
      for (let call = 0; ; call += every) {
        rmSync(at('out'), { recursive: true, force: true });
        Object.assign(fault, { in: call, code, calls: 0 });
        const error = await prepare(source, 'out').catch((thrown: unknown) => thrown);
        const reached = fault.calls > call;
        fault.in = Number.POSITIVE_INFINITY;
        if (!reached) break;
        if (!(error instanceof Error)) continue; // a flush of the folder may fail in silence
        told++;
        expect(error).toBeInstanceOf(Failure);
        expect(error.message).toMatch(/^\S+\/out\/\S+ could not be written \(\w+: injected\); [^\n]+\.$/);
        expect(error.message).toMatch(remedy);
        expect(() => readIndex(at('out'))).toThrow(/holds no prepared data/);
        await prepare(source, 'out');
        expect(contents('out')).toEqual(contents('whole'));
      }
      expect(told).toBeGreaterThan(10 / every);
    },
  );

  it('tells which folder or file it may not write to or read', async () => {
    mkdirSync(at('closed'), { mode: 0o555 });
    await unprivileged(() =>
      expect(prepare(source, 'closed/out')).rejects.toThrow(
        /closed\/out\/shards\/0000\.safetensors could not be written .*choose a folder that you may write to/,
      ),
    );
    const film = at('mimic', source.cases[0].path);
    for (const [path, work] of [
      [at('egd', 'master_sheet.csv'), () => openSource(folders)],
      [at('egd', 'eye_gaze.csv'), () => openSource(folders)],
      [film, () => prepare(source, 'closed-film')],
    ] as const) {
      chmodSync(path, 0);
      await unprivileged(() => expect(work()).rejects.toThrow(`${path} cannot be read: you may not read it; ask for`));
      chmodSync(path, 0o644);
    }
  });
});

describe('bad rows', () => {
  it('of the master sheet and of the gaze end it with file, line and remedy, or are left out and listed', async () => {
    cpSync(at('egd'), at('bad'), { recursive: true });
    const sheet = at('bad', 'master_sheet.csv');
    const first = source.cases[0].id;
    // Rows of the example take two lines each.
    writeFileSync(sheet, readFileSync(sheet, 'utf8').replace(first, first.slice(1)));
    const damaged = { ...folders, egd: at('bad') };
    await expect(openSource(damaged)).rejects.toThrow(
      /bad\/master_sheet\.csv, line 2: dicom_id is .* correct the row or download the file again\.$/,
    );
    cpSync(at('egd', 'master_sheet.csv'), sheet);
    const gaze = at('bad', 'eye_gaze.csv');
    const [header, one, two, ...rows] = readFileSync(gaze, 'utf8').split('\n');
    const second = two.slice(0, two.lastIndexOf(','));
    writeFileSync(gaze, [header, `${one.slice(0, one.lastIndexOf(','))},NaN`, second, ...rows].join('\n'));
    await expect(openSource(damaged)).rejects.toThrow(
      /bad\/eye_gaze\.csv, line 2: Y_ORIGINAL is "NaN", not a number; correct the row or download the file again\.$/,
    );
    writeFileSync(sheet, readFileSync(sheet, 'utf8').replace(first, first.slice(1)));
    const skipping = await openSource({ ...damaged, skipBad: true });
    const index = await prepare(skipping, 'skipping', true);
    expect(index.cases.length).toBe(FILMS - 1);
    expect(index.skipped).toEqual([
      { id: first.slice(1), reason: expect.stringContaining('master_sheet.csv, line 2: dicom_id is') },
      { id: expect.any(String), reason: expect.stringContaining('eye_gaze.csv, line 2: Y_ORIGINAL is "NaN"') },
      { id: expect.any(String), reason: expect.stringMatching(/eye_gaze\.csv, line 3: the row has \d+ fields/) },
    ]);
    expect(checkPrepared(at('skipping')).skipped).toEqual(index.skipped);
  });

  it('of very many the first hundred are listed, and their number', async () => {
    cpSync(at('egd'), at('many'), { recursive: true });
    const gaze = at('many', 'eye_gaze.csv');
    writeFileSync(gaze, `${readFileSync(gaze, 'utf8')}${'short,row\n'.repeat(250)}`);
    const { bad } = await openSource({ ...folders, egd: at('many'), skipBad: true });
    expect(bad!.length).toBe(101);
    expect(bad!.at(-1)!.reason).toMatch(/eye_gaze\.csv: 150 more rows cannot be read\.$/);
  });
});
