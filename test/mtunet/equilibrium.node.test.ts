import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Equilibrium,
  equilibrium,
  equilibriumSigma,
  equilibriumSigmaClosedForm,
  kendallClassificationEquilibrium,
  kendallRegressionEquilibrium,
  largeLossSigma,
  liebelEquilibrium,
  lossAtEquilibrium,
  lossAtEquilibriumSlope,
  regularizedLoss,
  regularizedLossCurvature,
  regularizedLossSlope,
  releasedEquilibrium,
  smallLossSigma,
} from '../../src/mtunet/equilibrium.ts';
import { expectClose, readGolden } from '../support/oracle.ts';

const rows = readGolden('oracle/sigma_equilibrium.json').rows as ({ L: number } & Record<string, string>)[];
const recorded = { relative: 1e-14 };

describe.each(rows)('recorded loss $L', (row) => {
  it('has the recorded equilibrium', () => {
    const want: Record<keyof Equilibrium, string | number> = {
      loss: row.L,
      sigma: row.sigma,
      logSigma: row.log_sigma,
      weight: row.weight,
      envelope: row.J,
      slope: row.dsigma_dL,
      logLogSlope: row.dlogsigma_dlogL,
      curvature: row.curv_sigma,
      logCurvature: row.curv_log,
    };
    const got = equilibrium(row.L);
    for (const key of Object.keys(want) as (keyof Equilibrium)[]) {
      // A relative error of sigma is an absolute error of its logarithm, which is near 0 for losses near 1/4.
      const absolute = key === 'logSigma' ? recorded.relative : 0;
      expectClose(got[key], Number(want[key]), { ...recorded, absolute }, key);
    }
    expectClose(equilibriumSigmaClosedForm(row.L), Number(row.sigma), recorded, 'closed form');
  });

  it('has the recorded equilibria of the other rules', () => {
    expectClose(releasedEquilibrium(row.L).sigma, Number(row.code_sigma), recorded, 'released sigma');
    expectClose(releasedEquilibrium(row.L).weight, Number(row.code_weight), recorded, 'released weight');
    expectClose(kendallRegressionEquilibrium(row.L).sigma, Number(row.kendall_reg_sigma), recorded, 'regression');
    expectClose(kendallClassificationEquilibrium(row.L).sigma, Number(row.kendall_cls_sigma), recorded, 'classes');
    expectClose(liebelEquilibrium(row.L).sigma, Number(row.liebel_c), recorded, 'Liebel');
  });

  it('is inverted by f, and the general formulas agree there', () => {
    const { sigma, envelope, slope, curvature, weight } = equilibrium(row.L);
    expectClose(lossAtEquilibrium(sigma), row.L, recorded, 'f');
    expectClose(1 / lossAtEquilibriumSlope(sigma), slope, recorded, "1/f'");
    expectClose(regularizedLoss(row.L, sigma), envelope, recorded, 'l');
    expectClose(regularizedLossCurvature(row.L, sigma), curvature, { relative: 1e-12 }, "l''");
    expectClose(regularizedLossSlope(row.L, sigma), 0, { absolute: (1e-14 * 2 * row.L * weight) / sigma }, "l'");
  });
});

it('found recorded losses', () => expect(rows.length).toBeGreaterThan(0));

// Losses spread evenly over their logarithm: 1e-300 to 1e300.
const losses = fc.double({ min: -300, max: 300, noNaN: true }).map((exponent) => 10 ** exponent);
const sigmas = fc.double({ min: -100, max: 100, noNaN: true }).map((exponent) => 10 ** exponent);

it('Newton and the closed form agree at every magnitude', () => {
  const nearTurn = fc
    .double({ min: -14, max: 0, noNaN: true })
    .chain((exponent) => fc.constantFrom(-1, 1).map((side) => 3.375 + side * 10 ** exponent));
  fc.assert(
    fc.property(fc.oneof(losses, nearTurn, fc.constantFrom(5e-324, 2.2e-308, 3.375, Number.MAX_VALUE)), (loss) => {
      expectClose(equilibriumSigmaClosedForm(loss), equilibriumSigma(loss), recorded, `sigma of ${loss}`);
    }),
    { seed: 4, numRuns: 2000 },
  );
});

