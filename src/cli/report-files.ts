/** Reads runs, builds the report, writes report.html, results.json and results.md. */
import { join } from 'node:path';
import { buildReport, type RunRecords } from '../report/report.ts';
import { differences } from '../report/run-pair.ts';
import { RunFolder, writeWhole } from './run-folder.ts';

export function readRecords(path: string): RunRecords {
  const folder = RunFolder.open(path);
  const { config, evaluation, provenance, steps, epochs, examples } = folder;
  const name = path.replace(/\/+$/, '').split('/').pop() ?? path;
  return {
    name,
    scheme: config.scheme.name,
    seed: config.seed,
    config,
    provenance,
    steps,
    epochs,
    evaluation,
    examples,
    images: folder.images,
  };
}

/** Whether only their seeds, and the schemes that the page tells apart anyhow, differ: then the scheme is name enough. */
const SAID = /^(seed|preset|scheme\.name)$/;

/** Runs that differ in more than scheme and seed get a row by what they differ in: "mt-unet-b, mtls3". */
export function withRows(runs: readonly RunRecords[]): RunRecords[] {
  const names = new Set(runs.flatMap(({ config }) => differences(runs[0].config, config).map(({ name }) => name)));
  if ([...names].every((name) => SAID.test(name))) return [...runs];
  const telling = [...names].filter((name) => name !== 'seed' && name !== 'preset').sort();
  return runs.map((run) => ({ ...run, row: telling.map((name) => setting(run.config, name)).join(', ') }));
}

function setting(config: object, path: string): string {
  const value = path
    .split('.')
    .reduce<unknown>((part, name) => (part as Record<string, unknown> | undefined)?.[name], config);
  const [last] = path.split('.').slice(-1);
  return typeof value === 'string' ? value : `${last} ${JSON.stringify(value)}`;
}

/** Returns the path of the page. `more` is written into results.json beside the tables. */
export function writeReport(runs: readonly string[], out: string, title: string, more: object = {}): string {
  const { html, json, markdown } = buildReport({
    title,
    runs: withRows(runs.map(readRecords)),
    generated: new Date().toISOString(),
  });
  const page = join(out, 'report.html');
  writeWhole(join(out, 'results.json'), `${JSON.stringify({ ...json, ...more }, null, 2)}\n`);
  writeWhole(join(out, 'results.md'), markdown);
  writeWhole(page, html);
  return page;
}
