/**
 * Two runs held against each other: what was set differently, where their logs part, and whether their numbers differ by more than other films
 * would make them. The two are single trainings: what another seed would do is not known from them.
 */
import { holm } from '../mtunet/metrics/index.ts';
import type { StepRecord } from '../mtunet/records.ts';
import type { RunRecords } from './input.ts';
import { fixed } from './numbers.ts';
import { cell, type TableData } from './tabular.ts';
import { MEASURES } from './verdicts/measures.ts';
import { comparePair, type Pair } from './verdicts/pair.ts';
import { signed } from './verdicts/tables.ts';

export interface Setting {
  readonly name: string;
  readonly first: unknown;
  readonly second: unknown;
}

export interface RunPair {
  readonly settings: readonly Setting[];
  /** Program, adapter, data. */
  readonly provenance: readonly Setting[];
  /** First step whose record differs; null where none does. */
  readonly partAt: number | null;
  readonly pairs: readonly {
    readonly pair: Pair;
    readonly values: readonly [number, number];
    readonly p: number | null;
    readonly holm: number | null;
  }[];
}

const LEVEL = 0.95;

export function compareRuns(first: RunRecords, second: RunRecords): RunPair {
  const compared = MEASURES.flatMap((measure) => {
    const values = [first, second].map((run) => measure.of(run));
    if (!values.every((value) => typeof value === 'number' && Number.isFinite(value))) return [];
    const rows = [first, second].map((run) => ({ name: run.name, runs: [{ ...run, seed: 0 }] }));
    const pair = comparePair(measure, rows[0], rows[1], { level: LEVEL });
    return [{ pair, values: values as [number, number], p: pair.films[0]?.p ?? null }];
  });
  const corrected = holm(compared.map(({ p }) => p ?? Number.NaN));
  return {
    settings: differences(first.config, second.config),
    provenance: differences(facts(first), facts(second)),
    partAt: partAt(first.steps, second.steps),
    pairs: compared.map((one, i) => ({ ...one, holm: one.p === null ? null : corrected[i] })),
  };
}

function facts({ provenance: { commit, adapter, data, runtime } }: RunRecords): object {
  return { commit, runtime, adapter: adapter.name, driver: adapter.driver, data: data.name, dataHash: data.hash };
}

/** Names of nested settings with a full stop between. */
export function differences(first: unknown, second: unknown, under = ''): Setting[] {
  const nested = (value: unknown): value is Record<string, unknown> =>
    typeof value === 'object' && value !== null && !Array.isArray(value);
  if (nested(first) && nested(second)) {
    const names = [...new Set([...Object.keys(first), ...Object.keys(second)])];
    return names.flatMap((name) => differences(first[name], second[name], under ? `${under}.${name}` : name));
  }
  return JSON.stringify(first) === JSON.stringify(second) ? [] : [{ name: under, first, second }];
}

function partAt(first: readonly StepRecord[], second: readonly StepRecord[]): number | null {
  const length = Math.max(first.length, second.length);
  for (let i = 0; i < length; i++)
    if (JSON.stringify(first[i]) !== JSON.stringify(second[i])) return (first[i] ?? second[i]).step;
  return null;
}

const p = (value: number | null) => (value === null ? '\u2013' : value < 0.001 ? '< 0.001' : fixed(value));

export function pairTable(first: string, second: string, { pairs }: RunPair): TableData {
  return {
    id: 'comparison',
    caption: `${first} against ${second}`,
    columns: [
      { label: 'measure' },
      ...[first, second, 'difference', '95 % over films'].map((label) => ({ label, align: 'right' as const })),
      { label: 'test' },
      { label: 'p', align: 'right' },
      { label: 'Holm', align: 'right' },
    ],
    rows: pairs.map(({ pair, values, p: own, holm }) => [
      cell(pair.measure.label),
      ...values.map((value) => cell(fixed(value))),
      cell(signed(values[0] - values[1])),
      cell(pair.interval ? `[${signed(pair.interval.low)}, ${signed(pair.interval.high)}]` : '\u2013'),
      cell(pair.films[0]?.test ?? '\u2013'),
      cell(p(own)),
      cell(p(holm)),
    ]),
    notes: [
      'Intervals draw the test films anew, tests are on the same films; both take each network as it is. One training of each cannot tell whether another seed would turn the order around.',
    ],
  };
}
