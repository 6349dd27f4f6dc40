/** What the number of trainings and films at hand cannot show, in plain words. */
import type { Baseline } from '../../mtunet/records.ts';
import { count, enumerate, fixed, isNumber, median } from '../numbers.ts';
import { standardError } from '../summary.ts';
import type { Row } from './input.ts';
import { measure } from './measures.ts';
import type { Pair } from './pair.ts';

/** 95 % limits of a standard deviation from n values, over it: sqrt((n - 1) / chi^2), n = 2 to 10. */
const SPREAD_FACTORS: readonly (readonly [number, number])[] = [
  [0.446, 31.9],
  [0.521, 6.28],
  [0.566, 3.73],
  [0.599, 2.87],
  [0.624, 2.45],
  [0.644, 2.2],
  [0.661, 2.04],
  [0.675, 1.92],
  [0.688, 1.83],
];

const times = (factor: number) => factor.toPrecision(2);

export function warnings(rows: readonly Row[], pairs: readonly Pair[]): string[] {
  const counts = rows.map(({ runs }) => runs.length).filter((n) => n > 0);
  const n = Math.min(...counts);
  const films = Math.min(...rows.flatMap(({ runs }) => runs.map(({ evaluation }) => evaluation.images)));
  const accuracy = median(rows.flatMap(({ runs }) => runs.map((run) => measure('accuracy').of(run))));
  return [untaught(rows), trainings(n), ofFilms(films, accuracy), many(pairs), oneSplit(rows)].filter(
    (text) => text !== null,
  );
}

/** A hundredth better than not looking is not better. */
const MARGIN = 0.01;

/** Rows whose network has not learnt its task. */
function untaught(rows: readonly Row[]): string | null {
  const parts = [
    below(rows, {
      sentence: 'no better than one map for every film whose pixels are all equal',
      key: 'kld',
      floorOf: ({ saliency }) => saliency?.kld,
      floor: 'constant prediction',
    }),
    below(rows, {
      sentence: 'no better than always naming the most frequent class',
      key: 'accuracy',
      floorOf: ({ accuracy }) => accuracy,
      floor: 'most frequent class',
    }),
  ].filter((text) => text !== null);
  return parts.length === 0
    ? null
    : `${parts.join('; ')}. In so few steps they have not learnt the task: an order among them says who begins sooner, not who is better in the end. Train longer: --epochs, or a larger --preset.`;
}

interface Floor {
  readonly sentence: string;
  readonly key: 'kld' | 'accuracy';
  readonly floorOf: (baseline: Baseline) => number | null | undefined;
  /** How the baseline's name begins. */
  readonly floor: string;
}

function below(rows: readonly Row[], { sentence, key, floorOf, floor }: Floor): string | null {
  const one = measure(key);
  const found = rows.flatMap(({ name, runs }) => {
    const ours = median(runs.map((run) => one.of(run)));
    const baselines = runs.flatMap(({ evaluation }) => evaluation.baselines.filter((b) => b.name.startsWith(floor)));
    const beside = median(baselines.map(floorOf));
    if (!isNumber(ours) || !isNumber(beside)) return [];
    const learnt = one.better === 'lower' ? ours < beside * (1 - MARGIN) : ours > beside * (1 + MARGIN);
    return learnt ? [] : [{ name, ours, beside }];
  });
  if (found.length === 0) return null;
  const values = enumerate(found.map(({ ours }) => fixed(ours)));
  return `${enumerate(found.map(({ name }) => name))} ${found.length === 1 ? 'is' : 'are'} ${sentence} (${one.label} ${values}, against ${fixed(found[0].beside)})`;
}

function trainings(n: number): string | null {
  if (!Number.isFinite(n)) return null;
  if (n === 1)
    return 'One training a row says nothing about chance in training: another seed may turn every order around. No order is called held or refuted; start again with --seeds 5 or more, and what is done stays.';
  const least = 2 ** (1 - n);
  const limits = SPREAD_FACTORS[n - 2];
  const spread = limits
    ? ` A standard deviation from ${n} values is known only to within a factor of ${times(limits[0])} to ${times(limits[1])}.`
    : '';
  return least > 0.05
    ? `${n} paired trainings cannot reach p < 0.05: whatever the data, neither the permutation test nor Wilcoxon's can give less than ${least.toPrecision(3)}.${spread} Intervals that draw trainings and films anew rest on ${n} trainings, too, and are too narrow for so few.`
    : `With ${n} paired trainings no test on trainings can give less than p = ${least.toPrecision(2)}, before any correction for the number of comparisons.${spread}`;
}

function ofFilms(films: number, accuracy: number | null): string | null {
  if (!Number.isFinite(films)) return null;
  const error = isNumber(accuracy) ? standardError(accuracy, films) : null;
  return error === null
    ? `All numbers are from ${count(films, 'test film')}; other films would give others.`
    : `With ${count(films, 'test film')} an accuracy of ${fixed(accuracy)} has a standard error of ${fixed(error)} from the choice of films alone, more than most differences in the paper's tables.`;
}

function many(pairs: readonly Pair[]): string | null {
  if (pairs.length < 2) return null;
  return `${pairs.length} comparisons are made. Intervals are widened so that those of one claim hold together, and p values are Holm's; an uncorrected one below 0.05 is expected by chance in one of twenty.`;
}

function oneSplit(rows: readonly Row[]): string | null {
  const hashes = new Set(rows.flatMap(({ runs }) => runs.map(({ provenance }) => provenance.data.hash)));
  return hashes.size === 1
    ? 'All trainings share one split into training, validation and test films, as in the paper; what another split would change is not measured.'
    : null;
}
