/** A judgement as tables: values beside the paper's, claims, statistics, the released code's aggregation over films, and every training. */

import { ARROWS } from '../metrics.ts';
import { count, fixed, isNumber, median } from '../numbers.ts';
import { type Cell, cell, type TableData } from '../tabular.ts';
import { EVENTS } from './events.ts';
import type { Row, VerdictInput } from './input.ts';
import type { Judgement, Part } from './judge.ts';
import { type Measure, measure } from './measures.ts';
import type { Pair } from './pair.ts';
import type { ClaimVerdict, Spread, ValueVerdict } from './verdict.ts';

const NOTHING = '\u2013';

const spread = (value: Spread | null): Cell =>
  value === null
    ? cell(NOTHING)
    : cell(fixed(value.median), value.std === null ? {} : { spread: `\u00b1 ${fixed(value.std)}` });

export const signed = (value: number | null): string =>
  value === null ? NOTHING : value > 0 ? `+${fixed(value)}` : fixed(value);

const label = ({ label, better }: Measure) => (better ? `${label} ${ARROWS[better]}` : label);

const TONES: Readonly<Record<ValueVerdict | ClaimVerdict, Cell['tone']>> = {
  reproduced: 'good',
  holds: 'good',
  'not reproduced': 'bad',
  'does not hold': 'bad',
  'within noise': 'quiet',
  'not comparable: other data': 'quiet',
  'not comparable: other settings': 'quiet',
  'undecided: one training': 'quiet',
  missing: 'quiet',
};

export const verdictCell = (verdict: ValueVerdict | ClaimVerdict | null): Cell =>
  verdict === null ? cell(NOTHING) : cell(verdict, { tone: TONES[verdict] });

/** A table as the paper prints it: rows are measures, columns the rows of the experiment. */
export function paperTable({ title, rows, measures }: VerdictInput, { values }: Judgement): TableData {
  const of = (row: Row, key: string) => values.find((one) => one.row === row.name && one.measure.key === key)!;
  const best = (key: string) => {
    const { better } = measure(key);
    const medians = rows.map((row) => of(row, key).ours?.median).filter(isNumber);
    if (!better || medians.length < 2) return null;
    return fixed(better === 'lower' ? Math.min(...medians) : Math.max(...medians));
  };
  const counts = [...new Set(rows.map(({ runs }) => runs.length))].sort((a, b) => a - b);
  return {
    id: 'results',
    caption: `${title}: measured here`,
    columns: [{ label: 'measure' }, ...rows.map(({ name }) => ({ label: name, align: 'right' as const }))],
    rows: measures.map((key) => [
      cell(label(measure(key))),
      ...rows.map((row) => {
        const { ours } = of(row, key);
        return { ...spread(ours), best: ours !== null && fixed(ours.median) === best(key) };
      }),
    ]),
    notes: [
      `Medians over ${counts.join(' to ')} ${counts[counts.length - 1] === 1 ? 'training' : 'trainings'}${counts[0] > 1 ? ' \u00b1 sample standard deviation' : ''}, each the mean over the test films; bold: best of the row.`,
    ],
  };
}

/** One line a value: the paper's, ours, the difference and the verdict. */
export function valuesTable({ title, expected }: VerdictInput, { values, comparable }: Judgement): TableData {
  const written = expected.written ? 'predicted' : 'paper';
  const shown = values.filter(({ paper }) => paper !== null);
  return {
    id: 'verdicts',
    caption: `${title}: beside the ${written === 'paper' ? 'paper' : 'prediction'}`,
    columns: [
      { label: 'row' },
      { label: 'measure' },
      { label: written, align: 'right' },
      { label: 'here', align: 'right' },
      { label: 'difference', align: 'right' },
      { label: 'verdict' },
    ],
    rows: shown.map(({ row, measure, paper, ours, difference, verdict }) => [
      cell(row),
      cell(label(measure)),
      spread(paper),
      spread(ours),
      cell(signed(difference)),
      verdictCell(verdict),
    ]),
    notes: comparable
      ? [
          'The films are not the paper\u2019s, or not at its size, so no absolute number is held against another: the differences are printed to be seen, not judged. What is judged are orders and effects.',
        ]
      : [],
  };
}

export function partText(part: Part): string {
  if (part.kind === 'event') return `${part.row}: ${EVENTS[part.event].label}`;
  const { first, second, measure } = part.pair;
  return `${first} against ${second}, ${measure.label}`;
}

export function partFound(part: Part): string {
  if (part.kind === 'event') return `${part.seen} of ${part.of}`;
  const { difference, interval } = part.pair;
  return interval ? `${signed(difference)} [${signed(interval.low)}, ${signed(interval.high)}]` : signed(difference);
}

