/** The distance of a run's sigmas from rest, and its plot. */
import { expect, it } from 'vitest';
import { equilibriumSigma } from '../../src/mtunet/equilibrium.ts';
import { equilibriumLag } from '../../src/mtunet/equilibrium-lag.ts';
import type { EpochRecord } from '../../src/mtunet/records.ts';
import { type SchemeName, schemeDefaults } from '../../src/mtunet/schemes/index.ts';
import { equilibriumPlot } from '../../src/report/equilibrium-plot.ts';

const scheme = (name: SchemeName, halfSaliency = false) => ({ scheme: { ...schemeDefaults, name, halfSaliency } });

function epoch(
  number: number,
  saliencyLoss: number,
  classLoss: number,
  saliencySigma: number | null,
  classSigma: number | null,
) {
  const losses = { loss: saliencyLoss + classLoss, saliencyLoss, classLoss };
  const rest = { validAccuracy: null, learningRate: 1e-3, best: true, reset: false, seconds: 1 };
  return { epoch: number, train: losses, valid: losses, saliencySigma, classSigma, ...rest } as EpochRecord;
}

it('is 0 at rest, and positive where sigma is larger', () => {
  const atRest = equilibriumSigma(0.5);
  const rows = equilibriumLag(scheme('mtls3'), [epoch(1, 2, 0.5, 1, 1.5), epoch(2, 2, 0.5, 1, atRest)]);
  expect(rows.map(({ task }) => task)).toEqual(['diagnosis', 'diagnosis']);
  expect(rows[0].lag).toBeCloseTo(Math.log(1.5 / atRest), 14);
  expect(rows[0].rateShare).toBeCloseTo((atRest / 1.5) ** 2, 14);
  expect(rows[0].moved).toBeCloseTo(Math.log(1.5), 14);
  expect(rows[1]).toMatchObject({ lag: 0, rateShare: 1, equilibrium: atRest });
  expect(rows[1].moved).toBeCloseTo(Math.log(atRest / 1.5), 14);
});

it('knows where each scheme rests', () => {
  const L = 0.8;
  const of = (name: SchemeName, half = false) =>
    equilibriumLag(scheme(name, half), [epoch(1, L, L, 1, 1)]).map(({ equilibrium }) => equilibrium);
  expect(of('mtls1')).toEqual([equilibriumSigma(L), equilibriumSigma(L)]);
  expect(of('mtls1', true)[0]).toBe(equilibriumSigma(L / 2));
  expect(of('kendall')).toEqual([Math.sqrt(L), Math.SQRT2 * Math.sqrt(L)]);
  expect(of('imtl-l')).toEqual([Math.sqrt(L), Math.sqrt(L)]);
  expect(of('liebel')[0] ** 2).toBeCloseTo((L + Math.sqrt(L * L + 8 * L)) / 4, 14);
  for (const name of ['sum', 'dwa', 'nash'] as const) expect(of(name)).toEqual([]);
});

it('draws both tasks with a dashed line at rest', () => {
  const rows = equilibriumLag(scheme('mtls1'), [epoch(1, 2, 1, 1.1, 1.0), epoch(2, 1, 0.5, 1.2, 0.9)]);
  const svg = equilibriumPlot(rows);
  expect(svg).toMatch(/^<svg xmlns="http:\/\/www.w3.org\/2000\/svg"/);
  expect(svg.match(/stroke-dasharray="4,3"/g)?.length).toBe(2);
  expect(svg).toContain('var(--class)');
});
