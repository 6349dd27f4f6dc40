/**
 * The paper's derivations, one row each, in the order in which the argument runs: the losses, the schemes, and Appendix A.
 *
 * Every derivative is computed from its closed form, by differences of the float64 function, and by the engine's reverse mode on the device
 * through the very code that trains.
 */
import type { Gpu } from '../../engine/index.ts';
import * as rest from '../equilibrium.ts';
import { type SchemeConfig, schemes } from '../schemes/uncertainty.ts';
import {
  classOnDevice,
  cubicOverLine,
  rateOfSgd,
  saliencyOnDevice,
  scalarSlope,
  schemeOnDevice,
  sigmaSlope,
} from './device.ts';
import { between, crossEntropyOf, dot, draw, entropy, klOf, logSum, mapSample, moved, softmax } from './host.ts';
import { type CheckRow, rowOf, type Sample, type Statement, slopeAt0 } from './row.ts';

const STEP = 1e-3;
/** float32 on the device against float64. */
const DEVICE = 2e-5;
const HOST = 1e-8;

export async function derivationRows(gpu: Gpu, samples: number): Promise<CheckRow[]> {
  const numbers = Array.from({ length: samples }, (_, i) => i);
  const each = async (what: Omit<Statement, 'group'>, sample: (i: number) => Promise<Sample> | Sample) => {
    const got: Sample[] = [];
    for (const i of numbers) got.push(await sample(i));
    return rowOf({ group: 'paper', ...what }, got);
  };
  return [
    await each(
      { name: 'Eq. 2, value', statement: 'L_s = H(q, p) - H(q) = KL(q || p)', tolerance: DEVICE },
      async (i) => {
        const map = mapSample(i);
        const { value } = await saliencyOnDevice(gpu, map, map.logits);
        return { analytic: crossEntropyOf(map.target, map.logits) - entropy(map.target), autograd: value };
      },
    ),
    await each(
      { name: 'Eq. 2, gradient', statement: 'dL_s / d logits = p - q, along a random direction', tolerance: DEVICE },
      async (i) => {
        const { logits, target, direction } = mapSample(i);
        const p = softmax(logits);
        const { gradient } = await saliencyOnDevice(gpu, mapSample(i), logits);
        return {
          analytic: dot(
            direction,
            p.map((value, k) => value - target[k]),
          ),
          difference: slopeAt0((t) => klOf(target, moved(logits, direction, t)), STEP),
          autograd: dot(direction, gradient),
        };
      },
    ),
    await each(
      {
        name: 'Eq. 2, entropy',
        statement: '-H(q) has no gradient in the weights: d(KL) - d(cross entropy) = 0',
        tolerance: DEVICE,
      },
      async (i) => {
        const { logits, target, direction } = mapSample(i);
        const difference = slopeAt0((t) => {
          const at = moved(logits, direction, t);
          return klOf(target, at) - crossEntropyOf(target, at);
        }, STEP);
        const { gradient, crossGradient } = await saliencyOnDevice(gpu, mapSample(i), logits);
        return { analytic: 0, difference, autograd: dot(direction, gradient) - dot(direction, crossGradient) };
      },
    ),
    await each(
      {
        name: 'Eq. 2, sigma',
        statement: 'but not for sigma: dl/dsigma(cross entropy) - dl/dsigma(KL) = -2 H(q) / sigma^3',
        tolerance: DEVICE,
      },
      async (i) => {
        const { logits, target } = mapSample(i);
        const sigma = between(i, 'entropy sigma', 0.5, 2);
        const slope = (loss: number) => slopeAt0((t) => rest.regularizedLoss(loss, sigma + t), STEP * 0.1);
        const [kl, cross] = [klOf(target, logits), crossEntropyOf(target, logits)];
        const [forKl, forCross] = [await sigmaSlope(gpu, kl, sigma), await sigmaSlope(gpu, cross, sigma)];
        return {
          analytic: (-2 * entropy(target)) / sigma ** 3,
          difference: slope(cross) - slope(kl),
          autograd: forCross - forKl,
          scale: Math.max(1, Math.abs(forCross)),
        };
      },
    ),
    await each(
      { name: 'Eq. 3', statement: 'dL_c / d logits = softmax - one-hot, along a random direction', tolerance: DEVICE },
      async (i) => {
        const logits = draw(i, 'class logits', 3, -3, 3);
        const direction = draw(i, 'class direction', 3, -1, 1);
        const label = i % 3;
        const gradient = await classOnDevice(gpu, logits, label);
        return {
          analytic: dot(
            direction,
            softmax(logits).map((value, k) => value - (k === label ? 1 : 0)),
          ),
          difference: slopeAt0((t) => {
            const at = moved(logits, direction, t);
            return logSum(at) - at[label];
          }, STEP),
          autograd: dot(direction, gradient),
        };
      },
    ),
    ...(await schemeRows(gpu, each)),
    ...(await appendixRows(gpu, each)),
  ];
}

