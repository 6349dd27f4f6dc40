/**
 * The report on one or several runs: a page that needs nothing but itself, and its numbers as JSON and Markdown.
 *
 * Records in, text out: whoever calls reads the runs' folders and writes the files.
 */
import { confusion } from './confusion.ts';
import { curves } from './curves.ts';
import { equations } from './equations.ts';
import { html } from './html.ts';
import { groupByScheme, type ReportInput, type Scheme } from './input.ts';
import { overlays } from './overlays.ts';
import { page } from './page.ts';
import { provenance } from './provenance.ts';
import { resultsJson, resultsMarkdown } from './results.ts';
import { summary } from './summary.ts';
import { table } from './table.ts';

export type { ExampleMaps, ReportInput, RunRecords } from './input.ts';

export interface Report {
  /** report.html */
  readonly html: string;
  /** results.json */
  readonly json: object;
  /** results.md */
  readonly markdown: string;
}

function pageOf({ title, generated, runs, lead = [] }: ReportInput, schemes: readonly Scheme[]): string {
  return page({
    title,
    subtitle: 'MT-UNet: saliency and diagnosis of chest films, learnt together',
    sections: [
      ...lead,
      { id: 'summary', name: 'In short', content: summary(schemes) },
      { id: 'results', name: 'Results', content: table(schemes) },
      { id: 'training', name: 'Training', content: curves(schemes) },
      { id: 'overlays', name: 'Where to look', content: overlays(schemes) },
      { id: 'confusion', name: 'What is taken for what', content: confusion(schemes) },
      { id: 'provenance', name: 'Provenance', content: provenance(runs, generated) },
      { id: 'equations', name: 'Equations', content: equations() },
    ],
    footer: html`Made <time datetime="${generated}">${generated}</time> from the records of ${runs.length} ${runs.length === 1 ? 'run' : 'runs'}. Everything is in this one file.`,
  });
}

/**
 * @throws RangeError without a run, or when a run's examples and their maps differ in number
 */
export function buildReport(input: ReportInput): Report {
  if (input.runs.length === 0) throw new RangeError('buildReport needs the records of at least one run, got 0.');
  const schemes = groupByScheme(input.runs);
  return { html: pageOf(input, schemes), json: resultsJson(input, schemes), markdown: resultsMarkdown(input, schemes) };
}
