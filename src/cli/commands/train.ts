/** mtunet train: one network under one scheme. */
import { type Command, Option } from 'commander';
import { type ConfigOverrides, presets, resolveConfig } from '../../mtunet/config.ts';
import { hasOneTask, networkNames } from '../../mtunet/networks.ts';
import { scalerOf } from '../../mtunet/precision.ts';
import { schemeNames } from '../../mtunet/schemes/index.ts';
import { readConfigFile } from '../config-file.ts';
import { UsageError } from '../failure.ts';
import { withGpu } from '../gpu-session.ts';
import { applyAutotune, autotuneOption, noAutotuneOption } from '../kernel-choices.ts';
import { loadData } from '../load-data.ts';
import { interrupted } from '../messages.ts';
import { applyTrack, trackOption, whole } from '../options.ts';
import { freshFolder } from '../reproduce.ts';
import { RunFolder } from '../run-folder.ts';
import { trainRun } from '../train-run.ts';
import { fitRecord, fitted, openWeights } from '../weight-files.ts';

interface TrainOptions {
  preset: string;
  scheme?: string;
  network?: string;
  epochs?: number;
  seed?: number;
  data?: string;
  out?: string;
  config?: string;
  init?: string;
  strict?: boolean;
  precision?: string;
  memory?: string;
  record: boolean;
  track?: string[];
  prefetch: boolean;
  autotune?: string | false;
}

export function register(program: Command): void {
  program
    .command('train')
    .description('train one network under one scheme')
    .option('--preset <name>', `one of ${Object.keys(presets).join(', ')}`, 'tiny')
    .option('--scheme <name>', `one of ${schemeNames.join(', ')}`)
    .option('--network <name>', `one of ${networkNames.join(', ')}`)
    .option('--epochs <count>', 'at most this many epochs', whole(1))
    .option('--seed <number>', 'of the initial values, the data order and dropout', whole(0))
    .option('--data <folder>', 'a prepared data set, or "synthetic"')
    .option('--out <run>', 'folder of the run')
    .option('--config <file>', 'YAML or JSON with any part of the configuration; flags win over it')
    .addOption(
      new Option(
        '--precision <type>',
        'of the activations of training steps; f16 needs a device with shader-f16',
      ).choices(['f32', 'f16']),
    )
    .addOption(
      new Option(
        '--memory <way>',
        'store activations, or recompute the cheap ones: less memory, the same bits',
      ).choices(['store', 'recompute']),
    )
    .option('--init <file>', 'begin with these weights: safetensors, .pt, .pth, or the folder of a run')
    .option(
      '--no-record',
      'run the JavaScript of every step instead of replaying recorded steps: slower, the same bits',
    )
    .option('--strict', 'fail unless --init holds exactly the network')
    .addOption(trackOption())
    .addOption(autotuneOption())
    .addOption(noAutotuneOption())
    .option('--no-prefetch', 'make batches of a prepared set in the main thread; the bits are the same')
    .addHelpText(
      'after',
      '\nExamples:\n  mtunet train --preset tiny --scheme mtls3 --epochs 10 --seed 1 --data synthetic --out runs/first\n  mtunet train --network unet-c --epochs 5\n  mtunet train --network resnet50 --init resnet50.pth',
    )
    .action(async (options: TrainOptions) => {
      applyTrack(options.track);
      applyAutotune(options.autotune);
      const file = options.config === undefined ? {} : readConfigFile(options.config);
      const flags: ConfigOverrides = {
        ...(options.scheme && { scheme: { name: options.scheme as 'mtls1' } }),
        ...(options.network && { network: { name: options.network as 'mt-unet' } }),
        ...(options.epochs && { epochs: options.epochs }),
        ...(options.seed !== undefined && { seed: options.seed }),
        ...(options.data && { data: options.data }),
        ...(options.precision && { precision: options.precision as 'f16' }),
        ...(options.memory && { memory: options.memory as 'recompute' }),
      };
      const config = resolveConfig(options.preset, file, flags);
      const dataset = loadData(config, options);
      const { network, scheme, seed } = config;
      const what = hasOneTask(network.name) ? network.name : scheme.name;
      if (options.strict && options.init === undefined)
        throw new UsageError('--strict speaks of --init, which is missing.');
      const target = { network, scheme, classes: dataset.classNames.length };
      const weights = options.init === undefined ? null : openWeights(options.init, { target });
      const fit = weights && fitted(weights, target, options.strict ?? false);
      let folder: RunFolder | undefined;
      await withGpu(async (gpu, signal) => {
        gpu.recordsSteps = options.record;
        if (!folder) {
          scalerOf(gpu, config); // a device that cannot keep the precision leaves no folder behind
          folder = RunFolder.create(options.out ?? freshFolder(`runs/${what}-seed${seed}`), config);
          if (weights && fit) folder.saveInitial([fit.state, fit.scheme], fitRecord(weights, fit));
        }
        if (!(await trainRun(gpu, folder, dataset, signal))) return interrupted(folder.path);
        console.log(`run: ${folder.path}`);
      });
    });
}
