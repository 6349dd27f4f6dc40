/** mtunet compare: two runs, their settings, and whether their numbers differ. */
import type { Command } from 'commander';
import { compareRuns, pairTable, type Setting } from '../../report/run-pair.ts';
import type { TableData } from '../../report/tabular.ts';
import { readRecords } from '../report-files.ts';

export function register(program: Command): void {
  program
    .command('compare')
    .description('two finished runs: what was set differently, where they part, and whether their numbers differ')
    .argument('<run>', 'its folder')
    .argument('<other>', 'its folder')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  mtunet compare runs/mtls1-seed1 runs/mtls3-seed1')
    .action((first: string, second: string, { json }: { json?: boolean }) => {
      const [a, b] = [first, second].map((path) => ({ ...readRecords(path), name: path }));
      const pair = compareRuns(a, b);
      if (json) return console.log(JSON.stringify(pair, null, 2));
      list('settings', pair.settings);
      list('provenance', pair.provenance);
      console.log(
        pair.partAt === null
          ? 'The logs of both agree in every digit of every step.'
          : `The logs part at step ${pair.partAt}.`,
      );
      printTable(pairTable('first', 'second', pair));
    });
}

function list(what: string, settings: readonly Setting[]): void {
  console.log(settings.length === 0 ? `${what}: the same` : `${what}:`);
  const text = (value: unknown) => (value === undefined ? 'not set' : JSON.stringify(value));
  for (const { name, first, second } of settings) console.log(`  ${name}: ${text(first)} | ${text(second)}`);
}

function printTable({ columns, rows, notes = [] }: TableData): void {
  const lines = [columns.map(({ label }) => label), ...rows.map((row) => row.map(({ text }) => text))];
  const widths = columns.map((_, i) => Math.max(...lines.map((line) => line[i].length)));
  for (const line of lines)
    console.log(
      line
        .map((text, i) => (columns[i].align === 'right' ? text.padStart(widths[i]) : text.padEnd(widths[i])))
        .join('  ')
        .trimEnd(),
    );
  for (const note of notes) console.log(note);
}
