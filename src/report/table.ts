/**
 * The schemes side by side, with the baselines and the paper's values beside them: for the page and in Markdown.
 */
import { type Child, html, type Markup } from './html.ts';
import type { RunRecords, Scheme } from './input.ts';
import {
  type Aggregate,
  ARROWS,
  aggregate,
  aggregateBaseline,
  baselineNames,
  bestSchemes,
  METRICS,
  type Metric,
} from './metrics.ts';
import { count, fixed, isNumber, NOT_AVAILABLE } from './numbers.ts';
import { shortName, standardError } from './summary.ts';
import { escapeMarkdown } from './tabular.ts';

interface Cell {
  readonly text: string;
  /** "± 0.004"; empty with a single seed. */
  readonly spread: string;
  readonly best: boolean;
}

interface Row {
  readonly metric: Metric;
  readonly schemes: readonly Cell[];
  readonly baselines: readonly Cell[];
  readonly paper: Cell;
}

const EMPTY: Cell = { text: '\u2013', spread: '', best: false };

function cell({ median, std, values }: Aggregate, best = false): Cell {
  const known = values.filter(isNumber).length;
  const incomplete = known > 0 && known < values.length ? ` (${known} of ${values.length})` : '';
  return { text: fixed(median), spread: `${std === null ? '' : `\u00b1 ${fixed(std)}`}${incomplete}`, best };
}

const isSaliency = ({ key }: Metric) => ['kld', 'pcc', 'hs'].includes(key);

/** n/a where a metric cannot measure what a baseline predicts (PCC of a constant), a dash where it predicts nothing. */
function baselineCell(runs: readonly RunRecords[], name: string, metric: Metric): Cell {
  const { median } = aggregateBaseline(runs, name, metric);
  if (median !== null) return { ...EMPTY, text: fixed(median) };
  const predictsMaps = runs.some(({ evaluation }) =>
    evaluation.baselines.some((one) => one.name === name && one.saliency !== null),
  );
  return isSaliency(metric) && predictsMaps ? { ...EMPTY, text: NOT_AVAILABLE } : EMPTY;
}

function rows(schemes: readonly Scheme[]): Row[] {
  const runs = schemes.flatMap((scheme) => scheme.runs);
  return METRICS.map((metric) => {
    const best = bestSchemes(schemes, metric);
    return {
      metric,
      schemes: schemes.map((scheme) => cell(aggregate(scheme, metric), best.includes(scheme))),
      baselines: baselineNames(runs).map((name) => baselineCell(runs, name, metric)),
      paper: metric.paper
        ? { text: fixed(metric.paper[0]), spread: `\u00b1 ${fixed(metric.paper[1])}`, best: false }
        : EMPTY,
    };
  });
}

const seeds = ({ runs }: Scheme) => count(runs.length, 'seed');

/** What a reader must know to read the numbers. */
function notes(schemes: readonly Scheme[]): string[] {
  const { evaluation } = schemes[0].runs[0];
  const single = schemes.filter(({ runs }) => runs.length === 1);
  const accuracy = evaluation.classification?.accuracy;
  return [
    `Saliency metrics are means over the ${evaluation.split} films of a run, at the epoch with the lowest validation loss.`,
    single.length < schemes.length && 'Given are medians \u00b1 sample standard deviations over seeds.',
    single.length > 0 &&
      `${single.length === schemes.length ? 'Every scheme' : single.map(({ label }) => label).join(', ')} has a single seed, so no \u00b1 can be given.`,
    isNumber(accuracy) &&
      evaluation.images > 0 &&
      `With ${count(evaluation.images, 'film')}, an accuracy has a standard error of about ${fixed(standardError(accuracy, evaluation.images))} before any change of seed.`,
    'The paper names Hand and Till for its AUC, but its released code computes the micro average, so 0.843 stands in that row.',
  ].filter((note) => note !== false);
}