it('f and its inverse undo each other', () => {
  fc.assert(
    fc.property(sigmas, (sigma) => {
      expectClose(equilibriumSigma(lossAtEquilibrium(sigma)), sigma, recorded, `sigma ${sigma}`);
    }),
    { seed: 5, numRuns: 1000 },
  );
});

it('grows with the loss, with a log-log slope between 1/3 and 1/2', () => {
  fc.assert(
    fc.property(losses, fc.double({ min: 1.001, max: 2, noNaN: true }), (loss, factor) => {
      const [low, high] = [equilibrium(loss), equilibrium(loss * factor)];
      expect(high.sigma).toBeGreaterThan(low.sigma);
      expect(high.envelope).toBeGreaterThan(low.envelope);
      const measured = Math.log(high.sigma / low.sigma) / Math.log(factor);
      expect(measured).toBeGreaterThan(1 / 3 - 1e-9);
      expect(measured).toBeLessThan(1 / 2 + 1e-9);
      expect(low.logLogSlope - 1e-9).toBeLessThan(measured);
      expect(measured).toBeLessThan(high.logLogSlope + 1e-9);
    }),
    { seed: 6, numRuns: 1000 },
  );
});

it('is the lowest point of the loss', () => {
  fc.assert(
    fc.property(
      fc.double({ min: -6, max: 6, noNaN: true }),
      fc.double({ min: -3, max: 3, noNaN: true }),
      (exponent, shift) => {
        const { loss, sigma, envelope } = equilibrium(10 ** exponent);
        const elsewhere = sigma * 10 ** shift;
        expect(regularizedLoss(loss, elsewhere)).toBeGreaterThanOrEqual(envelope * (1 - 1e-15));
        if (Math.abs(shift) > 1e-6) {
          expect(Math.sign(regularizedLossSlope(loss, elsewhere))).toBe(Math.sign(shift));
        }
      },
    ),
    { seed: 7, numRuns: 1000 },
  );
});

it('derivatives agree with central differences', () => {
  fc.assert(
    fc.property(
      fc.double({ min: 0.05, max: 20, noNaN: true }),
      fc.double({ min: 0.2, max: 6, noNaN: true }),
      (L, s) => {
        const h = 1e-5;
        const difference = (f: (x: number) => number, x: number) => (f(x + h) - f(x - h)) / (2 * h);
        const scale = 1 + 24 * (L / s ** 4);
        const close = { absolute: 1e-6 * scale * (1 + 1 / s), relative: 1e-6 };
        expectClose(
          regularizedLossSlope(L, s),
          difference((x) => regularizedLoss(L, x), s),
          close,
          "l'",
        );
        expectClose(
          regularizedLossCurvature(L, s),
          difference((x) => regularizedLossSlope(L, x), s),
          close,
          "l''",
        );
        expectClose(lossAtEquilibriumSlope(s), difference(lossAtEquilibrium, s), { relative: 1e-6 }, "f'");
        expectClose(
          equilibrium(L).weight,
          difference((x) => equilibrium(x).envelope, L),
          { relative: 1e-5 },
          'dJ/dL',
        );
        const { sigma } = equilibrium(L);
        const inLog = (u: number) => Math.exp(u) * regularizedLossSlope(L, Math.exp(u));
        expectClose(equilibrium(L).logCurvature, difference(inLog, Math.log(sigma)), { relative: 1e-5 }, 'd2l/du2');
      },
    ),
    { seed: 8, numRuns: 300 },
  );
});

it('the released rule is the paper rule for half the loss', () => {
  fc.assert(
    fc.property(losses, (loss) => {
      const { sigma, weight } = releasedEquilibrium(2 * loss);
      expect(sigma).toBe(equilibrium(loss).sigma);
      expectClose(weight, equilibrium(loss).weight / 2, recorded, 'weight');
    }),
    { seed: 9 },
  );
});

it('the other rules rest where their own slope is zero', () => {
  fc.assert(
    fc.property(fc.double({ min: 1e-3, max: 1e3, noNaN: true }), (L) => {
      const regression = kendallRegressionEquilibrium(L);
      expectClose(L / regression.sigma ** 2, 1, { relative: 1e-12 }, 'regression');
      const classification = kendallClassificationEquilibrium(L);
      expectClose((2 * L) / classification.sigma ** 2, 1, { relative: 1e-12 }, 'classification');
      const { sigma: c, weight } = liebelEquilibrium(L);
      expectClose((2 * c ** 4) / (1 + c * c), L, { relative: 1e-12 }, 'Liebel');
      expectClose(weight, 1 / (2 * c * c), { relative: 1e-12 }, 'Liebel weight');
      expectClose(regression.weight, 1 / (2 * L), { relative: 1e-12 }, 'regression weight');
      expectClose(classification.weight, 1 / (2 * L), { relative: 1e-12 }, 'classification weight');
    }),
    { seed: 10 },
  );
});

