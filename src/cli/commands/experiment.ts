/** mtunet experiment: the runs behind one table or figure, and the page that compares them with the paper. */
import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type Command, Option } from 'commander';
import type { ChestDataset } from '../../data/dataset.ts';
import { type ConfigOverrides, presets, type TrainConfig } from '../../mtunet/config.ts';
import { experimentNames, readExperiment, rowConfigs } from '../experiment-folder.ts';
import { writeExperimentReport } from '../experiment-report.ts';
import { EXIT, UsageError } from '../failure.ts';
import { withGpu } from '../gpu-session.ts';
import { interruptSignal } from '../interrupt.ts';
import { loadData } from '../load-data.ts';
import { note } from '../messages.ts';
import { applyTrack, trackOption, whole } from '../options.ts';
import { writeWhole } from '../run-folder.ts';
import type { Executor } from '../sweep/executor.ts';
import { indexedJob } from '../sweep/kubernetes.ts';
import { LocalExecutor } from '../sweep/local.ts';
import { planRuns } from '../sweep/plan.ts';
import { describeRuns, planSweep, unfinished } from '../sweep/run-description.ts';
import { runSweep } from '../sweep/run-sweep.ts';
import { SlurmExecutor } from '../sweep/slurm.ts';

const EXECUTORS = ['local', 'slurm', 'kubernetes'] as const;

interface ExperimentOptions {
  preset: string;
  seeds: number;
  epochs?: number;
  data?: string;
  rows?: string[];
  out?: string;
  jobs: number;
  devices?: string[];
  executor: (typeof EXECUTORS)[number];
  sbatch?: string[];
  detach?: boolean;
  cancel?: boolean;
  image: string;
  claim: string;
  track?: string[];
  plan: boolean;
  planOnly?: boolean;
}

export function register(program: Command): void {
  program
    .command('experiment')
    .description(
      'carry out an experiment of the paper and compare its numbers; start it again and only what is missing runs',
    )
    .argument('[name]', 'an experiment, or a folder with a config.yaml; leave it out for a list')
    .option('--preset <name>', `one of ${Object.keys(presets).join(', ')}`, 'tiny')
    .option('--seeds <count>', 'trainings of each row; the paper has at least 5', whole(1), 5)
    .option('--epochs <count>', 'at most this many epochs a training', whole(1))
    .option('--data <folder>', 'a prepared data set, or "synthetic"')
    .option('--rows <name...>', 'only these rows of the table')
    .option('--out <folder>', 'where to write (default: runs/<name>-<preset>)')
    .option('--jobs <count>', 'processes (tasks, pods) at a time', whole(1), 1)
    .option('--devices <name...>', 'one process on each of these adapters; parts of their names')
    .addOption(new Option('--executor <name>', 'where the runs are carried out').choices(EXECUTORS).default('local'))
    .option('--sbatch <option...>', 'slurm: more options of sbatch, such as "--gres=gpu:1" "--time=12:00:00"')
    .option('--detach', 'slurm: submit, and do not wait')
    .option('--cancel', 'slurm: let what runs save a checkpoint and end, take the rest out of the queue')
    .option('--image <name>', 'kubernetes: container image with this program', 'mtunet')
    .option('--claim <name>', 'kubernetes: volume claim whose root is the folder of the sweep', 'mtunet-sweep')
    .addOption(trackOption())
    .option('--no-plan', 'do not measure a step to tell time, disk and memory first')
    .option('--plan-only', 'tell time, disk and device memory, and start nothing')
    .addHelpText(
      'after',
      `
Examples:
  mtunet experiment table-3 --preset small --seeds 5
  mtunet experiment table-3 --preset paper --executor slurm --jobs 8 --sbatch "--gres=gpu:1" "--time=12:00:00" --no-plan --detach
  mtunet experiment table-3 --preset paper --executor kubernetes --jobs 8 --no-plan`,
    )
    .action(async (name: string | undefined, options: ExperimentOptions) => {
      if (name === undefined) {
        for (const known of experimentNames()) console.log(known);
        return;
      }
      applyTrack(options.track);
      await carryOut(name, options);
    });
}

