/** Tests, intervals, power and variance components against scipy and R; see test/golden/statistics/README.md. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import {
  aucHandTill,
  crossedMean,
  delong,
  equivalencePower,
  hodgesLehmann,
  holm,
  independentMean,
  mcnemarExact,
  meanInterval,
  pairedPermutation,
  pairedT,
  pairedTPower,
  pairsFor,
  tost,
  wilcoxonExact,
} from '../../../src/mtunet/metrics/index.ts';
import { goldenPart } from '../../support/golden-part.ts';
import { expectClose } from '../../support/oracle.ts';

const read = (name: string) => JSON.parse(readFileSync(join(goldenPart('statistics'), name), 'utf8'));
const [scipy, r] = [read('expected.json'), read('expected-r.json')];
const exact = { absolute: 1e-10 };
// biome-ignore lint/suspicious/noExplicitAny: recorded tables
const each = (rows: any[], check: (row: any) => void) => {
  expect(rows.length).toBeGreaterThan(0);
  rows.forEach(check);
};

it('intervals, equivalence tests and centres of means agree with scipy', () => {
  each(scipy.means, ({ values, margin, tost: p, intervals, hodges_lehmann }) => {
    const estimate = independentMean(values);
    expectClose(tost(estimate, margin), p, exact, 'TOST');
    expectClose(hodgesLehmann(values), hodges_lehmann, exact, 'Hodges-Lehmann');
    each(intervals, ([level, low, high]) => {
      const got = meanInterval(estimate, level);
      expectClose(got.low, low, exact, 'low');
      expectClose(got.high, high, exact, 'high');
    });
  });
});

it('power agrees with the noncentral t and with the other order of integration', () => {
  each(scipy.t_power, ({ n, effect, sd, alpha, p }) =>
    expectClose(pairedTPower(n, effect, { deviation: sd, alpha }), p, exact, `t test of ${n}`),
  );
  each(scipy.equivalence_power, ({ n, margin, effect, sd, alpha, p }) =>
    expectClose(equivalencePower(n, margin, { deviation: sd, alpha, effect }), p, exact, `equivalence of ${n}`),
  );
  each(r.pairs, ({ effect, n }) => expect(pairsFor((k) => pairedTPower(k, effect, { deviation: 1 }), 0.8)).toBe(n));
});

it('variance components agree with REML', () => {
  const close = { relative: 1e-5, absolute: 1e-10 };
  each(r.tables, ({ values, mean, se, rows, columns, residual }) => {
    const got = crossedMean(values);
    expectClose(got.mean, mean, close, 'mean');
    expectClose(got.standardError, se, close, 'standard error');
    expectClose(got.components.rows, rows, close, 'rows');
    expectClose(got.components.columns, columns, close, 'columns');
    expectClose(got.components.residual, residual, close, 'residual');
  });
});

it('tests of images and trainings agree with R', () => {
  each(r.delong, ({ y, a, b, auc, z, p }) => {
    const got = delong(y, a, b);
    expectClose(got.auc[0], auc[0], exact, 'first area');
    expectClose(got.auc[1], auc[1], exact, 'second area');
    expectClose(got.z, z, exact, 'z');
    expectClose(got.p, p, exact, 'DeLong');
  });
  each(r.hand_till, ({ y, scores, auc }) => expectClose(aucHandTill(y, scores.flat(), 3), auc, exact, 'Hand & Till'));
  each(r.wilcoxon, ({ a, b, p, t }) => {
    expectClose(wilcoxonExact(a, b).p, p, exact, 'Wilcoxon');
    expectClose(pairedT(a, b).p, t, exact, 'paired t');
  });
  each(r.permutation, ({ d, p }) => {
    const zeros = d.map(() => 0);
    expectClose(pairedPermutation(d, zeros).p, p, exact, 'permutation');
  });
  each(r.mcnemar, ({ b, c, p }) => expectClose(mcnemarExact(b, c), p, exact, 'McNemar'));
  each(r.holm, ({ p, adjusted }) => holm(p).forEach((got, i) => void expectClose(got, adjusted[i], exact, 'Holm')));
});

it('refuses what has no standard error, and plans that have no meaning', () => {
  expect(() => independentMean([1])).toThrow('at least 2 values, got 1');
  expect(() => crossedMean([[1, 2], [3]])).toThrow('row 1 has 1 values, row 0 has 2');
  expect(() => crossedMean([[1, 2]])).toThrow('got 1 x 2');
  expect(() => tost(independentMean([1, 2]), 0)).toThrow('margin must be above 0, got 0');
  expect(() => pairedTPower(1, 1, { deviation: 1 })).toThrow('at least 2 pairs, got 1');
  expect(() => equivalencePower(5, 1, { deviation: 0 })).toThrow('deviation must be above 0');
  expect(pairsFor(() => 0.1, 0.8, 1000)).toBeNull();
  expect(tost({ mean: 0.1, standardError: 0, degrees: 3 }, 0.2)).toBe(0);
});
