/**
 * Two rows of a table by one measure: how far apart, and whether trainings and films drawn anew would leave them so.
 *
 * Rows share their seeds, so trainings are paired; where the films are the same, too, the interval draws both (crossed bootstrap), and each
 * seed has a test on its films: DeLong for an area of one class, McNemar for the accuracy, a permutation test for a mean.
 */
import {
  bootstrap,
  crossedBootstrap,
  delong,
  type Interval,
  mcnemarExact,
  pairedPermutation,
  pairedT,
  type Statistic,
  wilcoxonExact,
} from '../../mtunet/metrics/index.ts';
import type { Example } from '../../mtunet/records.ts';
import type { RunRecords } from '../input.ts';
import { isNumber, median } from '../numbers.ts';
import type { Row } from './input.ts';
import type { Measure } from './measures.ts';

export interface FilmTest {
  readonly seed: number;
  readonly test: 'DeLong' | 'McNemar' | 'permutation';
  readonly p: number;
}

export interface Pair {
  readonly measure: Measure;
  readonly first: string;
  readonly second: string;
  readonly seeds: readonly number[];
  /** Median over the seeds of the first row's value less the second's; null where one is missing. */
  readonly difference: number | null;
  /** One a seed, in their order; empty where one is missing. */
  readonly differences: readonly number[];
  /** Of the mean difference; null where films differ or the measure is none of films. */
  readonly interval: Interval | null;
  readonly level: number;
  /** Of the trainings, two-sided; NaN with fewer than two. */
  readonly permutation: number;
  readonly wilcoxon: number;
  readonly t: number;
  readonly films: readonly FilmTest[];
  /** Whether the difference would stay on its side at `level`; null with one training, which cannot tell. */
  readonly decided: boolean | null;
}

export interface PairOptions {
  /** Share that the interval covers. */
  readonly level: number;
  readonly resamples?: number;
}

export function comparePair(measure: Measure, first: Row, second: Row, { level, resamples }: PairOptions): Pair {
  const shared = first.runs.flatMap((run) => {
    const partner = second.runs.find(({ seed }) => seed === run.seed);
    return partner ? [[run, partner] as const] : [];
  });
  const values = shared.map(([a, b]) => [measure.of(a), measure.of(b)] as const);
  const known = values.filter((pair): pair is readonly [number, number] => pair.every(isNumber));
  const complete = known.length === values.length && known.length > 0;
  const [as, bs] = [known.map(([a]) => a), known.map(([, b]) => b)];
  const enough = complete && known.length > 1;
  const interval = complete ? intervalOf(measure, shared, { level, resamples }) : null;
  const t = enough ? pairedT(as, bs).p : Number.NaN;
  return {
    measure,
    first: first.name,
    second: second.name,
    seeds: shared.map(([{ seed }]) => seed),
    difference: complete ? median(known.map(([a, b]) => a - b)) : null,
    differences: complete ? known.map(([a, b]) => a - b) : [],
    interval,
    level,
    permutation: enough ? pairedPermutation(as, bs).p : Number.NaN,
    wilcoxon: enough ? wilcoxonExact(as, bs).p : Number.NaN,
    t,
    films: complete ? shared.flatMap(([a, b]) => filmTest(measure, a, b) ?? []) : [],
    decided: enough ? (interval ? interval.low > 0 || interval.high < 0 : t < 1 - level) : null,
  };
}

/** The films of both runs, in one order; null where they are not the same. */
function sameFilms(a: RunRecords, b: RunRecords): readonly [readonly Example[], readonly Example[]] | null {
  const [first, second] = [a.images ?? [], b.images ?? []];
  const same =
    first.length === second.length &&
    first.every(({ id, label }, i) => id === second[i].id && label === second[i].label);
  const hashOf = ({ provenance: { data } }: RunRecords) => data.testHash ?? data.hash;
  return same && first.length > 0 && hashOf(a) === hashOf(b) ? [first, second] : null;
}

function intervalOf(
  { onFilms }: Measure,
  shared: readonly (readonly [RunRecords, RunRecords])[],
  options: PairOptions,
): Interval | null {
  if (!onFilms) return null;
  const statistics: (readonly [Statistic, Statistic])[] = [];
  for (const [a, b] of shared) {
    const films = sameFilms(a, b);
    const [x, y] = films ? films.map(onFilms) : [];
    if (!x || !y) return null;
    statistics.push([x, y]);
  }
  const films = shared[0][0].images!;
  const strata = films.map(({ label }) => label);
  if (shared.length > 1) return crossedBootstrap(statistics, films.length, { ...options, strata });
  const [[x, y]] = statistics;
  return bootstrap((weights) => x(weights) - y(weights), films.length, { ...options, strata });
}

const isRight = ({ label, probabilities }: Example) => probabilities!.indexOf(Math.max(...probabilities!)) === label;

/** One seed on its own: the two networks on the same films. */
function filmTest({ key }: Measure, a: RunRecords, b: RunRecords): FilmTest | null {
  const films = sameFilms(a, b);
  if (!films) return null;
  const [first, second] = films;
  const { seed } = a;
  if (key === 'kld' || key === 'pcc' || key === 'hs') {
    if (![...first, ...second].every(({ saliency }) => saliency)) return null;
    const of = (list: readonly Example[]) => list.map(({ saliency }) => saliency![key]);
    return { seed, test: 'permutation', p: pairedPermutation(of(first), of(second)).p };
  }
  if (![...first, ...second].every(({ probabilities }) => probabilities)) return null;
  if (key === 'accuracy') {
    const only = (right: readonly Example[], wrong: readonly Example[]) =>
      right.filter((film, i) => isRight(film) && !isRight(wrong[i])).length;
    return { seed, test: 'McNemar', p: mcnemarExact(only(first, second), only(second, first)) };
  }
  const [, index] = /^aucY(\d)$/.exec(key) ?? [];
  if (index === undefined) return null;
  const k = Number(index) - 1;
  const scores = (list: readonly Example[]) => list.map(({ probabilities }) => probabilities![k]);
  const labels = first.map(({ label }) => (label === k ? 1 : 0));
  return { seed, test: 'DeLong', p: delong(labels, scores(first), scores(second)).p };
}
