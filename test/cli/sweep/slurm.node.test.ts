/**
 * Sweeps on Slurm: the script with a worker and a scontrol of ours, and what the commands' answers mean.
 * SLURM=real (`npm run test:slurm`) starts a cluster of one node and holds six runs on it against a local pool.
 */
import { spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { parse } from 'yaml';
import { indexedJob } from '../../../src/cli/sweep/kubernetes.ts';
import { describeRuns, planSweep, type Sweep } from '../../../src/cli/sweep/run-description.ts';
import { SlurmExecutor } from '../../../src/cli/sweep/slurm.ts';
import { batchScript, ranges } from '../../../src/cli/sweep/slurm-script.ts';
import { lastCompletion, tasksOf } from '../../../src/cli/sweep/slurm-states.ts';
import { resolveConfig } from '../../../src/mtunet/config.ts';

let place: string;
let sweep: Sweep;
beforeEach(() => {
  place = mkdtempSync(join(tmpdir(), "mtunet's "));
  const rows = ['mtls1', 'mtls2', 'mtls3'].map((name) => ({
    name,
    config: resolveConfig('tiny', { scheme: { name } }),
  }));
  sweep = planSweep(join(place, 'sweep'), describeRuns(rows, [1, 2]));
});
afterEach(() => rmSync(place, { recursive: true }));

/** A program on the PATH of what the test starts. */
function fake(name: string, code: string): void {
  const path = join(place, 'bin', name);
  mkdirSync(join(place, 'bin'), { recursive: true });
  writeFileSync(path, `#!/bin/bash\n${code}\n`);
  chmodSync(path, 0o755);
}
const PATH = () => `${join(place, 'bin')}${delimiter}${process.env.PATH}`;
const asked = () =>
  existsSync(join(place, 'asked')) ? readFileSync(join(place, 'asked'), 'utf8').trim().split('\n') : [];

/** Starts the script as Slurm would for one task. */
function startTask(worker: string, index: number) {
  fake('scontrol', `echo "$@" >> '${join(place, 'asked').replaceAll("'", "'\\''")}'; kill -TERM $PPID`);
  fake('worker', worker);
  const path = join(place, 'task.sh');
  const program = [join(place, 'bin', 'worker'), 'an argument'];
  writeFileSync(path, batchScript(sweep, sweep.runs, { program, throttle: 2, options: ['--gres=gpu:1'] }));
  const env = {
    ...process.env,
    PATH: PATH(),
    SLURM_ARRAY_JOB_ID: '7',
    SLURM_ARRAY_TASK_ID: `${index}`,
    SLURM_JOB_ID: '9',
  };
  const child = spawn('bash', [path], { env, stdio: 'inherit' });
  const ended = new Promise<number | string | null>((resolve) =>
    child.once('close', (code, signal) => resolve(signal ?? code)),
  );
  return { child, ended, log: () => readFileSync(join(sweep.folder, sweep.runs[index].name, 'log.txt'), 'utf8') };
}

it('the script finds the run, hands the rest of the work to the worker, and says how it ended', async () => {
  const done = startTask('echo "$@"', 4);
  expect(await done.ended).toBe(0);
  expect(done.log()).toMatch(new RegExp(`an argument worker ${sweep.folder} 4\n$`));
  expect(readFileSync(join(place, 'task.sh'), 'utf8')).toMatch(/#SBATCH --array=0-5%2\n[\s\S]*#SBATCH --gres=gpu:1\n/);
  expect(await startTask('exit 1', 0).ended).toBe(1);
  expect(asked()).toEqual([]);
});

it('SIGUSR1 reaches the worker, and its checkpoint puts the task back into the queue', async () => {
  const task = startTask('trap "echo saved; exit 130" USR1; echo ready; while :; do sleep 0.05; done', 1);
  while (!existsSync(join(sweep.folder, sweep.runs[1].name, 'log.txt')) || !/ready/.test(task.log())) await pause(20);
  task.child.kill('SIGUSR1');
  expect(await task.ended).toBe('SIGTERM');
  expect(task.log()).toMatch(/saved\n.*back into the queue/);
  expect(asked()).toEqual(['requeue 9']);
});

it('a worker that is killed goes on twice, not for ever; a cancelled one does not', async () => {
  for (let time = 1; time <= 2; time++) expect(await startTask('kill -KILL $$', 2).ended).toBe('SIGTERM');
  expect(asked()).toEqual(['requeue 9', 'requeue 9']);
  const last = startTask('kill -KILL $$', 2);
  expect(await last.ended).toBe(137);
  expect(last.log()).toMatch(/killed by signal 9; goes on from its checkpoint/);
  mkdirSync(join(sweep.folder, 'slurm'));
  writeFileSync(join(sweep.folder, 'slurm', 'cancelled'), '');
  expect(await startTask('exit 130', 3).ended).toBe(130);
  expect(asked()).toHaveLength(2);
});

it('submits what is not in the queue yet, and tells the state of each run from queue, marks and completions', async () => {
  const before = process.env.PATH;
  process.env.PATH = PATH();
  try {
    fake('sbatch', `echo "$@" >> "${place}/submitted"; echo "12;cluster"`);
    fake('squeue', `cat "${place}/queue" 2> /dev/null`);
    fake('sacct', 'echo "Slurm accounting storage is disabled" >&2; exit 1');
    fake(
      'scontrol',
      `printf 'JobCompLoc              = ${place}/done.txt\\nJobCompType             = jobcomp/filetxt\\n'`,
    );
    const executor = new SlurmExecutor({ throttle: 3, program: ['mtunet'], grace: 0 });
    expect(await executor.submit(sweep, sweep.runs.slice(0, 4))).toMatch(/^job 12, 4 tasks, 3 at a time/);
    writeFileSync(join(place, 'queue'), '1|RUNNING|None\n2|PENDING|JobArrayTaskLimit\n');
    mkdirSync(join(sweep.folder, sweep.runs[0].name));
    writeFileSync(
      join(sweep.folder, sweep.runs[0].name, 'DONE'),
      JSON.stringify({ key: sweep.runs[0].key, finished: '2026-11-25T12:00:00.000Z' }),
    );
    const states = await executor.status();
    expect([0, 1, 2].map((index) => states.get(index))).toEqual([
      { state: 'done', reason: null },
      { state: 'running', reason: null },
      { state: 'waiting', reason: 'Slurm: JobArrayTaskLimit' },
    ]);
    const again = new SlurmExecutor({ throttle: 3, program: ['mtunet'] });
    expect(await again.submit(sweep, sweep.runs.slice(1, 3))).toBe('2 tasks are in the queue already');
    expect(readFileSync(join(place, 'submitted'), 'utf8').trim().split('\n')).toHaveLength(1);
  } finally {
    process.env.PATH = before;
  }
});

it('reads the answers of squeue and the file of completions', () => {
  const tasks = tasksOf('0|COMPLETING|None\n3|PENDING|BeginTime\n4|COMPLETED|None\n\n10-20|PENDING|Priority\n');
  expect([...tasks]).toEqual([
    [0, { running: true, reason: null }],
    [3, { running: false, reason: 'Slurm: BeginTime' }],
  ]);
  const line = (index: number, state: string, code: string) =>
    `JobId=${index + 5} JobState=${state} ArrayJobId=12 ArrayTaskId=${index} DerivedExitCode=0:0 ExitCode=${code}\n`;
  const text = line(1, 'FAILED', '2:0') + line(1, 'TIMEOUT', '0:15') + line(11, 'COMPLETED', '0:0');
  expect(lastCompletion(text, '12', 1)).toBe('Slurm: TIMEOUT, exit code 0');
  expect(lastCompletion(text, '12', 2)).toBeNull();
  expect(ranges([5, 0, 1, 2, 7, 8])).toBe('0-2,5,7-8');
});

it('the Kubernetes manifest runs the same workers, one for each index', () => {
  const text = indexedJob(sweep, { name: 'table-3-tiny', image: 'registry/mtunet:1', claim: 'disk', throttle: 4 });
  expect(text).toContain('#   5  mtls3, seed 2\n');
  const { spec, metadata } = parse(text);
  expect(metadata.name).toBe('mtunet-table-3-tiny');
  expect(spec).toMatchObject({ completionMode: 'Indexed', completions: 6, parallelism: 4 });
  const { containers, volumes, restartPolicy } = spec.template.spec;
  expect(containers[0].command).toEqual(['mtunet', 'worker', '/sweep', '$(RUN)']);
  expect(containers[0].volumeMounts[0].name).toBe(volumes[0].name);
  expect(volumes[0].persistentVolumeClaim.claimName).toBe('disk');
  expect(restartPolicy).toBe('Never'); // podFailurePolicy asks for it
});

if (process.env.SLURM === 'real') await import('./real-slurm.ts');
