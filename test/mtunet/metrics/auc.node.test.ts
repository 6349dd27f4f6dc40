import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  accuracy,
  aucHandTill,
  aucMacro,
  aucMicro,
  aucPairsWeighted,
  aucPerClass,
  aucWeighted,
  binaryAuc,
  confusion,
  delong,
  handTillMatrix,
  mannWhitneyExact,
  mcnemarExact,
  pairedT,
  predictions,
  summarize,
  welchT,
  wilcoxonExact,
} from '../../../src/mtunet/metrics/index.ts';
import { expectClose, readGolden } from '../../support/oracle.ts';

const golden = readGolden('oracle/auc.json');
const exact = { absolute: 1e-12 };
// The tables write NaN, or leave the value out, where a class is absent; here that is null.
const defined = (want: number | null | undefined) => (want === undefined || Number.isNaN(want) ? null : want);

describe.each(golden.cases as { name: string }[])('recorded scores $name', (row) => {
  // biome-ignore lint/suspicious/noExplicitAny: a recorded table
  const { y, scores, C, expected } = row as any;

  it('have the recorded areas', () => {
    const perClass = aucPerClass(y, scores, C);
    expect(perClass).toHaveLength(C);
    for (const [c, area] of perClass.entries())
      expectClose(area, defined(expected.ovr_per_class[c]), exact, `class ${c}`);
    expectClose(aucMicro(y, scores, C), defined(expected.micro), exact, 'micro');
    expectClose(aucMacro(y, scores, C), defined(expected.macro_ovr), exact, 'macro');
    expectClose(aucWeighted(y, scores, C), defined(expected.ovr_weighted), exact, 'weighted');
    expectClose(aucHandTill(y, scores, C), defined(expected.hand_till_M), exact, 'M');
    expectClose(aucPairsWeighted(y, scores, C), defined(expected.ovo_weighted), exact, 'one-vs-one weighted');
    const matrix = handTillMatrix(y, scores, C);
    for (let i = 0; i < C; i++) {
      for (let j = 0; j < C; j++) {
        expectClose(matrix[i][j], defined(expected.hand_till_A_i_given_j[i][j]), exact, `A(${i}|${j})`);
      }
    }
  });

  it('have the recorded predictions', () => {
    expect(Array.from(predictions(scores, C))).toEqual(expected.pred);
    expectClose(accuracy(y, scores, C), expected.acc, exact, 'accuracy');
    expect(confusion(y, scores, C)).toEqual(expected.confusion_true_by_pred);
  });
});

it.each(golden.delong as object[])('recorded pair of scores %# has the recorded DeLong test', (row) => {
  // biome-ignore lint/suspicious/noExplicitAny: a recorded table
  const { y, s1, s2, expected } = row as any;
  const got = delong(y, s1, s2);
  for (const i of [0, 1]) {
    expectClose(got.auc[i], expected.auc[i], exact, 'AUC');
    for (const j of [0, 1]) expectClose(got.covariance[i][j], expected.cov[i][j], exact, 'covariance');
  }
  expectClose(got.variance, expected.var_diff, exact, 'variance');
  expectClose(got.z, expected.z, exact, 'z');
  expectClose(got.p, expected.p, exact, 'p');
});

it('recorded runs have the recorded tests', () => {
  const { a, b, ...want } = golden.run_stats;
  const tests = {
    paired_t: pairedT,
    wilcoxon_exact: wilcoxonExact,
    welch_t: welchT,
    mannwhitney_exact: mannWhitneyExact,
  };
  for (const [name, test] of Object.entries(tests)) {
    const got = test(a, b);
    expectClose(got.statistic, want[name][0], exact, `${name} statistic`);
    expectClose(got.p, want[name][1], exact, `${name} p`);
  }
  const summary = summarize(a);
  expectClose(summary.median, want.median_a, exact, 'median');
  expectClose(summary.stdPopulation, want.std_pop_a, exact, 'population deviation');
  expectClose(summary.stdSample, want.std_sample_a, exact, 'sample deviation');
});

it.each(golden.mcnemar_exact as { b: number; c: number; exact_p: number }[])(
  'discordant counts $b and $c have the recorded p',
  ({ b, c, exact_p }) => {
    expectClose(mcnemarExact(b, c), exact_p, exact, 'p');
    expectClose(mcnemarExact(c, b), exact_p, exact, 'p swapped');
  },
);

it('found the recorded tables', () => {
  for (const table of [golden.cases, golden.delong, golden.mcnemar_exact]) expect(table.length).toBeGreaterThan(0);
});

it('equals the count over all pairs', () => {
  const scores = fc.array(fc.integer({ min: 0, max: 6 }), { minLength: 1, maxLength: 20 });
  fc.assert(
    fc.property(scores, scores, (positives, negatives) => {
      let wins = 0;
      for (const x of positives) for (const y of negatives) wins += x > y ? 1 : x === y ? 0.5 : 0;
      expect(binaryAuc(positives, negatives)).toBe(wins / (positives.length * negatives.length));
    }),
    { seed: 1 },
  );
});

it('equal class sizes make Hand and Till equal the macro average', () => {
  const scores = fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 36, maxLength: 36 });
  fc.assert(
    fc.property(scores, (values) => {
      const labels = Array.from({ length: 12 }, (_, n) => n % 3);
      expectClose(aucHandTill(labels, values, 3), aucMacro(labels, values, 3), exact, 'M');
    }),
    { seed: 2 },
  );
});

it('says null for an absent class and NaN for a score that cannot be ranked', () => {
  expect(binaryAuc([], [1])).toBeNull();
  expect(binaryAuc([1, Number.NaN], [0])).toBeNaN();
  expect(aucPerClass([0, 1], [0.9, 0.1, 0, 0.2, 0.8, 0], 3)).toEqual([1, 1, null]);
});

it('a NaN score counts as the maximum, as in torch', () => {
  expect(Array.from(predictions([1, Number.NaN, 5, 2, 2, 1], 3))).toEqual([1, 0]);
});

it('comparisons of identical runs say NaN or 1, never a small p', () => {
  const runs = [0.7, 0.8, 0.75];
  expect(pairedT(runs, runs).p).toBeNaN();
  expect(wilcoxonExact(runs, runs)).toEqual({ statistic: 0, p: 1 });
  expect(mannWhitneyExact(runs, runs).p).toBe(1);
  expect(delong([1, 1, 0, 0], [4, 2, 3, 1], [4, 2, 3, 1]).p).toBeNaN();
  expect(wilcoxonExact([1, Number.NaN], [0, 0]).p).toBeNaN();
});

it('five pairs cannot reach a Wilcoxon p below 1/16', () => {
  expect(wilcoxonExact([2, 3, 4, 5, 6], [1, 1, 1, 1, 1])).toEqual({ statistic: 0, p: 1 / 16 });
});

it('a thousand discordant images do not underflow', () => {
  expectClose(mcnemarExact(900, 1100), 8.45708953550381e-6, { relative: 1e-10 }, 'p');
  expect(mcnemarExact(1000, 1000)).toBe(1);
});

it('refuses labels and scores that disagree', () => {
  expect(() => accuracy([0, 1], [1, 2, 3], 3)).toThrow('accuracy: 2 labels and 3 classes need 6 scores, got 3.');
  expect(() => aucMicro([3], [1, 2, 3], 3)).toThrow('label 0 is 3, expected a class from 0 to 2');
  expect(() => mcnemarExact(-1, 2)).toThrow('needs two counts');
});
