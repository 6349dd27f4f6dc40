/** Reads runs, builds the report, writes report.html, results.json and results.md. */
import { join } from 'node:path';
import { buildReport, type RunRecords } from '../report/report.ts';
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
  };
}

/** Returns the path of the page. */
export function writeReport(runs: readonly string[], out: string, title: string): string {
  const { html, json, markdown } = buildReport({
    title,
    runs: runs.map(readRecords),
    generated: new Date().toISOString(),
  });
  const page = join(out, 'report.html');
  writeWhole(join(out, 'results.json'), `${JSON.stringify(json, null, 2)}\n`);
  writeWhole(join(out, 'results.md'), markdown);
  writeWhole(page, html);
  return page;
}
