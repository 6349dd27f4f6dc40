/**
 * Separate processes end with the same bits, also when one is killed, stopped or out of disk space, and resumed.
 * KILLS=50 is the long version (`npm run test:endurance`): random moments as well as the middle of a checkpoint, and every signal.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { RunFolder } from '../../src/cli/run-folder.ts';
import { start, trainArguments } from '../support/command.ts';
import { builtProgram } from '../support/program.ts';
import { remains } from '../support/remains.ts';

const KILLS = Number(process.env.KILLS ?? 1);
const place = mkdtempSync(join(tmpdir(), 'mtunet-kill-'));
/** Six steps in the short version. */
const config = { epochs: KILLS > 1 ? 3 : 2 };
const SIGNALS = ['SIGTERM', 'SIGUSR1', 'SIGINT'].slice(0, KILLS > 1 ? 3 : 1) as NodeJS.Signals[];
const trainingOf = (name: string) => trainArguments(place, name, config);
/** Whether this system lets a user make name spaces of their own, as most Linux systems do. */
const may = (...options: string[]) => spawnSync('unshare', [...options, 'true']).status === 0;
/** A module that kills its process instead of the `nth` call that brings something to the disk. */
const suicide = (nth: number) =>
  `data:text/javascript,${encodeURIComponent(`
    import fs from 'node:fs';
    import { syncBuiltinESMExports } from 'node:module';
    let calls = 0;
    for (const name of ['writeSync', 'fsyncSync', 'renameSync']) {
      const real = fs[name];
      fs[name] = (...args) => (++calls === ${nth} ? process.kill(process.pid, 'SIGKILL') : real(...args));
    }
    syncBuiltinESMExports();`)}`;
let main: string;
let reference: ReturnType<typeof remains>;
let milliseconds: number;

beforeAll(async () => {
  main = await builtProgram();
  const began = performance.now();
  const { code, err } = await start(main, trainingOf('whole')).ended;
  expect(err, err).toMatch(/ended/);
  expect(code).toBe(0);
  milliseconds = performance.now() - began;
  reference = remains(join(place, 'whole'));
});
afterAll(() => rmSync(place, { recursive: true }));

it(`${KILLS} kills change no bit`, async () => {
  const run = join(place, 'killed');
  // A kill may come before there is anything to resume.
  const begun = () => existsSync(join(run, 'config.json'));
  let rounds = 0;
  for (let kills = 0; kills < KILLS && rounds <= KILLS; ) {
    // Every other kill comes at a random moment, the others in the middle of writing.
    const atRandom = kills % 2 === 1;
    const nodeOptions = atRandom ? [] : ['--import', suicide(1 + Math.floor(12 * Math.random()))];
    const { child, ended } = start(main, begun() ? ['resume', run] : trainingOf('killed'), { nodeOptions });
    if (atRandom) {
      await Promise.race([ended, pause(milliseconds * (0.2 + 0.9 * Math.random()))]);
      child.kill('SIGKILL');
    }
    const { code, signal, err } = await ended;
    expect(signal === 'SIGKILL' || code === 0, err).toBe(true);
    if (signal === 'SIGKILL') kills++;
    else {
      // It was faster than the kill: judge it, and begin another.
      expect(remains(run)).toEqual(reference);
      rmSync(run, { recursive: true });
      rounds++;
    }
  }
  const { code, err } = await start(main, begun() ? ['resume', run] : trainingOf('killed')).ended;
  expect(code, err).toBe(0);
  expect(remains(run)).toEqual(reference);
  expect(readdirSync(run).filter((name) => /lock|part$/.test(name))).toEqual([]);
  console.log(`${KILLS} kills, ${rounds} runs that ended before theirs`);
});

it(`${SIGNALS.join(', ')}: stop after a step, and the run goes on to the same bits`, async () => {
  const run = join(place, 'stopped');
  for (const name of SIGNALS) {
    const fresh = name === SIGNALS[0];
    const { child, ended } = start(main, fresh ? trainingOf('stopped') : ['resume', run]);
    const lines = () => (existsSync(join(run, 'steps.jsonl')) ? RunFolder.open(run).steps.length : 0);
    const before = lines();
    while (lines() === before && child.exitCode === null) await pause(5);
    child.kill(name);
    const { code, err } = await ended;
    expect(code, err).toBe(130);
    expect(err).toMatch(/nothing is lost.*mtunet resume/i);
  }
  expect((await start(main, ['resume', run]).ended).code).toBe(0);
  expect(remains(run)).toEqual(reference);
});

it.skipIf(!may('-rm'))(
  'a full disk and a read-only one stop it with a sentence, and it goes on to the same bits',
  async () => {
    const disk = join(place, 'disk');
    mkdirSync(disk);
    const checkpoint = statSync(join(place, 'whole/checkpoint/latest.safetensors')).size;
    const [, ...train] = trainingOf('full');
    const out = join(disk, 'run');
    // The first checkpoint fits, the second does not.
    const script = `
    mount -t tmpfs -o size=${Math.floor(1.5 * checkpoint)} none "$DISK"
    "$@" train ${train.slice(0, -1).join(' ')} ${out}; echo "full $?" >&2
    mount -o remount,ro "$DISK"; "$@" resume ${out}; echo "read-only $?" >&2
    mount -o remount,rw,size=64m "$DISK"; "$@" resume ${out}; echo "wide $?" >&2
    cp -r ${out} ${join(place, 'full')}`;
    const through = ['unshare', '-rm', 'sh', '-c', script, 'sh'];
    const { err } = await start(main, [], { through, env: { DISK: disk } }).ended;
    expect(err).toMatch(/ENOSPC.*free some space, then go on\.\nfull 1\n/);
    expect(err).toMatch(/EROFS.*choose a folder that you may write to.*\nread-only 1\n/);
    expect(err).toMatch(/wide 0\n/);
    expect(remains(join(place, 'full'))).toEqual(reference);
  },
);
