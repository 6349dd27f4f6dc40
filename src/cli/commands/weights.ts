/** mtunet weights: look into a file of weights, bring it into the names of a network, and see whether it fits. */
import type { Command } from 'commander';
import { writeSafetensors } from '../../engine/index.ts';
import { writeWeights } from '../../mtunet/checkpoint.ts';
import { resolveConfig } from '../../mtunet/config.ts';
import { networkNames } from '../../mtunet/networks.ts';
import { deviations, type WeightFit } from '../../mtunet/weight-fit.ts';
import { Failure, UsageError } from '../failure.ts';
import { oneOrThree, whole } from '../options.ts';
import { writeWhole } from '../run-folder.ts';
import { counted, fitRecord, fitted, type NamedWeightFile, openWeights, whereFound } from '../weight-files.ts';

interface NetworkFlags {
  readonly network?: string;
  readonly base: number;
  readonly classes: number;
  readonly channels: 1 | 3;
  readonly strict?: boolean;
  readonly key?: string;
  readonly json?: boolean;
}

export function register(program: Command): void {
  const weights = program
    .command('weights')
    .description('published weights: safetensors and PyTorch files, read without executing anything')
    .addHelpText(
      'after',
      '\nExample:\n  mtunet weights check resnet50.pth --network resnet50 --classes 1000 --channels 3',
    );
  weights
    .command('inspect')
    .description('list the tensors of a file')
    .argument('<file>', 'safetensors, .pt, .pth, or the folder of a run')
    .option('--key <name>', 'of a PyTorch file with several dicts of tensors: the one to list')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  mtunet weights inspect resnet50.pth')
    .action((path: string, { json, key }: { json?: boolean; key?: string }) =>
      inspect(openWeights(path, { key }), json ?? false),
    );
  withNetwork(weights.command('check').description('say whether the weights fit a network, and what does not'))
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  mtunet weights check resnet50.pth --network resnet50 --strict')
    .action((path: string, flags: NetworkFlags) => {
      const { file, fit } = openFitted(path, flags);
      if (flags.json) console.log(JSON.stringify(fitRecord(file, fit), null, 2));
      else console.log(`${file.path} fits ${flags.network}: ${summary(file, fit)}`);
    });
  withNetwork(
    weights.command('convert').description('write the weights as safetensors, for a network in its own names'),
  )
    .requiredOption('--out <file>', 'where to write')
    .addHelpText(
      'after',
      '\nExamples:\n  mtunet weights convert model.pt --out model.safetensors\n  mtunet weights convert resnet50.pth --network resnet50 --out resnet50.safetensors',
    )
    .action((path: string, flags: NetworkFlags & { out: string }) => {
      if (flags.network) {
        const { file, fit } = openFitted(path, flags);
        writeWhole(flags.out, writeWeights(fit.state, { network: flags.network }));
        console.log(`${flags.out}: ${summary(file, fit)}`);
      } else {
        const file = openWeights(path, { key: flags.key });
        if (file.tensors.size === 0)
          throw new Failure(`${file.path} holds no tensors, so there is nothing to convert.`);
        writeWhole(flags.out, writeSafetensors(new Map(file.tensors)));
        const from = whereFound(file, { prefix: '' });
        console.log(`${flags.out}: ${counted(file.tensors.size, 'tensor')}, as they were${from && ` (${from})`}`);
      }
    });
}

function withNetwork(command: Command): Command {
  return command
    .argument('<file>', 'safetensors, .pt, .pth, or the folder of a run')
    .option('--network <name>', `one of ${networkNames.join(', ')}`)
    .option('--base <width>', "channels of a U-Net's first level", whole(1), 64)
    .option('--classes <count>', 'of the diagnosis', whole(1), 3)
    .option('--channels <count>', '1 (a film) or 3 (colour)', oneOrThree, 1)
    .option('--key <name>', 'of a PyTorch file with several dicts of tensors: the one to take, such as model_ema')
    .option('--strict', 'fail unless every tensor is taken as it is');
}

function openFitted(
  path: string,
  { network, base, classes, channels, strict, key }: NetworkFlags,
): { file: NamedWeightFile; fit: WeightFit } {
  if (network === undefined) throw new UsageError(`--network is missing; it is one of ${networkNames.join(', ')}.`);
  const options = { name: network as 'mt-unet', base, inputChannels: channels };
  // The size does not matter to weights; this one is taken by every network.
  const config = resolveConfig('tiny', {}, { height: 96, width: 96, network: options });
  const target = { network: config.network, classes };
  const file = openWeights(path, { key, target });
  return { file, fit: fitted(file, target, strict ?? false) };
}

function summary(file: NamedWeightFile, fit: WeightFit): string {
  const { state, renamed } = fit;
  const taken = counted(state.tensors.size, 'tensor');
  const where = whereFound(file, fit);
  return `${taken} taken${where && ` (${where})`}, ${renamed.length} of them renamed, ${counted(deviations(fit).length, 'deviation')}`;
}

function inspect(
  { format, tensors, ignored, path, bytes, sha256, key, others }: NamedWeightFile,
  asJson: boolean,
): void {
  const rows = [...tensors].map(([name, { dtype, shape }]) => ({ name, dtype, shape }));
  const elements = rows.reduce((sum, { shape }) => sum + shape.reduce((product, length) => product * length, 1), 0);
  if (asJson) {
    console.log(
      JSON.stringify({ file: path, format, bytes, sha256, key, others, elements, tensors: rows, ignored }, null, 2),
    );
    return;
  }
  for (const { name, dtype, shape } of rows) console.log(`${dtype.padEnd(5)} ${name} [${shape.join(', ')}]`);
  for (const name of ignored) console.log(`no weight: ${name}`);
  if (key) console.log(`the tensors lie under "${key}"`);
  for (const other of others ?? [])
    console.log(`more tensors lie ${other === '' ? 'beside it' : `under "${other}" (--key ${other})`}`);
  console.log(`${format}, ${rows.length} tensors, ${elements.toLocaleString('en')} elements, sha256 ${sha256}`);
}
