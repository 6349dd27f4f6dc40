/** mtunet models: the networks that can be trained, what they cost, where they come from and where their weights are. */

import { type Command, InvalidArgumentError, Option } from 'commander';
import { presets } from '../../mtunet/config.ts';
import { networkCosts } from '../../mtunet/costs.ts';
import { type NetworkEntry, type NetworkName, networkNames, networks, sizeProblem } from '../../mtunet/networks.ts';
import { oneOrThree, whole } from '../options.ts';

interface Size {
  readonly height: number;
  readonly width: number;
}

interface ModelsOptions {
  readonly size: Size;
  readonly inputChannels: 1 | 3;
  readonly classes: number;
}

export function register(program: Command): void {
  program
    .command('models')
    .description('the networks: parameters, multiply-adds at a size, source, and where published weights are')
    .addOption(
      new Option('--size <height x width>', 'of an image')
        .argParser(parseSize)
        .default({ height: 640, width: 416 }, '640x416'),
    )
    .option('--channels <count>', '1 (a film) or 3 (colour)', oneOrThree, 1)
    .option('--classes <count>', 'of the diagnosis', whole(1), 3)
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  mtunet models\n  mtunet models --size 224x224 --channels 3 --classes 1000 --json',
    )
    .action(
      ({ json, channels, ...options }: Omit<ModelsOptions, 'inputChannels'> & { channels: 1 | 3; json?: boolean }) =>
        printModels(modelRows({ ...options, inputChannels: channels }), options.size, json ?? false),
    );
}

export interface ModelRow {
  readonly name: NetworkName;
  readonly title: string;
  readonly tasks: readonly ('diagnosis' | 'saliency')[];
  readonly parameters: number;
  /** Parameters that training changes unless the configuration says otherwise. */
  readonly trained: number;
  /** Multiply-adds of one image forward; null where the network does not take the size. */
  readonly multiplyAdds: number | null;
  /** Why it does not, and what it takes. */
  readonly sizeProblem: string | null;
  readonly source: string;
  readonly weights: NetworkEntry['weights'];
}

export function modelRows({ size, inputChannels, classes }: ModelsOptions): ModelRow[] {
  return networkNames.map((name) => {
    const entry: NetworkEntry = networks[name];
    const problems = (['height', 'width'] as const).flatMap((side) => {
      const problem = sizeProblem(name, size[side]);
      return problem ? [`${side} ${size[side]} ${problem}`] : [];
    });
    // Parameters do not depend on the size, so a size that every network takes stands in for one that this one does not.
    const counted = problems.length > 0 ? { height: 96, width: 96 } : size;
    const options = { ...presets.paper.network, name, inputChannels, classes };
    const { multiplyAdds, ...counts } = networkCosts(options, counted);
    return {
      name,
      title: entry.title,
      tasks: (['diagnosis', 'saliency'] as const).filter((task) => entry.tasks[task]),
      ...counts,
      multiplyAdds: problems.length > 0 ? null : multiplyAdds,
      sizeProblem: problems.join('; ') || null,
      source: entry.source,
      weights: entry.weights,
    };
  });
}

function printModels(rows: readonly ModelRow[], { height, width }: Size, asJson: boolean): void {
  if (asJson) {
    console.log(JSON.stringify(rows, null, 2));
    return;
  }
  console.log(`${'network'.padEnd(20)} ${'parameters'.padStart(11)} ${`10^9 multiply-adds at ${height} x ${width}`}`);
  for (const { name, title, parameters, trained, multiplyAdds, sizeProblem: problem, source, weights } of rows) {
    const billions = multiplyAdds === null ? '-' : (multiplyAdds / 1e9).toFixed(2);
    const line = (text: string) => console.log(`${' '.repeat(21)}${text}`);
    console.log(`${name.padEnd(20)} ${parameters.toLocaleString('en').padStart(11)} ${billions.padStart(8)}  ${title}`);
    line(`source: ${source}`);
    if (trained !== parameters)
      line(`trained: ${trained.toLocaleString('en')}; the rest is frozen, as its authors did`);
    if (problem) line(`size: ${problem}`);
    for (const { what, licence, where } of weights) line(`weights: ${what}; ${licence}; ${where}`);
  }
}

function parseSize(text: string): Size {
  const [, height, width] = /^(\d+)x(\d+)$/.exec(text) ?? [];
  if (!height || Number(height) === 0 || Number(width) === 0)
    throw new InvalidArgumentError('It must be height x width in pixels, such as 640x416.');
  return { height: Number(height), width: Number(width) };
}
