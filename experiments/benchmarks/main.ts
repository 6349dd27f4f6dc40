/** npm run bench: measures this engine, alone or beside its peers. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { openGpu } from '../../src/engine/index.ts';
import { presets } from '../../src/mtunet/config.ts';
import { compareAdapters } from './adapters.ts';
import { compareCheckouts } from './against.ts';
import { coldStart } from './cold-start.ts';
import { conv, layers, witness } from './conv.ts';
import { depthwise } from './depthwise.ts';
import type { Benchmark, Figure } from './figure.ts';
import { gpuReport } from './gpu-report.ts';
import { bindings, paperStep } from './large.ts';
import { memory } from './memory.ts';
import { networkSteps } from './networks.ts';
import { dispatches, elementwise } from './overhead.ts';
import { comparePeers, ratios } from './peers.ts';
import { keep, libName } from './place.ts';
import { recorded } from './recorded.ts';
import { scaling } from './scaling.ts';
import { kernels, step } from './step.ts';
import { sharedSize, type UnetSize } from './unet.ts';
import { compareWaiting } from './waiting.ts';
import { compareWithout } from './without.ts';

const all: readonly Benchmark[] = [
  step,
  kernels,
  conv,
  witness,
  depthwise,
  elementwise,
  dispatches,
  memory,
  coldStart,
  scaling,
  layers,
  networkSteps,
  recorded,
  bindings,
  paperStep,
];

const listed = all.map(({ name, about }) => `  ${name.padEnd(12)} ${about}`).join('\n');

const program = new Command('bench')
  .enablePositionalOptions() // or `bench -- peers --runs 3` would give --runs to this command instead of to peers
  .description('measure the engine: one JSON line or one table row a figure')
  .argument('[names...]', 'which benchmarks; all if none are named')
  .option('--json', 'print JSON lines instead of a table')
  .option('--runs <n>', 'timed runs of each', '5')
  .option('--keep <name>', 'also write experiments/benchmarks/results/<name>.jsonl')
  .addHelpText('after', `\nBenchmarks:\n${listed}\n\nExample:\n  npm run bench -- step conv --runs 9`)
  .action(async (names: string[], options: { json?: boolean; runs: string; keep?: string }) => {
    const unknown = names.find((name) => all.every((benchmark) => benchmark.name !== name));
    if (unknown) fail(`there is no benchmark "${unknown}"; there are ${all.map(({ name }) => name).join(', ')}.`);
    using gpu = await openGpu();
    const { name: adapter, driver } = gpu.description;
    const context = { gpu, tags: { lib: libName, backend: 'webgpu', adapter } as const, runs: runsOf(options.runs) };
    const figures: Figure[] = [];
    for (const benchmark of all) {
      if (names.length > 0 && !names.includes(benchmark.name)) continue;
      for await (const figure of benchmark.run(context)) {
        figures.push(figure);
        print(figure, options.json);
      }
    }
    if (options.keep) keep(options.keep, { adapter, driver }, figures);
  });

program
  .command('adapters')
  .description(
    'how far the adapter that is found and the embedded one part: first gradients, and losses over ten steps',
  )
  .action(async () => console.log(JSON.stringify(await compareAdapters(), null, 2)));

program
  .command('against')
  .description('the shared step of another checkout and of this one, in turns step by step')
  .argument('<checkout>', 'its folder, with its packages installed')
  .option('--runs <n>', 'timed rounds', '25')
  .action(async (checkout: string, options: { runs: string }) => {
    if (!existsSync(join(checkout, 'experiments/benchmarks/unet.ts')))
      fail(`${checkout} is no checkout of mtunet: it has no experiments/benchmarks/unet.ts.`);
    console.log((await compareCheckouts(checkout, runsOf(options.runs))).join('\n'));
  });

program
  .command('waiting')
  .description('how long Firefox and Chromium take to bring a small result, by themselves and as the engine waits')
  .action(async () => console.log((await compareWaiting()).join('\n')));

program
  .command('without')
  .description(
    'the shared step without features of the device, such as subgroups, beside the same with all of them, in turns',
  )
  .argument('<features...>', 'subgroups, shader-f16, timestamp-query, limits')
  .option('--runs <n>', 'timed rounds', '25')
  .action(async (features: string[], options: { runs: string }) =>
    console.log((await compareWithout(features, runsOf(options.runs))).join('\n')),
  );

program
  .command('peers')
  .description('ours, jax-js, TensorFlow.js and PyTorch at the same work, in turns')
  .option('--json', 'print JSON lines instead of a table')
  .option('--runs <n>', 'timed rounds', '5')
  .option('--engines <list>', 'of jax, tfjs, torch, and on a GPU torch-cuda, torch-tf32, torch-amp', 'jax,tfjs,torch')
  .option('--parts <list>', 'of step, fwd, dx, dw', 'step,fwd,dx,dw')
  .option('--preset <name>', 'size of the step instead of base 8, 160 x 112: that of tiny, small, paper or released')
  .option('--batch <n>', 'images of the step', '6')
  .option('--keep <name>', 'also write experiments/benchmarks/results/<name>.jsonl')
  .addHelpText(
    'after',
    '\nExamples:\n  npm run bench -- peers --runs 3 --engines jax,torch\n  npm run bench -- peers --parts step --preset paper --engines torch-cuda,torch-tf32,torch-amp',
  )
  .action(async (options: PeersFlags) => {
    const [engines, parts] = [options.engines.split(','), options.parts.split(',')];
    const asked = { runs: runsOf(options.runs), engines, parts, size: sizeOf(options) };
    const figures = await comparePeers(asked, (line) => console.error(line)).catch(({ message }: Error) =>
      fail(message),
    );
    for (const figure of figures) print(figure, options.json);
    if (!options.json) console.log(ratios(figures).join('\n'));
    if (options.keep) keep(options.keep, { adapter: figures[0].adapter }, figures);
  });

program
  .command('gpu-report')
  .description('on a machine with a GPU: the check, the peers, autotuning and training steps, in one file')
  .option('--out <file>', 'where it is written', 'gpu-report.json')
  .option('--preset <name>', 'of the steps', 'paper')
  .option('--engines <list>', 'peers of the step, as of: bench peers', 'torch-cuda,torch-tf32,torch-amp')
  .option('--runs <n>', 'timed rounds with the peers', '5')
  .option('--steps <n>', 'timed training steps', '10')
  .option('--seconds <n>', 'of the check', '60')
  .option('--autotune <mode>', 'fast or full', 'full')
  .addHelpText('after', '\nExample:\n  npm run bench -- gpu-report --out my-gpu.json')
  .action(async (options: Record<'out' | 'preset' | 'engines' | 'runs' | 'steps' | 'seconds' | 'autotune', string>) => {
    const { out, preset } = options;
    const autotune = (['fast', 'full'] as const).find((mode) => mode === options.autotune);
    if (!autotune) fail(`--autotune ${options.autotune}: it is fast or full.`);
    const size = sizeOf({ preset, batch: '6' });
    const asked = {
      ...{ out, preset, autotune, size, engines: options.engines.split(',') },
      ...{ runs: wholeOf('runs', options.runs), steps: wholeOf('steps', options.steps) },
      seconds: wholeOf('seconds', options.seconds),
    } as const;
    const complete = await gpuReport(asked, (line) => console.error(line));
    console.log(`${out}${complete ? '' : ' (incomplete: the parts that failed say why)'}`);
    if (!complete) process.exit(1);
  });

interface PeersFlags {
  json?: boolean;
  runs: string;
  engines: string;
  parts: string;
  preset?: string;
  batch: string;
  keep?: string;
}

function sizeOf({ preset, batch: text }: Pick<PeersFlags, 'preset' | 'batch'>): UnetSize {
  const batch = Number(text);
  if (!Number.isInteger(batch) || batch < 1) fail(`--batch ${text}: give a whole number from 1 on.`);
  if (preset === undefined) return { ...sharedSize, batch };
  if (!Object.hasOwn(presets, preset))
    fail(`there is no preset "${preset}"; there are ${Object.keys(presets).join(', ')}.`);
  const { network, height, width } = presets[preset as keyof typeof presets];
  return { base: network.base, height, width, batch };
}

const runsOf = (text: string) => wholeOf('runs', text);

function wholeOf(flag: string, text: string): number {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1) fail(`--${flag} ${text}: give a whole number from 1 on.`);
  return count;
}

function fail(sentence: string): never {
  console.error(`bench: ${sentence}`);
  process.exit(2);
}

function print(figure: Figure, json = false): void {
  if (json) {
    console.log(JSON.stringify(figure));
    return;
  }
  const { lib, backend, adapter, bench, part, gflop, median_ms, min_ms, max_ms, cpu_ms, first_ms, runs, ...more } =
    figure;
  const rest = Object.entries(more).map(([name, value]) => `${name} ${value}`);
  const what = `${lib}  ${part ? `${bench}, ${part}` : bench}`;
  const times = `${median_ms} ms (${min_ms} - ${max_ms})  cpu ${cpu_ms}  first ${first_ms}`;
  console.log(`${what.padEnd(64)} ${times}  ${rest.join('  ')}`);
}

await program.parseAsync();
process.exit(0);
