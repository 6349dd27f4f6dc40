import { describe, expect, it } from 'vitest';
import { accuracy, aucHandTill, aucMicro, aucPerClass } from '../../../src/mtunet/metrics/index.ts';
import type { Expected, Row, VerdictInput } from '../../../src/report/verdicts/input.ts';
import { judge } from '../../../src/report/verdicts/judge.ts';
import { measure } from '../../../src/report/verdicts/measures.ts';
import { comparePair } from '../../../src/report/verdicts/pair.ts';
import { eventVerdict, together, valueVerdict } from '../../../src/report/verdicts/verdict.ts';
import { films, row } from './rows.ts';

const SEEDS = [1, 2, 3, 4, 5];
const good = row('good', SEEDS, { skill: 0.9, kld: 0.5 });
const poor = row('poor', SEEDS, { skill: 0.4, kld: 0.9 });
const twin = row('twin', SEEDS, { skill: 0.9, kld: 0.5 });

const claims: Expected['claims'] = [
  { text: 'a', source: '', kind: 'order', better: 'good', than: ['poor'], measures: ['kld', 'accuracy', 'aucY1'] },
  { text: 'b', source: '', kind: 'order', better: 'poor', than: ['good'], measures: ['kld'] },
  { text: 'c', source: '', kind: 'order', better: 'good', than: ['twin'], measures: ['kld'] },
  { text: 'd', source: '', kind: 'equal', better: 'good', than: ['twin'], within: 0.01, measures: ['kld'] },
  { text: 'e', source: '', kind: 'equal', better: 'good', than: ['poor'], within: 0.01, measures: ['kld'] },
];
const input = (rows: readonly Row[], values: Expected['values'] = {}): VerdictInput => ({
  title: 'T',
  rows,
  measures: ['kld', 'accuracy'],
  expected: { source: '', values, claims, notes: [] },
});
const withData = ({ name, runs }: Row, data: string, preset: string): Row => ({
  name,
  runs: runs.map((run) => ({
    ...run,
    config: { preset },
    provenance: { ...run.provenance, data: { ...run.provenance.data, name: data } },
  })),
});

describe('a judgement', () => {
  const judged = judge(input([good, poor, twin], { good: { kld: [0.6, 0.01] } }));

  it('says which orders hold, which do not, and what lies within noise', () => {
    expect(judged.claims.map(({ verdict }) => verdict)).toEqual([
      'holds',
      'does not hold',
      'within noise',
      'holds',
      'does not hold',
    ]);
  });

  it('holds no number of synthetic films against the paper', () => {
    const [value] = judged.values.filter(({ paper }) => paper);
    expect(value.verdict).toBe('not comparable: other data');
    expect(value.difference).toBeCloseTo(value.ours!.median - 0.6, 12);
  });

  it('does so of clinical films at the size of the paper alone', () => {
    const verdictOf = (preset: string, paper: number) => {
      const row = withData(good, 'EGD-CXR', preset);
      return judge(input([row], { good: { kld: [paper, 0.01] } })).values.find(({ paper }) => paper)!.verdict;
    };
    expect(verdictOf('paper', 0.6)).toBe('reproduced');
    expect(verdictOf('paper', 0.7)).toBe('not reproduced');
    expect(verdictOf('tiny', 0.6)).toBe('not comparable: other settings');
  });

  it('decides no order by one training', () => {
    const one = ({ name, runs }: Row): Row => ({ name, runs: runs.slice(0, 1) });
    const { claims: found, warnings } = judge(input([good, poor, twin].map(one)));
    expect(new Set(found.map(({ verdict }) => verdict))).toEqual(new Set(['undecided: one training']));
    expect(warnings[0]).toMatch(/One training a row says nothing/);
  });

  it('says which networks have not learnt their task, by what a prediction that does not look reaches', () => {
    expect(judged.warnings.join()).not.toMatch(/not learnt/);
    const idle = row('idle', SEEDS, { skill: 0, kld: 9 });
    const [warning] = judge(input([good, idle])).warnings;
    expect(warning).toMatch(
      /^idle is no better than one map for every film.*\(KLD 9\.\d+, against \d\.\d+\); idle is no better than/,
    );
    expect(warning).toMatch(/have not learnt the task.*--epochs/);
  });

  it('warns that five trainings cannot reach 0.05, and gives a pair named twice one row of tests', () => {
    expect(judged.warnings[0]).toMatch(/5 paired trainings cannot reach p < 0.05.*0\.0625.*factor of 0\.60 to 2\.9/s);
    expect(judged.statistics.map(({ pair }) => [pair.first, pair.second, pair.measure.key].join())).toEqual([
      'good,poor,kld',
      'good,poor,accuracy',
      'good,poor,aucY1',
      'poor,good,kld',
      'good,twin,kld',
    ]);
    const [kld, acc, auc] = judged.statistics;
    expect(kld.pair.permutation).toBe(0.0625);
    expect(kld.holm).toBe(5 * 0.0625);
    expect([kld, acc, auc].map(({ pair }) => pair.films[0].test)).toEqual(['permutation', 'McNemar', 'DeLong']);
    expect(kld.filmsHolm.every((p, i) => p >= kld.pair.films[i].p)).toBe(true);
  });
});

it('a statistic of films is the metric itself when every film counts once, and weighs films', () => {
  const list = films(1, { skill: 0.6, kld: 0.7 });
  const labels = list.map(({ label }) => label);
  const scores = list.flatMap(({ probabilities }) => [...probabilities!]);
  const whole = new Float64Array(list.length).fill(1);
  const at = (key: string, weights: ArrayLike<number> = whole) => measure(key).onFilms!(list)!(weights);
  expect(at('accuracy')).toBeCloseTo(accuracy(labels, scores, 3), 12);
  expect(at('aucMicro')).toBeCloseTo(aucMicro(labels, scores, 3)!, 12);
  expect(at('aucHandTill')).toBeCloseTo(aucHandTill(labels, scores, 3)!, 12);
  aucPerClass(labels, scores, 3).forEach((area, k) => {
    expect(at(`aucY${k + 1}`)).toBeCloseTo(area!, 12);
  });
  const doubled = [...list, ...list.slice(0, 9)];
  const twice = Float64Array.from(list, (_, i) => (i < 9 ? 2 : 1));
  expect(at('aucMicro', twice)).toBeCloseTo(measure('aucMicro').onFilms!(doubled)!(new Float64Array(69).fill(1)), 12);
});

it('films that differ are not paired', () => {
  const other = { ...poor, runs: poor.runs.map((run) => ({ ...run, images: run.images!.slice(1) })) };
  const pair = comparePair(measure('kld'), good, other, { level: 0.95 });
  expect([pair.interval, pair.films]).toEqual([null, []]);
  expect(pair.decided).toBe(true); // by the trainings' t test
});

it('words', () => {
  const paper = { median: 0.7, std: 0.01 };
  expect(valueVerdict({ median: 0.709, std: 0.5 }, paper)).toBe('reproduced');
  expect(valueVerdict({ median: 0.72, std: 0.01 }, paper)).toBe('within noise');
  expect(valueVerdict({ median: 0.75, std: 0.01 }, paper)).toBe('not reproduced');
  expect(eventVerdict('present', 3, 5)).toBe('holds');
  expect(eventVerdict('present', 2, 5)).toBe('within noise');
  expect(eventVerdict('absent', 0, 5)).toBe('holds');
  expect(eventVerdict('absent', 4, 5)).toBe('does not hold');
  expect(together(['holds', 'within noise'])).toBe('within noise');
  expect(together(['holds', 'does not hold', 'missing'])).toBe('does not hold');
});
