/** mtunet equilibrium: Appendix A as numbers, and how far a run's sigmas are from it. */
import type { Command } from 'commander';
import { InvalidArgumentError } from 'commander';
import { type Equilibrium, equilibrium } from '../../mtunet/equilibrium.ts';
import { equilibriumLag, type LagRow } from '../../mtunet/equilibrium-lag.ts';
import { equilibriumPlot } from '../../report/equilibrium-plot.ts';
import { UsageError } from '../failure.ts';
import { note } from '../messages.ts';
import { RunFolder, writeWhole } from '../run-folder.ts';

interface EquilibriumOptions {
  loss?: number;
  run?: string;
  plot?: string;
  json?: boolean;
}

export function register(program: Command): void {
  program
    .command('equilibrium')
    .description('where sigma comes to rest for a loss (Appendix A), and how far the sigmas of a run are from there')
    .option('--loss <nats>', 'one loss; without it, powers of ten', lossValue)
    .option('--run <folder>', 'a run whose scheme learns sigmas')
    .option('--plot <file>', 'with --run: where the plot goes (default: equilibrium.svg in the run)')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExamples:\n  mtunet equilibrium --loss 0.73 --json\n  mtunet equilibrium --run runs/first')
    .action(({ loss, run, plot, json }: EquilibriumOptions) => {
      if (run !== undefined && loss !== undefined)
        throw new UsageError('--loss and --run answer different questions; give one of them.');
      if (run !== undefined) return ofRun(run, plot, json);
      const powers = Array.from({ length: 21 }, (_, i) => Number(`1e${i - 12}`));
      const rows = (loss === undefined ? powers : [loss]).map(equilibrium);
      if (json) console.log(JSON.stringify(loss === undefined ? rows : rows[0], jsonNumber, 2));
      else printEquilibria(rows);
    });
}

function lossValue(text: string): number {
  const value = text.trim() === '' ? Number.NaN : Number(text);
  if (!(value >= 0))
    throw new InvalidArgumentError('A loss is a number from 0, in nats; below 0 there is no equilibrium.');
  return value;
}

/** JSON has no infinity: it is written as a string, so that nothing is lost. */
const jsonNumber = (_: string, value: unknown) =>
  typeof value === 'number' && !Number.isFinite(value) ? String(value) : value;

function printEquilibria(rows: readonly Equilibrium[]): void {
  const columns = ['loss', 'sigma', 'weight', 'logLogSlope', 'curvature', 'envelope'] as const;
  const titles = {
    loss: 'L',
    sigma: 'sigma',
    weight: '1/sigma^2',
    logLogSlope: 'dln sigma/dln L',
    curvature: "l''",
    envelope: 'J',
  };
  const cells = rows.map((row) => columns.map((column) => String(row[column])));
  printTable([columns.map((column) => titles[column]), ...cells]);
}

function ofRun(path: string, plot: string | undefined, json = false): void {
  const folder = RunFolder.open(path);
  const { config, epochs, steps } = folder;
  const rows = equilibriumLag(config, epochs);
  if (epochs.length === 0) throw new UsageError(`${path} has no finished epoch; train on with: mtunet resume ${path}`);
  if (rows.length === 0)
    throw new UsageError(
      `${path} was trained with scheme ${config.scheme.name}, which learns no sigma; give a run of mtls1, mtls2 or mtls3.`,
    );
  const file = plot ?? folder.file('equilibrium.svg');
  writeWhole(file, equilibriumPlot(rows));
  const stepsPerEpoch = steps.filter(({ epoch }) => epoch === epochs[0].epoch).length;
  const { name, learningRate } = config.optimizer;
  const mostPerEpoch = name === 'adam' ? learningRate * stepsPerEpoch : null;
  if (json)
    console.log(
      JSON.stringify({ run: path, scheme: config.scheme, mostPerEpoch, epochs: rows, plot: file }, jsonNumber, 2),
    );
  else printLag(rows, mostPerEpoch, config.scheme.sigmaParameter);
  note(`plot: ${file}`);
}

function printLag(rows: readonly LagRow[], mostPerEpoch: number | null, parameter: 'log' | 'direct'): void {
  const percent = (value: number) => `${(100 * value).toFixed(1)} %`;
  const cells = rows.map(({ epoch, task, loss, sigma, equilibrium, lag, rateShare, moved }) => [
    String(epoch),
    task,
    ...[loss, sigma, equilibrium].map((value) => value.toFixed(4)),
    lag.toFixed(4),
    percent(rateShare),
    percent(moved),
  ]);
  printTable([['epoch', 'task', 'mean L', 'sigma', 'at rest', 'ln ratio', 'rate share', 'moved'], ...cells]);
  if (mostPerEpoch !== null)
    console.log(
      `Adam at the first rate moves ${parameter === 'log' ? 'ln sigma' : 'sigma'} by about ${mostPerEpoch.toPrecision(3)} an epoch at most.`,
    );
}

function printTable(rows: readonly (readonly string[])[]): void {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  for (const row of rows) console.log(row.map((cell, column) => cell.padStart(widths[column])).join('  '));
}
