/**
 * Separate processes end with the same bits, also when one is killed at random moments and resumed.
 * KILLS=50 is the long version (`npm run test:endurance`).
 */
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { RunFolder } from '../../src/cli/run-folder.ts';
import { start, trainArguments } from '../support/command.ts';
import { builtProgram } from '../support/program.ts';
import { remains } from '../support/remains.ts';

const KILLS = Number(process.env.KILLS ?? 2);
const place = mkdtempSync(join(tmpdir(), 'mtunet-kill-'));
let main: string;
let reference: ReturnType<typeof remains>;
let milliseconds: number;

beforeAll(async () => {
  main = await builtProgram();
  const began = performance.now();
  const { code, err } = await start(main, trainArguments(place, 'whole')).ended;
  expect(err, err).toMatch(/ended/);
  expect(code).toBe(0);
  milliseconds = performance.now() - began;
  reference = remains(join(place, 'whole'));
});
afterAll(() => rmSync(place, { recursive: true }));

it('two processes agree to the bit', async () => {
  expect((await start(main, trainArguments(place, 'twin')).ended).code).toBe(0);
  expect(remains(join(place, 'twin'))).toEqual(reference);
  console.log(`weights after 9 steps: sha256 ${reference.weights}`);
});

it(`${KILLS} kills at random moments change no bit`, async () => {
  const run = join(place, 'killed');
  let kills = 0;
  let rounds = 0;
  while (kills < KILLS) {
    // Every other kill comes at a random moment, the others
    const fresh = !existsSync(join(run, 'config.json'));
    const { child, ended } = start(main, fresh ? trainArguments(place, 'killed') : ['resume', run]);
    let over = false;
    void ended.then(() => {
      over = true;
    });
    if (kills % 2 === 0) await Promise.race([ended, pause(milliseconds * (0.2 + 0.9 * Math.random()))]);
    else while (!over && !partial(run)) await new Promise(setImmediate);
    if (!over) {
      child.kill('SIGKILL');
      kills++;
    }
    const { code, signal, err } = await ended;
    expect(signal === 'SIGKILL' || code === 0, err).toBe(true);
    if (code === 0) {
      // It was faster than the kill: judge it, and begin another.
      expect(remains(run)).toEqual(reference);
      rmSync(run, { recursive: true });
      if (++rounds > KILLS) break;
    }
  }
  const { code, err } = await start(main, existsSync(run) ? ['resume', run] : trainArguments(place, 'killed')).ended;
  expect(code, err).toBe(0);
  expect(remains(run)).toEqual(reference);
  expect(readdirSync(run).filter((name) => /lock|part$/.test(name))).toEqual([]);
  console.log(`${kills} kills, ${rounds} runs that ended before theirs`);
});

it('SIGTERM, SIGUSR1 and SIGINT stop after a step, and the run goes on to the same bits', async () => {
  const run = join(place, 'stopped');
  for (const name of ['SIGTERM', 'SIGUSR1', 'SIGINT'] as const) {
    const fresh = name === 'SIGTERM';
    const { child, ended } = start(main, fresh ? trainArguments(place, 'stopped') : ['resume', run]);
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

/** Whether a checkpoint is half written. */
function partial(run: string): boolean {
  const folder = join(run, 'checkpoint');
  return existsSync(folder) && readdirSync(folder).some((name) => name.endsWith('.part'));
}
