/**
 * From the runs of a sweep to the page that compares them with the paper, and to the files beside it.
 *
 *   report.html  results.json  results.md  tables/<name>.{md,csv,tex}  figures/<name>.{svg,png}
 */
import { join } from 'node:path';
import { experimentFigures } from '../report/figures.ts';
import { buildReport } from '../report/report.ts';
import { csvOf, latexOf, markdownOf } from '../report/tabular.ts';
import type { VerdictInput } from '../report/verdicts/input.ts';
import { type Judgement, judge } from '../report/verdicts/judge.ts';
import { allTables, verdictMarkdown, verdictSections } from '../report/verdicts/section.ts';
import type { Experiment } from './experiment-folder.ts';
import { pngOf } from './raster.ts';
import { readRecords } from './report-files.ts';
import { writeWhole } from './run-folder.ts';
import { readMark, runPath, type Sweep } from './sweep/run-description.ts';

export interface ExperimentReport {
  /** Path of the page. */
  readonly page: string;
  readonly judgement: Judgement;
}

/** Of the finished runs among `names`, into `out`. */
export async function writeExperimentReport(
  { config, expected }: Experiment,
  sweep: Sweep,
  names: ReadonlySet<string>,
  out: string,
): Promise<ExperimentReport> {
  const done = sweep.runs.filter((run) => names.has(run.name) && readMark(sweep, run).done);
  const runs = done.map((run) => ({
    ...readRecords(runPath(sweep, run)),
    row: run.row,
  }));
  const rows = config.rows.map(({ name }) => ({
    name,
    runs: runs.filter((run) => run.row === name).sort((a, b) => a.seed - b.seed),
  }));
  const input: VerdictInput = {
    title: config.title,
    rows: rows.filter((row) => row.runs.length > 0),
    measures: config.measures,
    expected,
  };
  const judgement = judge(input);
  const generated = new Date().toISOString();
  const report = buildReport({
    title: config.title,
    runs,
    generated,
    lead: verdictSections(input, judgement),
    leadMarkdown: verdictMarkdown(input, judgement),
  });
  for (const table of allTables(input, judgement)) {
    const write = (ending: string, text: string) => writeWhole(join(out, 'tables', `${table.id}.${ending}`), text);
    write('md', `# ${table.caption}\n\n${markdownOf(table)}\n`);
    write('csv', csvOf(table));
    write('tex', latexOf(table));
  }
  for (const { id, svg } of experimentFigures(input, config.show)) {
    writeWhole(join(out, 'figures', `${id}.svg`), svg);
    writeWhole(join(out, 'figures', `${id}.png`), await pngOf(svg));
  }
  writeWhole(
    join(out, 'results.json'),
    `${JSON.stringify({ ...report.json, judgement: plain(judgement) }, null, 2)}\n`,
  );
  writeWhole(join(out, 'results.md'), report.markdown);
  const page = join(out, 'report.html');
  writeWhole(page, report.html);
  return { page, judgement };
}

/** Without functions; NaN becomes null. */
function plain(judgement: Judgement): unknown {
  return JSON.parse(JSON.stringify(judgement));
}