type Each = (what: Omit<Statement, 'group'>, sample: (i: number) => Promise<Sample> | Sample) => Promise<CheckRow>;

/** Eq. 1, 4 and 5: the factor on each task's gradient, and the slope in each ln sigma. */
async function schemeRows(gpu: Gpu, each: Each): Promise<CheckRow[]> {
  const rows: CheckRow[] = [];
  const equations: [string, SchemeConfig][] = [
    ['Eq. 1 (MTLS1)', schemes.mtls1],
    ['Eq. 4 (MTLS2)', schemes.mtls2],
    ['Eq. 5 (MTLS3)', schemes.mtls3],
    ['released Eq. 5', { ...schemes.mtls3, halfSaliency: true, fixedTerm: true }],
  ];
  for (const [name, config] of equations) {
    for (const task of ['saliency', 'diagnosis'] as const) {
      const learnt = (task === 'saliency' ? config.saliencySigma : config.classSigma) === 'learnt';
      const factor = task === 'saliency' && config.halfSaliency ? 0.5 : 1;
      const letter = task === 'saliency' ? 's' : 'c';
      const at = (i: number) => {
        const u = between(i, `${name} ${letter}`, -1, 1);
        return { u: learnt ? u : 0, loss: between(i, `${name} loss ${letter}`, 0.1, 3) };
      };
      const term = (loss: number, u: number) =>
        factor * loss * Math.exp(-2 * u) + (learnt || config.fixedTerm ? Math.log1p(Math.exp(u)) : 0);
      rows.push(
        await each(
          {
            name: `${name}, L_${letter}`,
            statement: `dL / dL_${letter} = ${factor === 1 ? '' : '1/2 '}${learnt ? `1 / sigma_${letter}^2` : '1 (sigma is fixed)'}`,
            tolerance: DEVICE,
          },
          async (i) => {
            const { u, loss } = at(i);
            const { weight } = await schemeOnDevice(gpu, config, task, loss, u);
            const difference = slopeAt0((t) => term(loss + t, u), STEP);
            return { analytic: factor * Math.exp(-2 * u), difference, autograd: weight };
          },
        ),
      );
      if (!learnt) continue;
      rows.push(
        await each(
          {
            name: `${name}, sigma_${letter}`,
            statement: `dL / d ln sigma_${letter} = -2 L_${letter} / sigma_${letter}^2 + sigma_${letter} / (sigma_${letter} + 1)`,
            tolerance: DEVICE,
          },
          async (i) => {
            const { u, loss } = at(i);
            const { slope } = await schemeOnDevice(gpu, config, task, loss, u);
            const sigma = Math.exp(u);
            const analytic = -2 * factor * loss * Math.exp(-2 * u) + sigma / (sigma + 1);
            return { analytic, difference: slopeAt0((t) => term(loss, u + t), STEP), autograd: slope };
          },
        ),
      );
    }
  }
  return rows;
}

