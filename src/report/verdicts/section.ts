/** The verdict on the page: what was claimed and what was found, the values, the statistics, and what they cannot show. */
import { type Child, html, type Markup } from '../html.ts';
import { count } from '../numbers.ts';
import { htmlTable, markdownOf, type TableData } from '../tabular.ts';
import type { VerdictInput } from './input.ts';
import type { ClaimResult, Judgement } from './judge.ts';
import * as tables from './tables.ts';
import type { ClaimVerdict } from './verdict.ts';

/** Everything that is also written as files. */
export function allTables(input: VerdictInput, judgement: Judgement): TableData[] {
  return [
    tables.paperTable(input, judgement),
    judgement.values.some(({ paper }) => paper) ? tables.valuesTable(input, judgement) : null,
    judgement.claims.length > 0 ? tables.claimsTable(input, judgement) : null,
    judgement.statistics.length > 0 ? tables.statisticsTable(input, judgement) : null,
    tables.filmsTable(input),
    tables.trainingsTable(input),
    judgement.statistics.length > 0 ? tables.filmTestsTable(input, judgement) : null,
  ].filter((table) => table !== null);
}

const tallies = ({ parts }: ClaimResult): string => {
  const words: readonly ClaimVerdict[] = [
    'holds',
    'within noise',
    'does not hold',
    'undecided: one training',
    'missing',
  ];
  return words
    .map((word) => ({ word, n: parts.filter(({ verdict }) => verdict === word).length }))
    .filter(({ n }) => n > 0)
    .map(({ word, n }) => `${n} ${word}`)
    .join(', ');
};

function claim(result: ClaimResult): Child {
  const { verdict, parts } = result;
  const { tone } = tables.verdictCell(verdict);
  return html`
        <li>
          <p><span class="verdict ${tone ?? ''}">${verdict}</span> ${result.claim.text} <span class="source">${result.claim.source}</span></p>
          <details>
            <summary>${count(parts.length, 'comparison')}: ${tallies(result)}</summary>
            <ul class="parts">${parts.map(
              (part) => html`
              <li><span class="verdict ${tables.verdictCell(part.verdict).tone ?? ''}">${part.verdict}</span> ${tables.partText(part)}: ${tables.partFound(part)}</li>`,
            )}
            </ul>
          </details>
        </li>`;
}

const comparability = ({ comparable }: Judgement, { expected }: VerdictInput): string =>
  expected.written
    ? `Predicted on ${expected.written}, before the runs.`
    : comparable === 'not comparable: other data'
      ? 'The films are not the paper\u2019s: no absolute number is reproduced or refuted here. What is judged is whether the orders and effects that the paper reports hold on these films.'
      : comparable === 'not comparable: other settings'
        ? 'The films are clinical, but size or schedule are not the paper\u2019s, so absolute numbers are not judged.'
        : 'Films and settings are those of the paper as far as this report can tell, so numbers are judged, too.';

export function verdictSections(
  input: VerdictInput,
  judgement: Judgement,
): { id: string; name: string; content: Markup }[] {
  const { expected } = input;
  const [results, ...rest] = allTables(input, judgement);
  const shown = rest.filter(({ id }) => id !== 'claims' && id !== 'film-tests');
  const verdicts = html`
    <section id="verdicts" aria-labelledby="verdicts-heading">
      <h2 id="verdicts-heading">${expected.written ? 'Predictions and what became of them' : 'Claims and what became of them'}</h2>
      <p class="lead">${comparability(judgement, input)}</p>
      ${judgement.claims.length > 0 ? html`<ol class="claims">${judgement.claims.map(claim)}</ol>` : html`<p>Nothing was claimed or predicted: the tables describe.</p>`}
      ${htmlTable(results)}
      ${expected.notes.map((note) => html`<p class="note">${note}</p>`)}
      <p class="note">Source: ${expected.source}.</p>
    </section>`;
  const numbers = html`
    <section id="statistics" aria-labelledby="statistics-heading">
      <h2 id="statistics-heading">Numbers and tests</h2>
      <h3>What these runs cannot show</h3>
      <ul class="warnings">${judgement.warnings.map((text) => html`<li>${text}</li>`)}</ul>
      ${shown.map((table) => (table.id === 'trainings' || table.id === 'films' ? html`<details><summary>${table.caption}</summary>${htmlTable(table)}</details>` : htmlTable(table)))}
      <p class="note">The same tables are in <code>tables/</code> beside this page, as Markdown, CSV and LaTeX; the figures in <code>figures/</code>, as SVG and PNG.</p>
    </section>`;
  return [
    { id: 'verdicts', name: 'Verdicts', content: verdicts },
    { id: 'statistics', name: 'Numbers and tests', content: numbers },
  ];
}

export function verdictMarkdown(input: VerdictInput, judgement: Judgement): string {
  const [results, ...rest] = allTables(input, judgement).filter(({ id }) => id !== 'film-tests');
  return [
    comparability(judgement, input),
    ...judgement.claims.map(
      (result) => `- **${result.verdict}**: ${result.claim.text} (${result.claim.source}; ${tallies(result)})`,
    ),
    ...[results, ...rest].flatMap((table) => [`## ${table.caption}`, markdownOf(table)]),
    '## What these runs cannot show',
    ...judgement.warnings.map((text) => `- ${text}`),
  ].join('\n\n');
}
