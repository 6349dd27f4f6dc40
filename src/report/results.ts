/**
 * The numbers of the report for machines: results.json, and the table as Markdown.
 */
import type { ReportInput, RunRecords, Scheme } from './input.ts';
import { aggregate, aggregateBaseline, baselineNames, bestSchemes, METRICS } from './metrics.ts';
import { isNumber, type Value } from './numbers.ts';
import { provenanceLine } from './provenance.ts';
import { bestEpoch, resetEpochs } from './series.ts';
import { honestLimit } from './summary.ts';
import { markdownTable } from './table.ts';
import { escapeMarkdown } from './tabular.ts';

/** One property per metric. */
function perMetric<T>(value: (metric: (typeof METRICS)[number]) => T): Record<string, T> {
  return Object.fromEntries(METRICS.map((metric) => [metric.key, value(metric)]));
}

/** JSON has no NaN; null says the same here: not known. */
const orNull = (value: Value) => (isNumber(value) ? value : null);

function runResults(run: RunRecords) {
  const { name, scheme, seed, evaluation, provenance, config } = run;
  return {
    name,
    scheme,
    seed,
    split: evaluation.split,
    images: evaluation.images,
    epoch: evaluation.epoch,
    bestEpoch: bestEpoch(run),
    resetEpochs: resetEpochs(run),
    metrics: perMetric(({ of }) => orNull(of(evaluation))),
    confusion: evaluation.classification?.confusion ?? null,
    provenance,
    config,
  };
}

export function resultsJson({ title, generated, runs }: ReportInput, schemes: readonly Scheme[]): object {
  return {
    title,
    generated,
    better: perMetric(({ better }) => better),
    schemes: schemes.map((scheme) => ({
      scheme: scheme.id,
      seeds: scheme.runs.map(({ seed }) => seed),
      metrics: perMetric((metric) => aggregate(scheme, metric)),
    })),
    best: perMetric((metric) => bestSchemes(schemes, metric).map(({ id }) => id)),
    baselines: baselineNames(runs).map((name) => ({
      name,
      metrics: perMetric((metric) => aggregateBaseline(runs, name, metric).median),
    })),
    paper: {
      scheme: 'mtls3',
      note: 'Tables 1 and 2 of the paper: other data, for orientation only.',
      metrics: perMetric(({ paper }) => paper && { median: paper[0], std: paper[1] }),
    },
    runs: runs.map(runResults),
  };
}

export function resultsMarkdown(
  { title, generated, runs, leadMarkdown }: ReportInput,
  schemes: readonly Scheme[],
): string {
  const limits = [...new Set(runs.map(({ provenance }) => honestLimit(provenance.data.name)))];
  return [
    `# ${escapeMarkdown(title)}`,
    limits.join(' '),
    ...(leadMarkdown ? [leadMarkdown, '## All metrics and baselines'] : []),
    markdownTable(schemes),
    `Provenance: ${escapeMarkdown(provenanceLine(runs, generated))}`,
    '',
  ].join('\n\n');
}
