/** A sweep in a pool of processes: what is done stays done, a killed worker goes on, a failed run does not stop the others. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { LocalExecutor } from '../../../src/cli/sweep/local.ts';
import { describeRuns, planSweep, runKey } from '../../../src/cli/sweep/run-description.ts';
import { runSweep } from '../../../src/cli/sweep/run-sweep.ts';
import { resolveConfig } from '../../../src/mtunet/config.ts';

let place: string;
beforeEach(() => {
  place = mkdtempSync(join(tmpdir(), 'mtunet-'));
});
afterEach(() => rmSync(place, { recursive: true }));

const rows = ['mtls1', 'mtls2', 'mtls3'].map((name) => ({
  name,
  config: resolveConfig('tiny', { scheme: { name } }),
}));

/** A worker that dies by a signal the first time on run 1, fails on run 2, and counts its starts. */
const WORKER = `
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
const [, , , folder, index] = process.argv;
const run = JSON.parse(readFileSync(folder + '/sweep.json', 'utf8')).runs[index];
const here = folder + '/' + run.name;
appendFileSync(folder + '/starts', index);
writeFileSync(here + '/threads', process.env.MTUNET_THREADS ?? '');
if (index === '1' && !existsSync(here + '/tried')) {
  writeFileSync(here + '/tried', '');
  process.kill(process.pid, 'SIGKILL');
}
if (index === '2') {
  writeFileSync(here + '/FAILED.json', JSON.stringify({ reason: 'the loss is NaN', failed: '' }));
  process.exit(1);
}
writeFileSync(here + '/DONE', JSON.stringify({ key: run.key, finished: '' }));
`;

/** The suite itself says how many threads its adapters have; here nobody says it. */
afterEach(() => vi.unstubAllEnvs());

it('carries out what is missing, twice', async () => {
  const script = join(place, 'worker.mjs');
  writeFileSync(script, WORKER);
  const sweep = planSweep(join(place, 'sweep'), describeRuns(rows, [1, 2]));
  const options = { tell: () => undefined, signal: new AbortController().signal, pollMs: 20 };
  const go = () => runSweep(new LocalExecutor({ jobs: 2, program: [process.execPath, script] }), sweep, options);
  const outcome = await go();
  expect(outcome).toEqual({
    done: 5,
    failed: [{ name: 'mtls3-seed1', reason: 'the loss is NaN' }],
    interrupted: false,
    goesOn: false,
  });
  const starts = () => [...readFileSync(join(sweep.folder, 'starts'), 'utf8')].sort().join('');
  expect(starts()).toBe('0112345');
  await go();
  expect(starts()).toBe('01122345');
});

it('gives every process its share of the cores', async () => {
  vi.stubEnv('MTUNET_THREADS', undefined);
  const script = join(place, 'worker.mjs');
  writeFileSync(script, WORKER);
  const sweep = planSweep(join(place, 'sweep'), describeRuns(rows.slice(0, 1), [1]));
  const options = { tell: () => undefined, signal: new AbortController().signal, pollMs: 20 };
  const threads = async (jobs: number) => {
    rmSync(join(sweep.folder, 'mtls1-seed1', 'DONE'), { force: true });
    await runSweep(new LocalExecutor({ jobs, program: [process.execPath, script] }), sweep, options);
    return readFileSync(join(sweep.folder, 'mtls1-seed1', 'threads'), 'utf8');
  };
  expect(await threads(1)).toBe('');
  expect(await threads(2)).toBe(String(Math.max(1, Math.floor(availableParallelism() / 2))));
  expect(await threads(1000)).toBe('1');
  vi.stubEnv('MTUNET_THREADS', '3');
  expect(await threads(2)).toBe('3');
});

it('knows a run by its configuration and seed, whatever the order of names', () => {
  const { scheme, ...rest } = rows[0].config;
  expect(runKey({ scheme, ...rest })).toBe(runKey(rows[0].config));
  expect(runKey({ ...rows[0].config, seed: 2 })).not.toBe(runKey(rows[0].config));
  expect(runKey(rows[1].config)).not.toBe(runKey(rows[0].config));
  planSweep(join(place, 'other'), describeRuns(rows, [1]));
  const changed = rows.map((row) => ({ ...row, config: { ...row.config, epochs: 3 } }));
  expect(() => planSweep(join(place, 'other'), describeRuns(changed, [1]))).toThrow(/another configuration/);
});
