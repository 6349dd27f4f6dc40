/** The runs of a job in processes side by side: all are finished, a stop reaches all, a failure is told after the others have ended. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { RunFolder } from '../../src/cli/run-folder.ts';
import { finishSideBySide, usualJobs } from '../../src/cli/side-by-side.ts';
import { resolveConfig } from '../../src/mtunet/config.ts';
import type { AdapterDescription } from '../../src/platform/host.ts';
import { SMALL, start } from '../support/command.ts';
import { builtProgram } from '../support/program.ts';

let place: string;
beforeEach(() => {
  place = mkdtempSync(join(tmpdir(), 'mtunet-'));
  vi.stubEnv('MTUNET_THREADS', undefined);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(place, { recursive: true });
});

/** Notes that it runs, and is done, fails, or waits to be stopped, as the name of its run says. */
const RESUME = `
import { appendFileSync } from 'node:fs';
const [, , command, run] = process.argv;
const say = (what) => appendFileSync(process.env.PLACE + '/log', what + ' ' + run + ' ' + process.env.MTUNET_THREADS + '\\n');
if (command !== 'resume') process.exit(2);
say('begins');
if (run === 'bad') {
  process.stderr.write('mtunet: the loss is NaN at step 3.\\n');
  process.exit(1);
}
if (run === 'endless') {
  process.on('SIGTERM', () => { say('stops'); process.exit(130); });
  setInterval(() => {}, 1000);
} else setTimeout(() => say('ends'), 300);
`;

const log = () => (existsSync(join(place, 'log')) ? readFileSync(join(place, 'log'), 'utf8').trim().split('\n') : []);

function finish(runs: string[], jobs: number, signal = new AbortController().signal) {
  const script = join(place, 'resume.mjs');
  writeFileSync(script, RESUME);
  vi.stubEnv('PLACE', place);
  return finishSideBySide(runs, { jobs, signal, program: [process.execPath, script] });
}

it('finishes all, so many at a time, with a share of the cores each', async () => {
  expect(await finish(['a', 'b', 'c'], 2)).toBe(true);
  const threads = Math.max(1, Math.floor(availableParallelism() / 2));
  expect(log().sort()).toEqual(
    ['a', 'b', 'c'].flatMap((run) => [`begins ${run} ${threads}`, `ends ${run} ${threads}`]).sort(),
  );
  let running = 0;
  const counts = readFileSync(join(place, 'log'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => (running += line.startsWith('begins') ? 1 : -1));
  expect(Math.max(...counts)).toBeLessThanOrEqual(2);
});

it('tells a failure in its own words, once the others have ended', async () => {
  await expect(finish(['a', 'bad', 'c'], 2)).rejects.toThrow('bad: the loss is NaN at step 3.');
  expect(log().filter((line) => line.startsWith('ends')).length).toBe(2);
});

it('passes a stop on, and begins nothing more', async () => {
  const stop = new AbortController();
  const ended = finish(['endless', 'a', 'b'], 1, stop.signal);
  while (log().length === 0) await setTimeout(20);
  stop.abort();
  expect(await ended).toBe(false);
  expect(log().map((line) => line.replace(/ \S+$/, ''))).toEqual(['begins endless', 'stops endless']);
});

it('is usual where shaders run on the processor', () => {
  const on = (software: boolean, runs: number) => usualJobs({ software } as AdapterDescription, runs);
  expect(on(false, 3)).toBe(1);
  expect(on(true, 2)).toBe(2);
  expect(on(true, 1000)).toBe(availableParallelism() + 1);
});

it('gives the report of a job whose runs went side by side', async () => {
  const program = await builtProgram();
  const job = join(place, 'job');
  for (const name of ['mtls1', 'mtls3'])
    RunFolder.create(join(job, `${name}-seed1`), resolveConfig('tiny', { ...SMALL, epochs: 1, scheme: { name } }));
  const { code, out, err } = await start(program, ['resume', job, '--jobs', '2']).ended;
  expect(code, err).toBe(0);
  expect(out).toMatch(/^weights sha256 [0-9a-f]{64}$/m);
  expect(out.trim().split('\n').at(-1)).toBe(`report: ${join(job, 'report.html')}`);
  expect(err.match(/^adapter: /gm)?.length).toBe(1);
  expect(err).toMatch(/^mtls1 seed 1 ended .*$/m);
  expect(err).toMatch(/^mtls3 seed 1 ended .*$/m);
  expect(existsSync(join(job, 'report.html'))).toBe(true);
});
