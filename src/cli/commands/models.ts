/** mtunet models: the networks that can be trained, with their parameter counts at the paper's size. */

import type { Command } from 'commander';
import { networks } from '../../mtunet/networks.ts';

export function register(program: Command): void {
  program
    .command('models')
    .description('the networks, their parameters at the published widths and their source')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  mtunet models --json')
    .action(({ json }: { json?: boolean }) => printModels(json ?? false));
}

export interface ModelRow {
  readonly name: string;
  readonly title: string;
  readonly parameters: number;
  readonly source: string;
}

export function modelRows(): ModelRow[] {
  return Object.entries(networks).map(([name, { title, parameters, source }]) => ({ name, title, parameters, source }));
}

function printModels(asJson: boolean): void {
  const rows = modelRows();
  if (asJson) console.log(JSON.stringify(rows, null, 2));
  else
    for (const { name, title, parameters, source } of rows)
      console.log(
        `${name.padEnd(10)} ${parameters.toLocaleString('en').padStart(11)}  ${title}\n${' '.repeat(24)}${source}`,
      );
}
