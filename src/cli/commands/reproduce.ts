/** mtunet reproduce: the main job, or one run trained again. */
import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import { presets } from '../../mtunet/config.ts';
import { Failure, UsageError } from '../failure.ts';
import { withGpu } from '../gpu-session.ts';
import { loadData } from '../load-data.ts';
import { interrupted, note } from '../messages.ts';
import { jobsOption, whole } from '../options.ts';
import { duration } from '../progress.ts';
import { finishReproduction, freshFolder, planReproduction } from '../reproduce.ts';
import { planRetraining, retrain } from '../retrain.ts';
import { RunFolder } from '../run-folder.ts';

interface ReproduceOptions {
  preset: string;
  seeds: number;
  epochs?: number;
  jobs?: number;
  out: string;
}

export function register(program: Command): void {
  program
    .command('reproduce')
    .description(
      "train MT-UNet under the paper's three schemes on synthetic chests and write a report; or train one run again and name the first step that differs",
    )
    .argument('[run]', 'the folder of a run to train again')
    .option('--preset <name>', `one of ${Object.keys(presets).join(', ')}`, 'tiny')
    .option('--seeds <count>', 'trainings of each scheme', whole(1), 1)
    .option('--epochs <count>', 'at most this many epochs a training', whole(1))
    .addOption(jobsOption())
    .option('--out <folder>', 'where to write', '')
    .addHelpText(
      'after',
      '\nExamples:\n  mtunet reproduce --seeds 5 --out runs/five-seeds\n  mtunet reproduce runs/first',
    )
    .action(async (run: string | undefined, options: ReproduceOptions, command: Command) => {
      if (run === undefined) return reproducePaper(options);
      const given = ['preset', 'seeds', 'epochs', 'jobs'].filter(
        (name) => command.getOptionValueSource(name) === 'cli',
      );
      if (given.length > 0)
        throw new UsageError(`--${given[0]}: ${run} is trained again as it was; leave the option out.`);
      await reproduceRun(run, options.out || freshFolder(`${run.replace(/\/+$/, '')}-again`));
    });
}

async function reproducePaper({ preset, seeds, epochs, jobs, out }: ReproduceOptions): Promise<void> {
  const started = performance.now();
  const folder = out || freshFolder('runs/reproduce');
  if (existsSync(folder))
    throw new UsageError(`${folder} exists; choose another --out, or go on with it by: mtunet resume ${folder}`);
  planReproduction(folder, { preset, seeds, epochs });
  await withGpu(async (gpu, signal) => {
    const done = await finishReproduction(gpu, folder, { jobs, signal });
    if (!done) return interrupted(folder);
    note(`done in ${duration((performance.now() - started) / 1000)}`);
    console.log(`weights sha256 ${done.weightsSha256}`);
    console.log(`report: ${done.page}`);
  });
}

async function reproduceRun(path: string, out: string): Promise<void> {
  const original = RunFolder.open(path);
  const dataset = loadData(original.config);
  const again = planRetraining(original, out);
  await withGpu(async (gpu, signal) => {
    const result = await retrain(gpu, original, again, dataset, signal);
    if (!result) return interrupted(again.path);
    const { difference, steps, changed } = result;
    if (changed) note(`not as at the first training: ${changed}`);
    if (difference)
      throw new Failure(
        `${path} is not reproduced: ${difference}${changed ? `, and ${changed}` : ''}; the second training is in ${again.path}.`,
      );
    console.log(
      `${path} is reproduced: ${steps} steps${original.isFinished ? ', the weights and the metrics' : ''} are the same to the bit (${again.path})`,
    );
  });
}
