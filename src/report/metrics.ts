/**
 * The rows of the results table: where each metric is found in the records, which way is better, what the paper says.
 *
 * One value per run (means over the test images for the saliency metrics), then the median and the sample standard
 * deviation over the runs of a scheme.
 */
import { CLASS_NAMES } from '../data/dataset.ts';
import type { Baseline, EvaluationRecord } from '../mtunet/records.ts';
import type { RunRecords, Scheme } from './input.ts';
import { isNumber, median, sampleStd, type Value } from './numbers.ts';

export interface Metric {
  readonly key: string;
  readonly label: string;
  readonly meaning: string;
  readonly better: 'lower' | 'higher';
  readonly of: (evaluation: EvaluationRecord) => Value;
  readonly ofBaseline: (baseline: Baseline) => Value;
  /** MTLS3 in Tables 1 and 2: median and standard deviation over at least five trainings on clinical data. */
  readonly paper: readonly [number, number] | null;
}

const none = () => null;

function perClass(index: number, paper: readonly [number, number]): Metric {
  return {
    key: `aucY${index + 1}`,
    label: `AUC-Y${index + 1}`,
    meaning: `${CLASS_NAMES[index]} against the rest`,
    better: 'higher',
    of: ({ classification }) => classification?.aucPerClass?.[index],
    ofBaseline: none,
    paper,
  };
}

export const METRICS: readonly Metric[] = [
  {
    key: 'kld',
    label: 'KLD',
    meaning: 'divergence of the gaze from the prediction, nats',
    better: 'lower',
    of: ({ saliency }) => saliency?.mean.kld,
    ofBaseline: ({ saliency }) => saliency?.kld,
    paper: [0.726, 0.004],
  },
  {
    key: 'pcc',
    label: 'PCC',
    meaning: 'correlation over pixels',
    better: 'higher',
    of: ({ saliency }) => saliency?.mean.pcc,
    ofBaseline: ({ saliency }) => saliency?.pcc,
    paper: [0.569, 0.004],
  },
  {
    key: 'hs',
    label: 'HS',
    meaning: 'histogram similarity, shared mass',
    better: 'higher',
    of: ({ saliency }) => saliency?.mean.hs,
    ofBaseline: ({ saliency }) => saliency?.hs,
    paper: [0.548, 0.001],
  },
  {
    key: 'accuracy',
    label: 'ACC',
    meaning: 'share of films with the right diagnosis',
    better: 'higher',
    of: ({ classification }) => classification?.accuracy,
    ofBaseline: ({ accuracy }) => accuracy,
    paper: [0.67, 0.018],
  },
  {
    key: 'aucHandTill',
    label: 'AUC Hand & Till',
    meaning: 'mean over pairs of classes',
    better: 'higher',
    of: ({ classification }) => classification?.aucHandTill,
    ofBaseline: none,
    paper: null,
  },
  {
    key: 'aucMicro',
    label: 'AUC micro',
    meaning: 'as the released code computes \u201cAUC\u201d',
    better: 'higher',
    of: ({ classification }) => classification?.aucMicro,
    ofBaseline: none,
    paper: [0.843, 0.012],
  },
  {
    key: 'aucMacro',
    label: 'AUC macro',
    meaning: 'mean of the three below',
    better: 'higher',
    of: ({ classification }) => classification?.aucMacro,
    ofBaseline: none,
    paper: null,
  },
  perClass(0, [0.864, 0.014]),
  perClass(1, [0.912, 0.008]),
  perClass(2, [0.711, 0.027]),
];

export const ARROWS = { lower: '\u2193', higher: '\u2191' } as const;

export function metric(key: string): Metric {
  const found = METRICS.find((one) => one.key === key);
  if (!found) throw new RangeError(`There is no metric "${key}"; there are ${METRICS.map((m) => m.key).join(', ')}.`);
  return found;
}

export interface Aggregate {
  readonly median: number | null;
  /** Null with a single seed. */
  readonly std: number | null;
  /** One a run, in the order of the scheme's runs; null where it is missing or not finite. */
  readonly values: readonly (number | null)[];
}

function aggregateValues(values: readonly Value[]): Aggregate {
  return {
    median: median(values),
    std: sampleStd(values),
    values: values.map((value) => (isNumber(value) ? value : null)),
  };
}

export function aggregate({ runs }: Scheme, { of }: Metric): Aggregate {
  return aggregateValues(runs.map(({ evaluation }) => of(evaluation)));
}

/** Baselines by name, in the order in which the runs list them. */
export function baselineNames(runs: readonly RunRecords[]): string[] {
  return [...new Set(runs.flatMap(({ evaluation }) => evaluation.baselines.map(({ name }) => name)))];
}

export function aggregateBaseline(runs: readonly RunRecords[], name: string, { ofBaseline }: Metric): Aggregate {
  return aggregateValues(
    runs.flatMap(({ evaluation }) => evaluation.baselines.filter((one) => one.name === name).map(ofBaseline)),
  );
}

export function isBetter({ better }: Metric, a: number, b: number): boolean {
  return better === 'lower' ? a < b : a > b;
}

/** As written in the table: what reads alike must not be ranked. */
const asWritten = (value: number) => Math.round(value * 1000) / 1000;

/** The schemes with the best median; empty unless at least two have one. */
export function bestSchemes(schemes: readonly Scheme[], one: Metric): Scheme[] {
  const medians = schemes.map((scheme) => ({ scheme, value: aggregate(scheme, one).median }));
  const finite = medians.filter((entry): entry is { scheme: Scheme; value: number } => isNumber(entry.value));
  if (finite.length < 2) return [];
  return finite
    .filter(({ value }) => !finite.some((other) => isBetter(one, asWritten(other.value), asWritten(value))))
    .map((e) => e.scheme);
}

/** What guessing the most frequent class reaches, or, unmeasured, 1 / number of classes. */
export function chance({ evaluation }: RunRecords): number | null {
  const measured = evaluation.baselines.map(({ accuracy }) => accuracy).filter(isNumber);
  if (measured.length > 0) return Math.max(...measured);
  const classes = evaluation.classification?.confusion.length;
  return classes ? 1 / classes : null;
}

export function className(label: number, classes: number = CLASS_NAMES.length): string {
  return (classes === CLASS_NAMES.length && CLASS_NAMES[label]) || `class ${label + 1}`;
}
