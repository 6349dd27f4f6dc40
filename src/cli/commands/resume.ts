/** mtunet resume: go on with a run or a job. */
import type { Command } from 'commander';
import { withGpu } from '../gpu-session.ts';
import { loadData } from '../load-data.ts';
import { interrupted } from '../messages.ts';
import { applyTrack, jobsOption, trackOption } from '../options.ts';
import { finishReproduction, runsOf } from '../reproduce.ts';
import { RunFolder } from '../run-folder.ts';
import { trainRun } from '../train-run.ts';

export function register(program: Command): void {
  program
    .command('resume')
    .description('go on with a run, or with an interrupted "reproduce"')
    .argument('<run>', 'its folder')
    .option(
      '--no-record',
      'run the JavaScript of every step instead of replaying recorded steps: slower, the same bits',
    )
    .addOption(jobsOption())
    .addOption(trackOption())
    .addHelpText('after', '\nExample:\n  mtunet resume runs/reproduce')
    .action(async (path: string, { record, jobs, track }: { record: boolean; jobs?: number; track?: string[] }) => {
      applyTrack(track);
      if (!RunFolder.isRun(path) && runsOf(path).length > 0) {
        await withGpu(async (gpu, signal) => {
          gpu.recordsSteps = record;
          const done = await finishReproduction(gpu, path, { jobs, signal });
          if (!done) return interrupted(path);
          console.log(`weights sha256 ${done.weightsSha256}`);
          console.log(`report: ${done.page}`);
        });
        return;
      }
      const folder = RunFolder.open(path);
      if (folder.isFinished) {
        console.log(`run: ${path} has ended; see: mtunet evaluate ${path}`);
        return;
      }
      const dataset = loadData(folder.config);
      await withGpu(async (gpu, signal) => {
        gpu.recordsSteps = record;
        if (!(await trainRun(gpu, folder, dataset, signal))) return interrupted(path);
        console.log(`run: ${path}`);
      });
    });
}
