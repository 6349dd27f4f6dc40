/** From the runs of an experiment and what is expected of them to values, claims and statistics with their verdicts. */
import { holm } from '../../mtunet/metrics/index.ts';
import { isNumber, median, sampleStd } from '../numbers.ts';
import { isClinical } from '../summary.ts';
import { EVENTS } from './events.ts';
import type { Claim, Row, VerdictInput } from './input.ts';
import { type Measure, measure } from './measures.ts';
import { comparePair, type Pair } from './pair.ts';
import {
  type ClaimVerdict,
  equalVerdict,
  eventVerdict,
  orderVerdict,
  type Spread,
  together,
  type ValueVerdict,
  valueVerdict,
} from './verdict.ts';
import { warnings } from './warnings.ts';

export interface ValueRow {
  readonly row: string;
  readonly measure: Measure;
  readonly paper: Spread | null;
  readonly ours: Spread | null;
  /** One a training, by seed; null where it is missing. */
  readonly values: readonly (number | null)[];
  readonly difference: number | null;
  readonly verdict: ValueVerdict | null;
}

export type Part =
  | { readonly kind: 'pair'; readonly pair: Pair; readonly verdict: ClaimVerdict }
  | {
      readonly kind: 'event';
      readonly row: string;
      readonly event: string;
      readonly seen: number;
      readonly of: number;
      readonly verdict: ClaimVerdict;
    };

export interface ClaimResult {
  readonly claim: Claim;
  readonly verdict: ClaimVerdict;
  readonly parts: readonly Part[];
}

export interface StatisticRow {
  readonly pair: Pair;
  /** Of the permutation test, corrected for all rows. */
  readonly holm: number;
  /** Of the films' tests, corrected for all seeds and rows; in the order of pair.films. */
  readonly filmsHolm: readonly number[];
}

export interface Judgement {
  /** Whether an absolute number may be held against the paper's; if not, why. */
  readonly comparable: ValueVerdict | null;
  readonly values: readonly ValueRow[];
  readonly claims: readonly ClaimResult[];
  readonly statistics: readonly StatisticRow[];
  readonly warnings: readonly string[];
}

const LEVEL = 0.05;

export function judge(input: VerdictInput): Judgement {
  const { rows, measures, expected } = input;
  const comparable = comparableWith(rows);
  const claims = expected.claims.map((claim) => claimResult(claim, rows));
  const pairs = claims.flatMap(({ parts }) => parts.flatMap((part) => (part.kind === 'pair' ? [part.pair] : [])));
  return {
    comparable,
    values: rows.flatMap((row) =>
      measures.map((key) => valueRow(row, measure(key), expected.values[row.name]?.[key], comparable)),
    ),
    claims,
    statistics: statisticsOf(pairs),
    warnings: warnings(rows, pairs),
  };
}

/** Sizes and schedules of the paper's own trainings. */
const PAPERS = ['paper', 'released'];

function comparableWith(rows: readonly Row[]): ValueVerdict | null {
  const runs = rows.flatMap((row) => row.runs);
  if (!runs.every(({ provenance }) => isClinical(provenance.data.name))) return 'not comparable: other data';
  const presets = runs.map(({ config }) => (config as { preset?: string }).preset ?? '');
  return presets.every((preset) => PAPERS.includes(preset)) ? null : 'not comparable: other settings';
}

function valueRow(
  row: Row,
  one: Measure,
  expected: readonly [number, number | null] | undefined,
  comparable: ValueVerdict | null,
): ValueRow {
  const values = row.runs.map((run) => one.of(run)).map((value) => (isNumber(value) ? value : null));
  const middle = median(values);
  const ours = middle === null ? null : { median: middle, std: sampleStd(values) };
  const paper = expected ? { median: expected[0], std: expected[1] } : null;
  const difference = ours && paper ? ours.median - paper.median : null;
  const verdict = !paper ? null : !ours ? 'missing' : (comparable ?? valueVerdict(ours, paper));
  return { row: row.name, measure: one, paper, ours, values, difference, verdict };
}

function claimResult(claim: Claim, rows: readonly Row[]): ClaimResult {
  const parts = claim.kind === 'present' || claim.kind === 'absent' ? eventParts(claim, rows) : pairParts(claim, rows);
  return { claim, parts, verdict: together(parts.map(({ verdict }) => verdict)) };
}

const find = (rows: readonly Row[], name: string | undefined): Row =>
  rows.find((row) => row.name === name) ?? { name: name ?? '', runs: [] };

function pairParts({ kind, better, row, than = [], measures, within = 0 }: Claim, rows: readonly Row[]): Part[] {
  const level = 1 - LEVEL / (than.length * measures.length);
  return than.flatMap((other) =>
    measures.map((key): Part => {
      const one = measure(key);
      const pair = comparePair(one, find(rows, better ?? row), find(rows, other), { level });
      const verdict =
        kind === 'equal'
          ? equalVerdict(pair, within)
          : orderVerdict(pair, kind === 'order' && one.better === 'lower' ? -1 : 1);
      return { kind: 'pair', pair, verdict };
    }),
  );
}

function eventParts({ kind, row, measures }: Claim, rows: readonly Row[]): Part[] {
  const { name, runs } = find(rows, row);
  return measures.map((event): Part => {
    const seen = runs.filter((run) => EVENTS[event].seen(run)).length;
    return {
      kind: 'event',
      row: name,
      event,
      seen,
      of: runs.length,
      verdict: eventVerdict(kind as 'present', seen, runs.length),
    };
  });
}

/** A pair that several claims name is tested once. */
function statisticsOf(all: readonly Pair[]): StatisticRow[] {
  const key = ({ first, second, measure }: Pair) => [first, second, measure.key].join('\n');
  const pairs = [...new Map(all.map((pair) => [key(pair), pair])).values()];
  const trainings = holm(pairs.map(({ permutation }) => permutation));
  const films = holm(pairs.flatMap((pair) => pair.films.map(({ p }) => p)));
  let from = 0;
  return pairs.map((pair, i) => {
    const filmsHolm = films.slice(from, from + pair.films.length);
    from += pair.films.length;
    return { pair, holm: trainings[i], filmsHolm };
  });
}