it('the series for small and large losses come close in the order that they leave out', () => {
  const error = (series: (loss: number) => number, loss: number) => Math.abs(series(loss) / equilibriumSigma(loss) - 1);
  // The next term is of relative order a^6 = (2 L)^2, and b^-3 = (2 L)^-1.5.
  for (const L of [1e-4, 1e-3, 1e-2]) expect(error(smallLossSigma, L)).toBeLessThan(0.1 * (2 * L) ** 2 + 1e-15);
  for (const L of [1e2, 1e4, 1e6]) expect(error(largeLossSigma, L)).toBeLessThan((2 * L) ** -1.5 + 1e-15);
  expect(error(smallLossSigma, 1e-2) / error(smallLossSigma, 1e-3)).toBeGreaterThan(50);
  expect(error(largeLossSigma, 1e2) / error(largeLossSigma, 1e4)).toBeGreaterThan(500);
});

describe('edges', () => {
  it('a loss of 0 rests at 0 with an infinite weight', () => {
    expect(equilibrium(0)).toEqual({
      loss: 0,
      sigma: 0,
      logSigma: Number.NEGATIVE_INFINITY,
      weight: Number.POSITIVE_INFINITY,
      envelope: 0,
      slope: Number.POSITIVE_INFINITY,
      logLogSlope: 1 / 3,
      curvature: Number.POSITIVE_INFINITY,
      logCurvature: 0,
    });
    expect(regularizedLoss(0, 0)).toBe(0);
    expect(lossAtEquilibrium(0)).toBe(0);
    expect(lossAtEquilibriumSlope(0)).toBe(0);
    expect(liebelEquilibrium(0)).toEqual({ sigma: 0, weight: Number.POSITIVE_INFINITY });
  });

  it('an infinite loss rests at infinity with weight 0', () => {
    const { sigma, weight, slope, logLogSlope, logCurvature } = equilibrium(Number.POSITIVE_INFINITY);
    expect([sigma, weight, slope, logLogSlope, logCurvature]).toEqual([Number.POSITIVE_INFINITY, 0, 0, 1 / 2, 2]);
  });

  it('a negative loss, or none, has no equilibrium', () => {
    for (const loss of [-1e-16, -1, Number.NaN]) {
      const { loss: _, ...values } = equilibrium(loss);
      for (const value of Object.values(values)) expect(value).toBeNaN();
      expect(equilibriumSigmaClosedForm(loss)).toBeNaN();
      for (const rule of [
        releasedEquilibrium,
        kendallRegressionEquilibrium,
        kendallClassificationEquilibrium,
        liebelEquilibrium,
      ]) {
        expect(rule(loss)).toEqual({ sigma: Number.NaN, weight: Number.NaN });
      }
    }
    // The loss itself stays defined, and falls without end as sigma falls.
    expect(regularizedLossSlope(-1, 0.1)).toBeGreaterThan(0);
  });

  it('a sigma below 0 is outside the domain', () => {
    const functions = [regularizedLoss, regularizedLossSlope, regularizedLossCurvature];
    for (const f of functions) expect(f(1, -0.5)).toBeNaN();
    expect(lossAtEquilibrium(-0.5)).toBeNaN();
    expect(lossAtEquilibriumSlope(-0.5)).toBeNaN();
  });

  it('the largest and the smallest loss have finite equilibria', () => {
    expectClose(equilibriumSigma(Number.MAX_VALUE), Math.SQRT2 * Math.sqrt(Number.MAX_VALUE), recorded, 'largest');
    expectClose(equilibriumSigma(5e-324), Math.cbrt(2) * Math.cbrt(5e-324), recorded, 'smallest');
    expect(equilibrium(Number.MAX_VALUE).weight).toBeGreaterThan(0);
    expect(equilibrium(5e-324).weight).toBeLessThan(Number.POSITIVE_INFINITY);
  });
});