function td({ text, spread, best }: Cell, group: string): Markup {
  const value = best ? html`<strong>${text}</strong><span class="hidden"> (best)</span>` : text;
  return html`<td class="${group}${best && ' best'}">${value}${spread && html` <span class="spread">${spread}</span>`}</td>`;
}

const NUMBER_NAMES = METRICS.map(({ label }) => html`<th scope="col">${label}</th>`);

function everyRun(schemes: readonly Scheme[]): Child {
  if (schemes.every(({ runs }) => runs.length === 1)) return null;
  return html`
    <details>
      <summary>Every run on its own</summary>
      <div class="scroll" tabindex="0" role="region" aria-label="Results of every run">
        <table class="results runs">
          <thead><tr><th scope="col">run</th><th scope="col">seed</th>${NUMBER_NAMES}</tr></thead>
          <tbody>${schemes.flatMap(({ runs }) =>
            runs.map(
              (run) => html`
            <tr><th scope="row">${run.name}</th><td>${run.seed}</td>${METRICS.map((one) => html`<td>${fixed(one.of(run.evaluation))}</td>`)}</tr>`,
            ),
          )}
          </tbody>
        </table>
      </div>
    </details>`;
}

export function table(schemes: readonly Scheme[]): Markup {
  const names = baselineNames(schemes.flatMap(({ runs }) => runs));
  return html`
    <section id="results" aria-labelledby="results-heading">
      <h2 id="results-heading">Results on the test films</h2>
      <div class="scroll" tabindex="0" role="region" aria-label="Results by scheme">
        <table class="results">
          <thead>
            <tr class="groups">
              <td></td>
              <th scope="colgroup" colspan="${schemes.length}">trained here</th>
              ${names.length > 0 && html`<th scope="colgroup" colspan="${names.length}" class="baseline">without looking</th>`}
              <th scope="colgroup" class="paper">paper, other data</th>
            </tr>
            <tr>
              <td></td>
              ${schemes.map((scheme) => html`<th scope="col">${scheme.label}<small>${seeds(scheme)}</small></th>`)}
              ${names.map((name) => html`<th scope="col" class="baseline" title="${name}">${shortName(name)}</th>`)}
              <th scope="col" class="paper">MTLS3<small>5 or more seeds</small></th>
            </tr>
          </thead>
          <tbody>${rows(schemes).map(
            (row) => html`
            <tr>
              <th scope="row">${row.metric.label}\u00a0<span class="arrow" title="${row.metric.better} is better">${ARROWS[row.metric.better]}</span><small>${row.metric.meaning}</small></th>
              ${row.schemes.map((one) => td(one, 'scheme'))}
              ${row.baselines.map((one) => td(one, 'baseline'))}
              ${td(row.paper, 'paper')}
            </tr>`,
          )}
          </tbody>
        </table>
      </div>
      <p class="note">${schemes.length > 1 && 'Bold: best of the schemes trained here. '}${notes(schemes).join(' ')}</p>
      ${everyRun(schemes)}
    </section>`;
}

export function markdownTable(schemes: readonly Scheme[]): string {
  const names = baselineNames(schemes.flatMap(({ runs }) => runs));
  const heads = [
    'metric',
    ...schemes.map((scheme) => `${escapeMarkdown(scheme.label)} (${seeds(scheme)})`),
    ...names.map((name) => escapeMarkdown(shortName(name))),
    'paper, other data: MTLS3',
  ];
  const write = ({ text, spread, best }: Cell) => `${best ? `**${text}**` : text}${spread && ` ${spread}`}`;
  const lines = rows(schemes).map(({ metric, ...row }) => [
    `${metric.label} ${ARROWS[metric.better]}`,
    ...[...row.schemes, ...row.baselines, row.paper].map(write),
  ]);
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [
    line(heads),
    line(heads.map((_, i) => (i === 0 ? '---' : '---:'))),
    ...lines.map(line),
    '',
    `${schemes.length > 1 ? 'Bold: best of the schemes trained here. ' : ''}${notes(schemes).join(' ')}`,
  ].join('\n');
}
