/** The weighting schemes' arithmetic against golden/oracle/weighting.json, computed there in float64. */
import { describe, expect, it } from 'vitest';
import { cagradCoefficients, cagradWeights } from '../../../src/mtunet/schemes/cagrad.ts';
import { gradNorm } from '../../../src/mtunet/schemes/gradnorm.ts';
import { gramOf, squaredNorm } from '../../../src/mtunet/schemes/gram.ts';
import { imtlCoefficients } from '../../../src/mtunet/schemes/imtl.ts';
import { mgdaWeights } from '../../../src/mtunet/schemes/mgda.ts';
import { nashCoefficients } from '../../../src/mtunet/schemes/nash.ts';
import { pcgradCoefficients } from '../../../src/mtunet/schemes/pcgrad.ts';
import { dynamicWeights, focalWeight } from '../../../src/mtunet/schemes/weighted.ts';
import { expectAllClose } from '../../support/all-close.ts';
import { readGolden } from '../../support/oracle.ts';

const recorded = readGolden('oracle/weighting.json');
const exact = { absolute: 1e-9, relative: 0 };
const cagrad = { absolute: 1e-7, relative: 0 };

const combined = (coefficients: readonly number[], gradients: readonly number[][]) =>
  gradients[0].map((_, i) => coefficients.reduce((sum, c, t) => sum + c * gradients[t][i], 0));

interface TwoTasks {
  readonly kind: string;
  readonly g1: number[];
  readonly g2: number[];
  readonly mgda_weight_g1: number;
  readonly mgda_dir: number[];
  readonly pcgrad_sum: number[];
  readonly cagrad_w_g1?: number;
  readonly cagrad_dir_unscaled?: number[];
  readonly imtl_g_alpha?: number[];
  readonly nash_alpha?: number[];
  readonly gradnorm: Record<'w' | 'loss_ratio' | 'G' | 'target' | 'dLgrad_dw', number[]> & {
    alpha: number;
    Lgrad: number;
  };
}

describe.each(recorded.two_task as TwoTasks[])('two gradients, $kind', (row) => {
  const gradients = [row.g1, row.g2];
  const gram = gramOf(gradients);

  it('MGDA', () => {
    const weights = mgdaWeights(gram);
    expectAllClose(weights, [row.mgda_weight_g1, 1 - row.mgda_weight_g1], 'weights', exact);
    expectAllClose(combined(weights, gradients), row.mgda_dir, 'direction', exact);
  });

  it('PCGrad, in either order', () => {
    for (const order of [
      [0, 1],
      [1, 0],
    ]) {
      const sum = combined(pcgradCoefficients(gram, [order, order]), gradients);
      expectAllClose(sum, row.pcgrad_sum, 'direction', exact);
    }
  });

  it('GradNorm', () => {
    const { w, loss_ratio, alpha, G, target, Lgrad, dLgrad_dw } = row.gradnorm;
    const norms = gram.map((own, t) => Math.sqrt(own[t]));
    const got = gradNorm(norms, w, loss_ratio, alpha);
    expectAllClose(got.scaled, G, 'G', exact);
    expectAllClose(got.target, target, 'target', exact);
    expectAllClose(got.value, Lgrad, 'L_grad', exact);
    expectAllClose(got.slope, dLgrad_dw, 'slope', exact);
  });

  it('without a solution, moves nothing', () => {
    if (row.kind !== 'opposite' && row.kind !== 'zero')
      return expect(nashCoefficients(gram).some((a) => a > 0)).toBe(true);
    expectAllClose(nashCoefficients(gram), [0, 0], 'Nash-MTL', exact);
    const pull = combined(imtlCoefficients(gram), gradients);
    expectAllClose(pull, [0, 0, 0, 0, 0], 'IMTL-G', exact);
  });
});

/** The rows that have this method's values: where two gradients are parallel, some methods have no one answer. */
const rowsWith = (key: keyof TwoTasks) => (recorded.two_task as TwoTasks[]).filter((row) => row[key]);

it.each(rowsWith('cagrad_dir_unscaled'))('CAGrad of two gradients, $kind', (row) => {
  const gram = gramOf([row.g1, row.g2]);
  expectAllClose(cagradWeights(gram, 0.5)[0], row.cagrad_w_g1!, 'weight', cagrad);
  const direction = combined(cagradCoefficients(gram, 0.5), [row.g1, row.g2]);
  expectAllClose(direction, row.cagrad_dir_unscaled!, 'direction', cagrad);
});

