/**
 * What an experiment is judged by: its rows of runs, and what the paper (or a prediction) says of them.
 */
import type { RunRecords } from '../input.ts';

export interface Claim {
  readonly text: string;
  readonly source: string;
  /**
   * order: `better` beats each of `than` by every measure; higher: its values are larger, whether or not that is better;
   * equal: its values are within `within` of those of `than`; present: `row` shows each event of `measures` in most trainings; absent: in none.
   */
  readonly kind: 'order' | 'higher' | 'equal' | 'present' | 'absent';
  readonly better?: string;
  readonly than?: readonly string[];
  readonly row?: string;
  readonly within?: number;
  readonly measures: readonly string[];
}

export interface Expected {
  readonly source: string;
  /** Day on which predictions were written, before the runs; left out for what the paper says. */
  readonly written?: string;
  /** values[row][measure] = [median, standard deviation]. */
  readonly values: Readonly<Record<string, Readonly<Record<string, readonly [number, number | null]>>>>;
  readonly claims: readonly Claim[];
  readonly notes: readonly string[];
}

export interface Row {
  readonly name: string;
  /** By rising seed. */
  readonly runs: readonly RunRecords[];
}

export interface VerdictInput {
  readonly title: string;
  readonly rows: readonly Row[];
  /** Keys of measures.ts that the claim is about. */
  readonly measures: readonly string[];
  readonly expected: Expected;
}
