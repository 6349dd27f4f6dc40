#!/usr/bin/env node
/** The command line: mtunet <command>. Output goes to stdout, progress and errors to stderr; exit code 2 for usage, 1 for failure. */
import { existsSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { Command, CommanderError, InvalidArgumentError } from 'commander';
import { parse as parseYaml } from 'yaml';
import { type Gpu, openGpu } from '../engine/index.ts';
import { readWeights } from '../mtunet/checkpoint.ts';
import { ConfigError, type ConfigOverrides, parseConfig, presets, resolveConfig } from '../mtunet/config.ts';
import { evaluate } from '../mtunet/evaluate.ts';
import { MTUNet, unetFamily } from '../mtunet/model.ts';
import { schemes } from '../mtunet/schemes/uncertainty.ts';
import { printDevices } from './devices.ts';
import { EXIT, sentence, UsageError } from './failure.ts';
import { interruptSignal } from './interrupt.ts';
import { loadData } from './load-data.ts';
import { printModels } from './models.ts';
import { duration } from './progress.ts';
import { packageVersion } from './provenance.ts';
import { writeReport } from './report-files.ts';
import { finishReproduction, freshFolder, planReproduction, runsOf } from './reproduce.ts';
import { RunFolder } from './run-folder.ts';
import { trainRun } from './train-run.ts';

const note = (message: string) => process.stderr.write(`${message}\n`);

function whole(smallest: number) {
  return (text: string): number => {
    const value = Number(text);
    if (!Number.isInteger(value) || value < smallest)
      throw new InvalidArgumentError(`It must be a whole number from ${smallest}.`);
    return value;
  };
}

async function withGpu<T>(work: (gpu: Gpu, signal: AbortSignal) => Promise<T>): Promise<T> {
  const interrupt = interruptSignal(note);
  try {
    using gpu = await openGpu();
    note(`adapter: ${gpu.description.name} (${gpu.description.why})`);
    return await work(gpu, interrupt.signal);
  } finally {
    interrupt.dispose();
  }
}

function interrupted(run: string): void {
  note(`Stopped; nothing is lost. Go on with: npx mtunet resume ${run}`);
  process.exitCode = EXIT.interrupted;
}

const program = new Command('mtunet')
  .description('MT-UNet and its multi-task learning schemes on WebGPU: train, evaluate, report.')
  .version(packageVersion)
  .showSuggestionAfterError()
  .exitOverride();

program
  .command('reproduce')
  .description("train MT-UNet under the paper's three schemes on synthetic chests and write a report")
  .option('--preset <name>', `one of ${Object.keys(presets).join(', ')}`, 'tiny')
  .option('--seeds <count>', 'trainings of each scheme', whole(1), 1)
  .option('--epochs <count>', 'at most this many epochs a training', whole(1))
  .option('--out <folder>', 'where to write', '')
  .addHelpText('after', '\nExample:\n  mtunet reproduce --seeds 5 --out runs/five-seeds')
  .action(async ({ preset, seeds, epochs, out }: { preset: string; seeds: number; epochs?: number; out: string }) => {
    const started = performance.now();
    const folder = out || freshFolder('runs/reproduce');
    if (existsSync(folder))
      throw new UsageError(`${folder} exists; choose another --out, or go on with it by: mtunet resume ${folder}`);
    planReproduction(folder, { preset, seeds, epochs });
    await withGpu(async (gpu, signal) => {
      const page = await finishReproduction(gpu, folder, signal);
      if (!page) return interrupted(folder);
      note(`done in ${duration((performance.now() - started) / 1000)}`);
      console.log(`report: ${page}`);
    });
  });

interface TrainOptions {
  preset: string;
  scheme?: string;
  network?: string;
  epochs?: number;
  seed?: number;
  data?: string;
  out?: string;
  config?: string;
}

program
  .command('train')
  .description('train one network under one scheme')
  .option('--preset <name>', `one of ${Object.keys(presets).join(', ')}`, 'tiny')
  .option('--scheme <name>', `one of ${Object.keys(schemes).join(', ')}`)
  .option('--network <name>', `one of ${Object.keys(unetFamily).join(', ')}`)
  .option('--epochs <count>', 'at most this many epochs', whole(1))
  .option('--seed <number>', 'of the initial values, the data order and dropout', whole(0))
  .option('--data <folder>', 'a prepared data set, or "synthetic"')
  .option('--out <run>', 'folder of the run')
  .option('--config <file>', 'YAML or JSON with any part of the configuration; flags win over it')
  .addHelpText(
    'after',
    '\nExample:\n  mtunet train --preset tiny --scheme mtls3 --epochs 10 --seed 1 --data synthetic --out runs/first',
  )
  .action(async (options: TrainOptions) => {
    const file = options.config === undefined ? {} : readConfigFile(options.config);
    const flags: ConfigOverrides = {
      ...(options.scheme && { scheme: { name: options.scheme as 'mtls1' } }),
      ...(options.network && { network: { name: options.network as 'mt-unet' } }),
      ...(options.epochs && { epochs: options.epochs }),
      ...(options.seed !== undefined && { seed: options.seed }),
      ...(options.data && { data: options.data }),
    };
    const merged = resolveConfig(options.preset, file);
    const config = parseConfig({
      ...merged,
      ...flags,
      scheme: { ...merged.scheme, ...flags.scheme },
      network: { ...merged.network, ...flags.network },
    });
    const dataset = loadData(config);
    const folder = RunFolder.create(
      options.out ?? freshFolder(`runs/${config.scheme.name}-seed${config.seed}`),
      config,
    );
    await withGpu(async (gpu, signal) => {
      if (!(await trainRun(gpu, folder, dataset, signal))) return interrupted(folder.path);
      console.log(`run: ${folder.path}`);
    });
  });

program
  .command('resume')
  .description('go on with a run, or with an interrupted "reproduce"')
  .argument('<run>', 'its folder')
  .addHelpText('after', '\nExample:\n  mtunet resume runs/reproduce')
  .action(async (path: string) => {
    if (!RunFolder.isRun(path) && runsOf(path).length > 0) {
      await withGpu(async (gpu, signal) => {
        const page = await finishReproduction(gpu, path, signal);
        if (!page) return interrupted(path);
        console.log(`report: ${page}`);
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
      if (!(await trainRun(gpu, folder, dataset, signal))) return interrupted(path);
      console.log(`run: ${path}`);
    });
  });

program
  .command('evaluate')
  .description("measure a run's best network on a split")
  .argument('<run>', 'its folder')
  .option('--split <name>', 'train, valid or test', 'test')
  .option('--json', 'print JSON')
  .addHelpText('after', '\nExample:\n  mtunet evaluate runs/first --json')
  .action(async (path: string, { split, json }: { split: string; json?: boolean }) => {
    if (!['train', 'valid', 'test'].includes(split))
      throw new UsageError(`--split ${split}: the splits are train, valid and test.`);
    const folder = RunFolder.open(path);
    const { config } = folder;
    const weights = readWeights(folder.readBytes('weights.safetensors'));
    const dataset = loadData(config);
    await withGpu(async (gpu) => {
      using model = new MTUNet(gpu, {
        ...config.network,
        classes: dataset.classNames.length,
        ...unetFamily[config.network.name],
      });
      model.loadStateDict(weights);
      const epoch = folder.evaluation.epoch;
      const { record } = await evaluate(gpu, model, dataset, {
        split: split as 'test',
        batchSize: config.batchSize,
        epoch,
      });
      if (json) console.log(JSON.stringify(record, null, 2));
      else printEvaluation(record);
    });
  });

function printEvaluation({
  split,
  images,
  epoch,
  saliency,
  classification,
  baselines,
}: Awaited<ReturnType<typeof evaluate>>['record']): void {
  console.log(`${split} split, ${images} images, network of epoch ${epoch}`);
  if (saliency) {
    const { mean, std } = saliency;
    console.log(
      `  KLD ${mean.kld.toFixed(3)} ± ${std.kld.toFixed(3)}   PCC ${mean.pcc.toFixed(3)} ± ${std.pcc.toFixed(3)}   HS ${mean.hs.toFixed(3)} ± ${std.hs.toFixed(3)}`,
    );
  }
  if (classification) {
    const { accuracy, aucHandTill, aucMicro, aucPerClass } = classification;
    const shown = (value: number | null) => value?.toFixed(3) ?? 'n/a';
    console.log(
      `  ACC ${shown(accuracy)}   AUC (Hand & Till) ${shown(aucHandTill)}   AUC (micro) ${shown(aucMicro)}   per class ${aucPerClass.map(shown).join(' ')}`,
    );
  }
  for (const { name, saliency: map, accuracy } of baselines) {
    const numbers = map
      ? `KLD ${map.kld.toFixed(3)}   PCC ${map.pcc.toFixed(3)}   HS ${map.hs.toFixed(3)}`
      : `ACC ${accuracy?.toFixed(3)}`;
    console.log(`  baseline, ${name}: ${numbers}`);
  }
}

program
  .command('models')
  .description('the networks, their parameters at base 64 and their source')
  .option('--json', 'print JSON')
  .addHelpText('after', '\nExample:\n  mtunet models --json')
  .action(({ json }: { json?: boolean }) => printModels(json ?? false));

program
  .command('report')
  .description('one HTML page (and results.json, results.md) from finished runs')
  .argument('<run...>', 'their folders')
  .option('--out <folder>', 'where to write', 'runs/report')
  .option('--title <text>', 'title of the page', 'MT-UNet runs')
  .addHelpText('after', '\nExample:\n  mtunet report runs/mtls1-seed1 runs/mtls3-seed1 --out runs/comparison')
  .action((paths: string[], { out, title }: { out: string; title: string }) => {
    const runs = paths.flatMap((path) => (RunFolder.isRun(path) ? [path] : runsOf(path)));
    if (runs.length === 0)
      throw new UsageError(`${paths.join(', ')}: no runs there; give folders that "mtunet train" made.`);
    console.log(`report: ${writeReport(runs, out, title)}`);
  });

program
  .command('devices')
  .description('which adapters exist, which one is used and why')
  .option('--json', 'print JSON')
  .addHelpText('after', '\nExample:\n  mtunet devices')
  .action(({ json }: { json?: boolean }) => printDevices(json ?? false));

function readConfigFile(path: string): unknown {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new UsageError(`--config ${path} cannot be read: ${(error as Error).message}.`);
  }
  try {
    const config: unknown = parseYaml(text);
    if (config === null || typeof config !== 'object' || Array.isArray(config))
      throw new Error('it must hold names and values');
    return config;
  } catch (error) {
    throw new UsageError(
      `--config ${basename(path)} is not a configuration: ${(error as Error).message.split('\n')[0]}.`,
    );
  }
}

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? EXIT.success : EXIT.usage;
  } else {
    note(`mtunet: ${sentence(error)}`);
    process.exitCode = error instanceof UsageError || error instanceof ConfigError ? EXIT.usage : EXIT.failure;
  }
}
