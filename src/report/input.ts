/**
 * What the report is made from: the records of one or several runs, read from their folders by somebody else.
 */
import type { EpochRecord, EvaluationRecord, Example, Provenance, StepRecord } from '../mtunet/records.ts';
import type { Markup } from './html.ts';

/** One row of examples.safetensors, H W each. */
export interface ExampleMaps {
  readonly image: Float32Array;
  readonly gaze: Float32Array;
  /** Null or empty for a network without a saliency head. */
  readonly prediction: Float32Array | null;
}

export interface RunRecords {
  /** The name of the run's folder. */
  readonly name: string;
  readonly scheme: 'mtls1' | 'mtls2' | 'mtls3' | (string & {});
  /** What the run is a training of, where the scheme alone does not tell: runs that share it differ in their seed alone. */
  readonly row?: string;
  readonly seed: number;
  readonly config: object;
  readonly provenance: Provenance;
  readonly steps: readonly StepRecord[];
  readonly epochs: readonly EpochRecord[];
  readonly evaluation: EvaluationRecord;
  /** In the order of evaluation.examples. */
  readonly examples: readonly ExampleMaps[];
  /** Every test film on its own, where it was kept: what paired tests need. */
  readonly images?: readonly Example[];
  /** The command that repeats the run, if the caller knows it. */
  readonly rerun?: string;
}

export interface ReportInput {
  readonly title: string;
  readonly runs: readonly RunRecords[];
  /** Sections before all others, for example the verdicts of an experiment. */
  readonly lead?: readonly { readonly id: string; readonly name: string; readonly content: Markup }[];
  /** The same for results.md. */
  readonly leadMarkdown?: string;
  /** ISO 8601; given, not read from a clock, so that equal records make equal reports. */
  readonly generated: string;
}

/** The runs that differ only in their seed: of one scheme, or of one row of a table. */
export interface Scheme {
  readonly id: string;
  /** As the paper writes it: MTLS1. */
  readonly label: string;
  /** By rising seed, at least one. */
  readonly runs: readonly RunRecords[];
}

const PAPER_ORDER = ['mtls1', 'mtls2', 'mtls3'];

export const groupOf = ({ row, scheme }: RunRecords): string => row ?? scheme;

/** The paper's schemes first, then others in the order in which they come. */
export function groupByScheme(runs: readonly RunRecords[]): Scheme[] {
  const ids = [...new Set(runs.map(groupOf))];
  const rank = (id: string) => (PAPER_ORDER.includes(id) ? PAPER_ORDER.indexOf(id) : PAPER_ORDER.length);
  return ids
    .sort((a, b) => rank(a) - rank(b))
    .map((id) => ({
      id,
      label: PAPER_ORDER.includes(id) ? id.toUpperCase() : id,
      runs: runs.filter((run) => groupOf(run) === id).sort((a, b) => a.seed - b.seed),
    }));
}
