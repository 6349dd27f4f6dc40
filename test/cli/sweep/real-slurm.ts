/** Six runs on a real one-node cluster, one worker killed and one asked for a checkpoint, against the same six in a local pool. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { RunFolder } from '../../../src/cli/run-folder.ts';
import { LocalExecutor } from '../../../src/cli/sweep/local.ts';
import { describeRuns, planSweep, type Sweep } from '../../../src/cli/sweep/run-description.ts';
import { runSweep } from '../../../src/cli/sweep/run-sweep.ts';
import { SlurmExecutor } from '../../../src/cli/sweep/slurm.ts';
import { resolveConfig } from '../../../src/mtunet/config.ts';
import { SMALL } from '../../support/command.ts';
import { builtProgram } from '../../support/program.ts';
import { slurmProblem, startSlurm } from '../../support/slurm.ts';

const EPOCHS = 6;
const rows = ['mtls1', 'mtls2', 'mtls3'].map((name) => ({
  name,
  config: resolveConfig('tiny', { ...SMALL, epochs: EPOCHS, scheme: { name } }),
}));

/** What must be equal to the bit. */
function remains(sweep: Sweep) {
  return sweep.runs.map(({ name }) => {
    const folder = RunFolder.open(join(sweep.folder, name));
    const hash = (file: string) =>
      createHash('sha256')
        .update(readFileSync(folder.file(file)))
        .digest('hex');
    return { name, weights: hash('weights.safetensors'), steps: hash('steps.jsonl'), evaluation: folder.evaluation };
  });
}

it('a sweep on Slurm ends with the numbers of a local one, though a worker was killed', async (context) => {
  const problem = slurmProblem();
  if (problem) context.skip(`Slurm cannot be had here: ${problem}`);
  const main = await builtProgram();
  const program = [process.execPath, main];
  const place = mkdtempSync(join(tmpdir(), 'mtunet-slurm-'));
  const told: string[] = [];
  const options = { tell: (line: string) => told.push(line), signal: new AbortController().signal, pollMs: 500 };
  const stop = await startSlurm(join(place, 'cluster'));
  try {
    const here = planSweep(join(place, 'local'), describeRuns(rows, [1, 2]));
    expect(await runSweep(new LocalExecutor({ jobs: 2, program }), here, options)).toMatchObject({ done: 6 });

    const there = planSweep(join(place, 'slurm'), describeRuns(rows, [1, 2]));
    const executor = new SlurmExecutor({ throttle: 2, program });
    const outcome = runSweep(executor, there, options);
    const [killed, asked] = there.runs.map(({ name }) => join(there.folder, name));
    await pastAnEpoch(killed);
    process.kill(JSON.parse(readFileSync(join(killed, 'lock'), 'utf8')).pid, 'SIGKILL');
    await pastAnEpoch(asked);
    const [{ job }] = JSON.parse(readFileSync(join(there.folder, 'slurm', 'jobs.json'), 'utf8'));
    execFileSync('scancel', ['--batch', '--signal=USR1', `${job}_1`]);

    expect(await outcome).toEqual({ done: 6, failed: [], interrupted: false, goesOn: false });
    expect(remains(there)).toEqual(remains(here));
    expect(executor.logs(there.runs[0])).toMatch(/killed by signal 9[\s\S]*start 2/);
    expect(executor.logs(there.runs[1])).toMatch(
      /SIGUSR1: stopping after this step[\s\S]*back into the queue[\s\S]*start 2/,
    );
    expect(readFileSync(join(place, 'cluster', 'completions.txt'), 'utf8')).toMatch(new RegExp(`ArrayJobId=${job} `));
    console.log(told.filter((line) => /waiting|started/.test(line)).join('\n'));
  } finally {
    await stop();
    rmSync(place, { recursive: true });
  }
});

/** An epoch is done, and at least one is left. */
async function pastAnEpoch(run: string): Promise<void> {
  const epochs = () => (existsSync(join(run, 'epochs.jsonl')) ? RunFolder.open(run).epochs.length : 0);
  while (epochs() < 1 || !existsSync(join(run, 'lock'))) await pause(10);
  expect(epochs()).toBeLessThan(EPOCHS);
}
