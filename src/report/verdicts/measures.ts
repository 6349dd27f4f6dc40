/**
 * What a training is measured by: the metrics of the paper on the test films, and what its log tells about the training itself.
 *
 * A metric of the films is also a statistic of how often each film counts, so that films can be drawn anew (bootstrap).
 */
import { aucStatistic, meanStatistic, predictions, type Statistic } from '../../mtunet/metrics/index.ts';
import type { EpochRecord, Example } from '../../mtunet/records.ts';
import type { RunRecords } from '../input.ts';
import { METRICS } from '../metrics.ts';
import { isNumber, type Value } from '../numbers.ts';
import { bestEpoch } from '../series.ts';

export interface Measure {
  readonly key: string;
  readonly label: string;
  readonly meaning: string;
  /** Null where neither is better in itself. */
  readonly better: 'lower' | 'higher' | null;
  readonly of: (run: RunRecords) => Value;
  /** Null for what is no statistic of the test films. */
  readonly onFilms: ((films: readonly Example[]) => Statistic | null) | null;
}

const classesOf = (films: readonly Example[]) => films[0]?.probabilities?.length ?? 0;
const scoresOf = (films: readonly Example[], k: number) => films.map(({ probabilities }) => probabilities![k]);

function saliencyOf(key: 'kld' | 'pcc' | 'hs') {
  return (films: readonly Example[]): Statistic | null =>
    films.every(({ saliency }) => saliency) ? meanStatistic(films.map(({ saliency }) => saliency![key])) : null;
}

/** For statistics of the classes: null without a class head. */
function diagnosed(make: (films: readonly Example[], classes: number) => Statistic) {
  return (films: readonly Example[]): Statistic | null => {
    const classes = classesOf(films);
    return classes > 0 && films.every(({ probabilities }) => probabilities) ? make(films, classes) : null;
  };
}

const oneAgainstRest = (k: number) =>
  diagnosed((films) =>
    aucStatistic(
      films.map(({ label }) => (label === k ? 1 : 0)),
      scoresOf(films, k),
    ),
  );

const meanOf =
  (parts: readonly Statistic[]): Statistic =>
  (weights) =>
    parts.reduce((total, part) => total + part(weights), 0) / parts.length;

const accuracyOf = diagnosed((films, classes) => {
  const said = predictions(
    films.flatMap(({ probabilities }) => [...probabilities!]),
    classes,
  );
  return meanStatistic(films.map(({ label }, i) => (said[i] === label ? 1 : 0)));
});

/** One-hot labels and scores ravelled: every film counts once for each class. */
const microOf = diagnosed((films, classes) => {
  const ravelled = aucStatistic(
    films.flatMap(({ label }) => Array.from({ length: classes }, (_, k) => (k === label ? 1 : 0))),
    films.flatMap(({ probabilities }) => [...probabilities!]),
  );
  return (weights) =>
    ravelled(Float64Array.from({ length: films.length * classes }, (_, i) => weights[Math.floor(i / classes)]));
});

/** A(i|j) of every ordered pair: class i against j alone, by score i. */
const handTillOf = diagnosed((films, classes) => {
  const pairs: Statistic[] = [];
  for (let i = 0; i < classes; i++)
    for (let j = 0; j < classes; j++)
      if (i !== j)
        pairs.push(
          aucStatistic(
            films.map(({ label }) => (label === i ? 1 : label === j ? 0 : -1)),
            scoresOf(films, i),
          ),
        );
  return meanOf(pairs);
});

const onFilms: Readonly<Record<string, Measure['onFilms']>> = {
  kld: saliencyOf('kld'),
  pcc: saliencyOf('pcc'),
  hs: saliencyOf('hs'),
  accuracy: accuracyOf,
  aucMicro: microOf,
  aucHandTill: handTillOf,
  aucMacro: (films) => {
    const parts = Array.from({ length: classesOf(films) }, (_, k) => oneAgainstRest(k)(films));
    return parts.length > 0 && parts.every((part) => part !== null) ? meanOf(parts) : null;
  },
  aucY1: oneAgainstRest(0),
  aucY2: oneAgainstRest(1),
  aucY3: oneAgainstRest(2),
};

const last = ({ epochs }: RunRecords): EpochRecord | undefined => epochs.at(-1);

/** The last raw validation loss over the smallest: 1 where the last is the smallest. */
function rise({ epochs }: RunRecords, name: 'saliencyLoss' | 'classLoss'): Value {
  const losses = epochs.map(({ valid }) => valid[name]).filter(isNumber);
  return losses.length > 0 ? losses[losses.length - 1] / Math.min(...losses) : null;
}

const rateShare = (rate: Value, epoch: EpochRecord | undefined): Value =>
  isNumber(rate) && epoch ? rate / epoch.learningRate : null;

const logged: readonly (readonly [string, string, string, Measure['better'], Measure['of']])[] = [
  ['bestEpoch', 'best epoch', 'epoch of the network that is tested', null, bestEpoch],
  ['epochs', 'epochs', 'epochs until the training ended', null, ({ epochs }) => epochs.length],
  [
    'saliencyGap',
    'gap Ls',
    'last raw validation loss less training loss, saliency',
    'lower',
    (run) => last(run)?.saliencyGap,
  ],
  ['classGap', 'gap Lc', 'last raw validation loss less training loss, class', 'lower', (run) => last(run)?.classGap],
  [
    'saliencyRise',
    'rise Ls',
    'last raw validation loss over the smallest, saliency',
    'lower',
    (run) => rise(run, 'saliencyLoss'),
  ],
  [
    'classRise',
    'rise Lc',
    'last raw validation loss over the smallest, class',
    'lower',
    (run) => rise(run, 'classLoss'),
  ],
  ['saliencySigma', '\u03c3s', 'scale of the saliency loss at the end', null, (run) => last(run)?.saliencySigma],
  ['classSigma', '\u03c3c', 'scale of the class loss at the end', null, (run) => last(run)?.classSigma],
  ['weightRatio', 'wc / ws', 'ratio of the task weights in the last epoch', null, (run) => last(run)?.weightRatio],
  [
    'saliencyRate',
    're / r, s',
    'effective rate of the saliency task in the last epoch, over the plain one',
    null,
    (run) => rateShare(last(run)?.effectiveSaliencyRate, last(run)),
  ],
  [
    'classRate',
    're / r, c',
    'effective rate of the class task in the last epoch, over the plain one',
    null,
    (run) => rateShare(last(run)?.effectiveClassRate, last(run)),
  ],
];

export const MEASURES: readonly Measure[] = [
  ...METRICS.map(({ key, label, meaning, better, of }) => ({
    key,
    label,
    meaning,
    better,
    of: (run: RunRecords) => of(run.evaluation),
    onFilms: onFilms[key] ?? null,
  })),
  ...logged.map(([key, label, meaning, better, of]) => ({ key, label, meaning, better, of, onFilms: null })),
];

export function measure(key: string): Measure {
  const found = MEASURES.find((one) => one.key === key);
  if (!found)
    throw new RangeError(`There is no measure "${key}"; there are ${MEASURES.map((one) => one.key).join(', ')}.`);
  return found;
}
