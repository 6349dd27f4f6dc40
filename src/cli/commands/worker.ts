/** mtunet worker: one run of a sweep, as executors start it. */
import type { Command } from 'commander';
import { EXIT, UsageError } from '../failure.ts';
import { withGpu } from '../gpu-session.ts';
import { whole } from '../options.ts';
import { readSweep } from '../sweep/run-description.ts';
import { work } from '../sweep/worker.ts';

export function register(program: Command): void {
  program
    .command('worker')
    .description('carry out one run of a sweep, as an executor does; SIGTERM or SIGUSR1: checkpoint and end')
    .argument('<sweep>', 'folder with sweep.json')
    .argument('<index>', 'which of its runs, from 0', whole(0))
    .addHelpText('after', '\nExample:\n  mtunet worker runs/table-3 0')
    .action(async (folder: string, index: number) => {
      const sweep = readSweep(folder);
      const run = sweep.runs[index];
      if (!run) throw new UsageError(`${folder} has ${sweep.runs.length} runs, from 0; there is no run ${index}.`);
      const end = await work(sweep, run, withGpu);
      if (end === 'interrupted') process.exitCode = EXIT.interrupted;
      console.log(`${run.name}: ${end}`);
    });
}