export function claimsTable({ title }: VerdictInput, { claims }: Judgement): TableData {
  return {
    id: 'claims',
    caption: `${title}: orders and effects`,
    columns: [
      { label: 'claim' },
      { label: 'source' },
      { label: 'comparison' },
      { label: 'found', align: 'right' },
      { label: 'verdict' },
    ],
    rows: claims.flatMap(({ claim, verdict, parts }) => [
      [
        cell(claim.text, { best: true }),
        cell(claim.source),
        cell(count(parts.length, 'comparison')),
        cell(''),
        verdictCell(verdict),
      ],
      ...parts.map((part) => [
        cell(''),
        cell(''),
        cell(partText(part)),
        cell(partFound(part)),
        verdictCell(part.verdict),
      ]),
    ]),
    notes: [
      'Found: the median difference over trainings that share a seed, and the interval of the mean difference when trainings and films are drawn anew (with one training: films alone), as wide as all comparisons of a claim need to hold together at 95 %.',
    ],
  };
}

const p = (value: number) => (Number.isNaN(value) ? NOTHING : value < 0.001 ? '< 0.001' : fixed(value));

export function statisticsTable({ title }: VerdictInput, { statistics }: Judgement): TableData {
  return {
    id: 'statistics',
    caption: `${title}: tests`,
    columns: [
      { label: 'pair' },
      { label: 'measure' },
      { label: 'difference', align: 'right' },
      { label: 'p, trainings', align: 'right' },
      { label: 'Holm', align: 'right' },
      { label: 'Wilcoxon', align: 'right' },
      { label: 'test on films' },
      { label: 'Holm p < 0.05', align: 'right' },
    ],
    rows: statistics.map(({ pair, holm, filmsHolm }) => [
      cell(`${pair.first} \u2212 ${pair.second}`),
      cell(label(pair.measure)),
      cell(signed(pair.difference)),
      cell(p(pair.permutation)),
      cell(p(holm)),
      cell(p(pair.wilcoxon)),
      cell(pair.films[0]?.test ?? NOTHING),
      cell(
        pair.films.length > 0
          ? `${filmsHolm.filter((one) => one < 0.05).length} of ${pair.films.length} seeds`
          : NOTHING,
      ),
    ]),
    notes: [
      'p, trainings: paired permutation test over seeds. Tests on films: for each seed the two networks on the same films (DeLong for an area, McNemar for the accuracy, permutation for a mean), corrected over all seeds and rows.',
    ],
  };
}

/** As the released code reports a training: over the test films; here the median of that over trainings. Null without saliency. */
export function filmsTable({ title, rows }: VerdictInput): TableData | null {
  const keys = ['kld', 'pcc', 'hs'] as const;
  const saliency = rows.filter(({ runs }) => runs.some(({ evaluation }) => evaluation.saliency));
  if (saliency.length === 0) return null;
  const of = ({ runs }: Row, what: 'mean' | 'median' | 'std', key: (typeof keys)[number]) =>
    median(runs.map(({ evaluation }) => evaluation.saliency?.[what][key]));
  return {
    id: 'films',
    caption: `${title}: over the test films, as the released code aggregates`,
    columns: [
      { label: 'row' },
      ...keys.flatMap((key) =>
        ['mean', 'median', 'std'].map((what) => ({ label: `${measure(key).label} ${what}`, align: 'right' as const })),
      ),
    ],
    rows: saliency.map((row) => [
      cell(row.name),
      ...keys.flatMap((key) => (['mean', 'median', 'std'] as const).map((what) => cell(fixed(of(row, what, key))))),
    ]),
    notes: [
      'std: over films, population. Medians over trainings. The paper does not say which of these its tables hold.',
    ],
  };
}

export function trainingsTable({ title, rows, measures }: VerdictInput): TableData {
  return {
    id: 'trainings',
    caption: `${title}: every training`,
    columns: [
      { label: 'row' },
      { label: 'seed', align: 'right' },
      ...measures.map((key) => ({ label: label(measure(key)), align: 'right' as const })),
    ],
    rows: rows.flatMap(({ name, runs }) =>
      runs.map((run) => [
        cell(name),
        cell(String(run.seed)),
        ...measures.map((key) => cell(fixed(measure(key).of(run), 4))),
      ]),
    ),
  };
}

/** One line a film test, for the file alone. */
export function filmTestsTable({ title }: VerdictInput, { statistics }: Judgement): TableData {
  const line = (pair: Pair, i: number, holm: number) => [
    cell(pair.first),
    cell(pair.second),
    cell(pair.measure.key),
    cell(String(pair.films[i].seed)),
    cell(pair.films[i].test),
    cell(String(pair.films[i].p)),
    cell(String(holm)),
  ];
  return {
    id: 'film-tests',
    caption: `${title}: tests on films, seed by seed`,
    columns: ['first', 'second', 'measure', 'seed', 'test', 'p', 'Holm'].map((name) => ({ label: name })),
    rows: statistics.flatMap(({ pair, filmsHolm }) => filmsHolm.map((holm, i) => line(pair, i, holm))),
  };
}
