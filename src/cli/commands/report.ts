/** mtunet report: one page from finished runs. */
import type { Command } from 'commander';
import { UsageError } from '../failure.ts';
import { note } from '../messages.ts';
import { writeReport } from '../report-files.ts';
import { runsOf } from '../reproduce.ts';
import { RunFolder } from '../run-folder.ts';

export function register(program: Command): void {
  program
    .command('report')
    .description(
      'one HTML page (and results.json, results.md) from the finished runs of any set; those that differ in their seed alone are one row',
    )
    .argument('<run...>', 'their folders, or folders that hold them')
    .option('--out <folder>', 'where to write', 'runs/report')
    .option('--title <text>', 'title of the page', 'MT-UNet runs')
    .addHelpText('after', '\nExample:\n  mtunet report runs/mtls1-seed1 runs/mtls3-seed1 --out runs/comparison')
    .action((paths: string[], { out, title }: { out: string; title: string }) => {
      const runs = paths.flatMap((path) => (RunFolder.isRun(path) ? [path] : runsOf(path)));
      if (runs.length === 0)
        throw new UsageError(`${paths.join(', ')}: no runs there; give folders that "mtunet train" made.`);
      const finished = runs.filter((path) => RunFolder.open(path).isFinished);
      for (const path of runs) if (!finished.includes(path)) note(`${path} is not finished and left out`);
      if (finished.length === 0)
        throw new UsageError(`${paths.join(', ')}: no run there is finished; finish one with mtunet resume.`);
      console.log(`report: ${writeReport(finished, out, title)}`);
    });
}
