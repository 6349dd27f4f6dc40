/** What a check of a machine found: one JSON file that a person can attach to a report. It names the adapter and the runtime, and no person or place. */
import type { Provenance } from '../mtunet/records.ts';

export interface Check {
  /** "softmax", "conv2d by gemm-16", "losses of a recorded training", ... */
  readonly name: string;
  readonly group:
    | 'operation'
    | 'special values'
    | 'kernel family'
    | 'derivation'
    | 'training'
    | 'limit'
    | 'device loss';
  readonly passed: boolean;
  /** Largest error, in units of the tolerance: above 1 the check fails. Null where there is no number to compare. */
  readonly largest_error: number | null;
  /** The input with the largest error, such as "x 2 x 3 x 7 x 5, gradient". */
  readonly where?: string;
  /** Why nothing could be compared. */
  readonly problem?: string;
}

/** One measured speed: the median of the runs that fitted into its time, and their extremes. */
export interface Speed {
  readonly name: string;
  readonly value: number;
  readonly unit: 'GFLOP/s' | 'GB/s' | 'us' | 'ms';
  readonly lowest: number;
  readonly highest: number;
  readonly runs: number;
}

export interface MachineReport {
  readonly format: 'mtunet doctor 1';
  readonly package: string;
  /** "Node v20.20.2", or the user agent of a browser. */
  readonly runtime: string;
  readonly adapter: Provenance['adapter'] & {
    readonly features: readonly string[];
    readonly limits: Readonly<Record<string, number>>;
    /** Lanes of a subgroup where that is one number, else null. */
    readonly subgroup_lanes: number | null;
  };
  readonly verdict: 'well' | 'faulty';
  /** In plain words. */
  readonly summary: string;
  readonly operations: readonly Check[];
  readonly speed: readonly Speed[];
  /** What the time or the memory did not allow, with the reason. */
  readonly not_run: readonly { readonly name: string; readonly why: string }[];
  readonly seconds: number;
}

export function summaryOf(
  adapter: string,
  operations: readonly Check[],
  notRun: MachineReport['not_run'],
): Pick<MachineReport, 'verdict' | 'summary'> {
  const faulty = operations.filter(({ passed }) => !passed).map(({ name }) => name);
  const skipped = notRun.length > 0 ? ` ${notRun.length} measurements were not run; the report says why.` : '';
  if (faulty.length === 0)
    return {
      verdict: 'well',
      summary: `${adapter} is well: all ${operations.length} checks passed.${skipped}`,
    };
  const named = faulty.length > 6 ? [...faulty.slice(0, 6), `${faulty.length - 6} more`] : faulty;
  return {
    verdict: 'faulty',
    summary: `${adapter} is faulty: ${faulty.length} of ${operations.length} checks failed (${named.join(', ')}). Do not trust what this adapter computes; update its driver or choose another adapter, and attach this report to an issue.${skipped}`,
  };
}

/** Two reports side by side: what differs in the verdicts, and every speed with its ratio. */
export function compareReports(a: MachineReport, b: MachineReport): string {
  const rows: string[][] = [
    ['', a.adapter.name, b.adapter.name, 'second / first'],
    ['verdict', a.verdict, b.verdict, ''],
    ['driver', a.adapter.driver, b.adapter.driver, ''],
    ['runtime', a.runtime, b.runtime, ''],
    ['package', a.package, b.package, ''],
  ];
  const outcome = (check: Check | undefined) => {
    if (!check) return 'not run';
    const error = check.largest_error === null ? '' : `, ${Number(check.largest_error.toPrecision(2))} of tolerance`;
    return `${check.passed ? 'passed' : 'FAILED'}${error}`;
  };
  const names = new Set([...a.operations, ...b.operations].map(({ name }) => name));
  for (const name of names) {
    const [left, right] = [a, b].map(({ operations }) => operations.find((check) => check.name === name));
    if (left?.passed && right?.passed) continue;
    rows.push([name, outcome(left), outcome(right), '']);
  }
  for (const name of new Set([...a.speed, ...b.speed].map((speed) => speed.name))) {
    const [left, right] = [a, b].map(({ speed }) => speed.find((one) => one.name === name));
    const shown = (one: Speed | undefined) => (one ? `${one.value} ${one.unit}` : 'not run');
    const ratio = left && right ? String(Number((right.value / left.value).toPrecision(3))) : '';
    rows.push([name, shown(left), shown(right), ratio]);
  }
  const widths = rows[0].map((_, i) => Math.max(...rows.map((row) => row[i].length)));
  return rows
    .map((row) =>
      row
        .map((cell, i) => cell.padEnd(widths[i]))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