async function appendixRows(gpu: Gpu, each: Each): Promise<CheckRow[]> {
  const sigmaAt = (i: number) => between(i, 'appendix sigma', 0.3, 4);
  const lossAt = (i: number) => 10 ** between(i, 'appendix loss', -2, 1.5);
  return [
    await each(
      { name: 'A, slope', statement: 'dl/dsigma = -2 L / sigma^3 + 1 / (sigma + 1)', tolerance: DEVICE },
      async (i) => {
        const [loss, sigma] = [lossAt(i), sigmaAt(i)];
        const difference = slopeAt0((t) => rest.regularizedLoss(loss, sigma + t), 1e-4);
        const autograd = await sigmaSlope(gpu, loss, sigma);
        const scale = Math.max(1, (2 * loss) / sigma ** 3);
        return { analytic: rest.regularizedLossSlope(loss, sigma), difference, autograd, scale };
      },
    ),
    await each(
      { name: 'A, rest', statement: 'dl/dsigma = 0 where L = f(sigma) = sigma^3 / (2 (sigma + 1))', tolerance: DEVICE },
      async (i) => {
        const sigma = Math.fround(sigmaAt(i));
        const loss = rest.lossAtEquilibrium(sigma);
        const scale = Math.max(1, (2 * loss) / sigma ** 3);
        const difference = slopeAt0((t) => rest.regularizedLoss(loss, sigma + t), 1e-4);
        return { analytic: 0, difference, autograd: await sigmaSlope(gpu, loss, sigma), scale };
      },
    ),
    await each(
      {
        name: "A, f' > 0",
        statement: "f'(sigma) = sigma^2 (2 sigma + 3) / (2 (sigma + 1)^2) > 0, so f is strictly increasing",
        tolerance: DEVICE,
      },
      async (i) => {
        const sigma = Math.fround(sigmaAt(i));
        const autograd = await scalarSlope(gpu, sigma, cubicOverLine);
        const difference = slopeAt0((t) => rest.lossAtEquilibrium(sigma + t), STEP);
        const analytic = rest.lossAtEquilibriumSlope(sigma);
        return { analytic, difference, autograd, holds: analytic > 0 && difference > 0 && autograd > 0 };
      },
    ),
    await each(
      {
        name: 'A, inverse',
        statement:
          "the inverse exists and increases: dsigma*/dL = 2 (sigma* + 1)^2 / (sigma*^2 (2 sigma* + 3)) = 1 / f' > 0",
        tolerance: DEVICE,
      },
      async (i) => {
        const loss = lossAt(i);
        const { sigma, slope } = rest.equilibrium(loss);
        const autograd = 1 / (await scalarSlope(gpu, sigma, cubicOverLine));
        const difference = slopeAt0((t) => rest.equilibriumSigma(loss * (1 + t)), STEP) / loss;
        const increases = rest.equilibriumSigma(loss * 1.001) > sigma && rest.equilibriumSigma(loss * 0.999) < sigma;
        return { analytic: slope, difference, autograd, holds: increases && slope > 0, scale: slope };
      },
    ),
    await each(
      { name: 'A, minimum', statement: "l''(sigma*) = (2 sigma* + 3) / (sigma* (sigma* + 1)^2) > 0", tolerance: 1e-7 },
      (i) => {
        const loss = lossAt(i);
        const { sigma, curvature } = rest.equilibrium(loss);
        const difference = slopeAt0((t) => rest.regularizedLossSlope(loss, sigma * (1 + t)), STEP) / sigma;
        return { analytic: curvature, difference, scale: curvature, holds: curvature > 0 };
      },
    ),
    await each(
      { name: 'A, envelope', statement: 'the loss at rest has slope dJ/dL = 1 / sigma*^2', tolerance: HOST },
      (i) => {
        const loss = lossAt(i);
        const { weight } = rest.equilibrium(loss);
        const difference = slopeAt0((t) => rest.equilibrium(loss * (1 + t)).envelope, STEP) / loss;
        return { analytic: weight, difference, scale: weight };
      },
    ),
    await each(
      {
        name: 'A, rate',
        statement: 'a step of SGD moves the weights by r / sigma^2 times the gradient of L: r_e = r / sigma^2',
        tolerance: DEVICE,
      },
      async (i) => {
        const sigma = sigmaAt(i);
        return { analytic: 0.125 / sigma ** 2, autograd: await rateOfSgd(gpu, 0.125, sigma) };
      },
    ),
    await each(
      {
        name: 'A, amplification',
        statement:
          'a falling loss raises the rate: d ln r_e / d ln L = -2 (sigma* + 1) / (2 sigma* + 3), in (-1, -2/3)',
        tolerance: HOST,
      },
      (i) => {
        const loss = lossAt(i);
        const analytic = -2 * rest.equilibrium(loss).logLogSlope;
        const difference = slopeAt0((t) => Math.log(rest.equilibrium(loss * Math.exp(t)).weight), STEP);
        return { analytic, difference, holds: analytic > -1 && analytic < -2 / 3 };
      },
    ),
  ];
}
