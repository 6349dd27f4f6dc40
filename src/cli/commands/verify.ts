/** mtunet verify: is a run what it says? */
import type { Command } from 'commander';
import { Failure, UsageError } from '../failure.ts';
import { note } from '../messages.ts';
import { runsOf } from '../reproduce.ts';
import { RunFolder } from '../run-folder.ts';
import { verifyRun } from '../verify.ts';

export function register(program: Command): void {
  program
    .command('verify')
    .description('check every hash of a run, and its metrics against the stored predictions; needs no device')
    .argument('<run...>', 'their folders, or that of a "reproduce"')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  mtunet verify runs/first')
    .action(async (paths: string[], { json }: { json?: boolean }) => {
      const runs = paths.flatMap((path) => (RunFolder.isRun(path) ? [path] : runsOf(path)));
      if (runs.length === 0)
        throw new UsageError(`${paths.join(', ')}: no runs there; give folders that "mtunet train" made.`);
      const results = [];
      for (const run of runs) {
        const checks = await verifyRun(RunFolder.open(run));
        results.push({ run, checks });
        if (json) continue;
        const wrong = checks.filter(({ problem }) => problem);
        for (const { what, problem } of wrong) note(`${run}: ${what}: ${problem}`);
        if (wrong.length === 0) console.log(`${run}: ${checks.length} checks, all well`);
      }
      if (json) console.log(JSON.stringify(results, null, 2));
      const wrong = results.flatMap(({ checks }) => checks).filter(({ problem }) => problem).length;
      if (wrong > 0)
        throw new Failure(
          `${wrong} of the checks failed; restore the files from a copy, or train again with: mtunet reproduce <run>`,
        );
    });
}