async function carryOut(name: string, options: ExperimentOptions): Promise<void> {
  const experiment = readExperiment(name);
  const overrides: ConfigOverrides = {
    ...(options.epochs && { epochs: options.epochs }),
    ...(options.data && { data: options.data }),
  };
  const rows = rowConfigs(experiment, options.preset, overrides);
  const unknown = options.rows?.find((row) => !rows.some((one) => one.name === row));
  if (unknown) throw new UsageError(`--rows ${unknown}: the rows are ${rows.map((row) => row.name).join(', ')}.`);
  const chosen = rows.filter((row) => options.rows?.includes(row.name) ?? true);
  const slugged = (name: string) => name.replaceAll('/', '-');
  const folder = resolve(options.out ?? `runs/${slugged(experiment.runsOf)}-${options.preset}`);
  // An experiment that looks at the runs of another has a page of its own beside them.
  const pages = experiment.runsOf === experiment.name ? folder : join(folder, slugged(experiment.name));
  const seeds = Array.from({ length: options.seeds }, (_, i) => i + 1);
  const described = describeRuns(chosen, seeds);
  mkdirSync(folder, { recursive: true });
  const sweep = planSweep(folder, described);
  const wanted = sweep.runs.filter((run) => described.some(({ name }) => name === run.name));
  const missing = unfinished({ ...sweep, runs: wanted });
  const jobs = options.devices?.length ?? options.jobs;

  if (missing.length > 0 && (options.plan || options.planOnly)) {
    await withGpu((gpu) => planRuns(gpu, missing, { dataOf: remembering(loadData), jobs, folder, tell: note }));
  }
  if (options.planOnly) return;
  if (options.executor === 'kubernetes') {
    const path = join(folder, 'kubernetes.yaml');
    const { image, claim, jobs } = options;
    writeWhole(path, indexedJob(sweep, { name: `${experiment.name}-${options.preset}`, image, claim, throttle: jobs }));
    console.log(`manifest: ${path}`);
    return;
  }
  const executor = executorOf(options);
  if (options.cancel) {
    if (!(executor instanceof SlurmExecutor))
      throw new UsageError('--cancel speaks of --executor slurm; Ctrl-C stops local runs.');
    executor.attach(sweep, missing);
    await executor.cancel();
    note('cancelled: what ran has saved a checkpoint; the same command without --cancel goes on.');
    return;
  }
  const interrupt = interruptSignal(note);
  try {
    const only = wanted.map(({ index }) => index);
    const { signal } = interrupt;
    const outcome = await runSweep(executor, sweep, { tell: note, signal, only, detach: options.detach });
    for (const { name: run, reason } of outcome.failed) note(`failed: ${run}: ${reason}`);
    if (outcome.interrupted) {
      const left = `${wanted.length - outcome.done} runs are left`;
      note(
        outcome.goesOn
          ? `The runs go on without this program; the same command watches them, and with --cancel ends them. ${left}.`
          : `Stopped; nothing is lost. Go on with the same command; ${left}.`,
      );
      if (!options.detach) process.exitCode = EXIT.interrupted;
      return;
    }
    if (outcome.done > 0) {
      const names = new Set(wanted.map((run) => run.name));
      const { page, judgement } = await writeExperimentReport(experiment, sweep, names, pages);
      for (const { claim, verdict } of judgement.claims) console.log(`${verdict}: ${claim.text}`);
      console.log(`report: ${page}`);
    }
    if (outcome.failed.length > 0) process.exitCode = EXIT.failure;
  } finally {
    interrupt.dispose();
  }
}

function executorOf({ executor, jobs, devices, sbatch }: ExperimentOptions): Executor {
  if (executor === 'slurm') return new SlurmExecutor({ throttle: jobs, options: sbatch });
  return new LocalExecutor({ jobs, devices });
}

/** Rows usually share their data. */
function remembering(load: (config: TrainConfig) => ChestDataset): (config: TrainConfig) => ChestDataset {
  const known = new Map<string, ChestDataset>();
  return (config) => {
    const key = JSON.stringify([config.data, config.synthetic, config.height, config.width]);
    const dataset = known.get(key) ?? load(config);
    known.set(key, dataset);
    return dataset;
  };
}