it.each(rowsWith('imtl_g_alpha'))('IMTL-G of two gradients, $kind', (row) => {
  expectAllClose(imtlCoefficients(gramOf([row.g1, row.g2])), row.imtl_g_alpha!, 'alpha', exact);
});

it.each(rowsWith('nash_alpha'))('Nash-MTL of two gradients, $kind', (row) => {
  const close = { absolute: 1e-9, relative: 1e-9 };
  expectAllClose(nashCoefficients(gramOf([row.g1, row.g2])), row.nash_alpha!, 'alpha', close);
});

it.each(recorded.three_task_mgda as { G: number[][]; mgda_w: number[]; min_norm_sq: number }[])(
  'MGDA of three gradients: $mgda_w',
  ({ G, mgda_w, min_norm_sq }) => {
    const gram = gramOf(G);
    const weights = mgdaWeights(gram);
    expectAllClose(weights, mgda_w, 'weights', exact);
    expectAllClose(squaredNorm(gram, weights), min_norm_sq, 'squared norm', exact);
  },
);

it.each(recorded.dwa as { T: number; loss_prev: number[]; loss_prev2: number[]; weights: number[] }[])(
  'dynamic weight average at temperature $T',
  ({ T, loss_prev, loss_prev2, weights }) => {
    expectAllClose(dynamicWeights(loss_prev, loss_prev2, T), weights, 'weights', exact);
  },
);

it.each(recorded.dtp as { kappa: number; gamma: number; weight: number }[])(
  'dynamic task prioritization at $kappa, $gamma',
  ({ kappa, gamma, weight }) => {
    expectAllClose(focalWeight(kappa, gamma), weight, 'weight', { absolute: 0, relative: 1e-9 });
  },
);

describe('more than two tasks', () => {
  // Conflicting in pairs, so that every order of PCGrad and every pair of CAGrad has something to do.
  const gradients = [
    [1, 0.2, -0.3, 0.5],
    [-0.8, 1.1, 0.1, 0.2],
    [0.3, -0.9, 1.3, -0.4],
  ];
  const gram = gramOf(gradients);
  const inner = (a: readonly number[], b: readonly number[]) => a.reduce((sum, value, i) => sum + value * b[i], 0);

  it('PCGrad follows its loop over vectors, in the order that it is given', () => {
    const orders = [
      [2, 0, 1],
      [0, 1, 2],
      [1, 2, 0],
    ];
    const projected = gradients.map((gradient, i) => {
      let own = [...gradient];
      for (const j of orders[i]) {
        const product = inner(own, gradients[j]);
        if (j !== i && product < 0)
          own = own.map((value, k) => value - (product / inner(gradients[j], gradients[j])) * gradients[j][k]);
      }
      return own;
    });
    const sum = projected.reduce((total, own) => total.map((value, k) => value + own[k]));
    expectAllClose(combined(pcgradCoefficients(gram, orders), gradients), sum, 'direction', exact);
  });

  it('IMTL-G projects equally on every unit gradient', () => {
    const alpha = imtlCoefficients(gram);
    expectAllClose(inner(alpha, [1, 1, 1]), 1, 'sum of alpha', exact);
    const direction = combined(alpha, gradients);
    const projections = gradients.map((gradient) => inner(direction, gradient) / Math.hypot(...gradient));
    expectAllClose(projections, [projections[0], projections[0], projections[0]], 'projections', exact);
  });

  it('Nash-MTL solves G a = 1 / a', () => {
    const alpha = nashCoefficients(gram);
    expectAllClose(
      gram.map((row) => inner(row, alpha)),
      alpha.map((a) => 1 / a),
      'G a',
      exact,
    );
  });

  it('CAGrad: no other weights of the simplex give a lower F', () => {
    const c = 0.5;
    const mean = [1 / 3, 1 / 3, 1 / 3];
    const F = (w: readonly number[]) => {
      const along = gram.map((row) => inner(row, mean));
      return inner(w, along) + c * Math.sqrt(squaredNorm(gram, mean)) * Math.sqrt(squaredNorm(gram, w));
    };
    const found = F(cagradWeights(gram, c));
    for (let i = 0; i <= 40; i++) {
      for (let j = 0; j <= 40 - i; j++)
        expect(F([i / 40, j / 40, (40 - i - j) / 40])).toBeGreaterThanOrEqual(found - 1e-12);
    }
  });
});
