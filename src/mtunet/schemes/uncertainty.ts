/**
 * The paper's multi-task learning schemes: each task's loss is divided by a sigma^2 that is learnt with the network, or fixed at 1.
 *
 *     MTLS1 (Eq. 1)   L = L_s / sigma_s^2 + L_c / sigma_c^2 + ln(sigma_s + 1) + ln(sigma_c + 1)
 *     MTLS2 (Eq. 4)   L = L_s / sigma_s^2 + L_c             + ln(sigma_s + 1)                        sigma_c = 1
 *     MTLS3 (Eq. 5)   L = L_s             + L_c / sigma_c^2                   + ln(sigma_c + 1)      sigma_s = 1
 *
 * sigma begins at 1. It is learnt as ln sigma (the released code's choice, which keeps it positive) or directly.
 */

import type { Gpu, Initial, Tensor } from '../../engine/index.ts';
import {
  add,
  exp,
  factorWithin,
  log,
  multiply,
  reciprocal,
  type Scalar,
  scale,
  shift,
  softplus,
  square,
  stateTensor,
  within,
} from '../../engine/index.ts';
import { ObjectiveScheme, type PerTask, sumOf, type TaskLosses, type TaskValues } from './scheme.ts';

export interface SchemeConfig {
  readonly saliencySigma: 'learnt' | 'fixed';
  readonly classSigma: 'learnt' | 'fixed';
  /** What the optimizer changes: ln sigma, or sigma itself. */
  readonly sigmaParameter: 'log' | 'direct';
  /** The released code divides the saliency loss by 2 sigma_s^2; the paper's equations do not. */
  readonly halfSaliency: boolean;
  /** The released code keeps ln(1 + 1) for a fixed sigma. It has no gradient, but moves the monitored loss. */
  readonly fixedTerm: boolean;
}

const common = { sigmaParameter: 'log', halfSaliency: false, fixedTerm: false } as const;

export const schemes = {
  mtls1: { ...common, saliencySigma: 'learnt', classSigma: 'learnt' },
  mtls2: { ...common, saliencySigma: 'learnt', classSigma: 'fixed' },
  mtls3: { ...common, saliencySigma: 'fixed', classSigma: 'learnt' },
  /** L_s + L_c. */
  sum: { ...common, saliencySigma: 'fixed', classSigma: 'fixed' },
} as const satisfies Record<string, SchemeConfig>;

/** Beyond it, and below its reciprocal, 1 / sigma^2 leaves float32 sooner or later: such a sigma makes the objective NaN on every adapter. */
const SIGMA_BOUND = 1e15;

export class UncertaintyScheme extends ObjectiveScheme {
  readonly config: SchemeConfig;
  private readonly image: Tensor<''> | null;
  private readonly diagnosis: Tensor<''> | null;

  constructor(gpu: Gpu, config: SchemeConfig) {
    super();
    this.config = config;
    const learnt = (sigma: 'learnt' | 'fixed') => (sigma === 'learnt' ? stateTensor(gpu, '', [], 'sigma', true) : null);
    this.diagnosis = learnt(config.classSigma);
    this.image = learnt(config.saliencySigma);
    this.initialise(0);
  }

  /** Names of the released code; lg_sigma is the natural logarithm of sigma. */
  override members() {
    const prefix = this.config.sigmaParameter === 'log' ? 'lg_sigma' : 'sigma';
    return {
      ...(this.diagnosis && { [`${prefix}_class`]: this.diagnosis }),
      ...(this.image && { [`${prefix}_image`]: this.image }),
    };
  }

  protected override initials(): Record<string, Initial> {
    const initial: Initial = { kind: 'constant', value: this.config.sigmaParameter === 'log' ? 0 : 1 };
    return Object.fromEntries(Object.keys(this.members()).map((name) => [name, initial]));
  }

  /** The objective. A task without a loss (a network without that head) has no term. */
  override call({ saliency, diagnosis }: TaskLosses): Scalar {
    const terms: Scalar[] = [];
    if (saliency) terms.push(this.weighted(this.config.halfSaliency ? scale(saliency, 0.5) : saliency, this.image));
    if (diagnosis) terms.push(this.weighted(diagnosis, this.diagnosis));
    return sumOf(terms);
  }

  /** sigma of each task as tensors to be read with the step's results; 1 where it is fixed. */
  override sigmas(): PerTask<Scalar | number> {
    const value = (sigma: Tensor<''> | null) =>
      sigma === null ? 1 : this.config.sigmaParameter === 'log' ? exp(sigma) : scale(sigma, 1);
    return { saliency: value(this.image), diagnosis: value(this.diagnosis) };
  }

  override problemOf(sigmas: TaskValues): string | null {
    const isWithin = (sigma: number) => sigma >= 1 / SIGMA_BOUND && sigma <= SIGMA_BOUND;
    const rows = [
      ['saliency', sigmas.saliency, 'image'],
      ['diagnosis', sigmas.diagnosis, 'class'],
    ] as const;
    for (const [task, sigma, suffix] of rows) {
      if (sigma === null || isWithin(sigma)) continue;
      const isDirect = this.config.sigmaParameter === 'direct';
      const remedy = isDirect ? 'learn ln sigma (scheme.sigmaParameter: log), or lower' : 'lower';
      return `sigma of the ${task} (${isDirect ? 'sigma' : 'lg_sigma'}_${suffix}) is ${sigma}, outside ${1 / SIGMA_BOUND} to ${SIGMA_BOUND}, where the objective means nothing: ${remedy} the learning rate of the scheme (optimizer.rates)`;
    }
    return null;
  }

  /** 1 / sigma^2, half of it for the saliency loss of the released code. */
  protected weights({ saliency, diagnosis }: TaskValues): TaskValues {
    const weight = (sigma: number | null, factor: number) => (sigma === null ? null : factor / (sigma * sigma));
    return { saliency: weight(saliency, this.config.halfSaliency ? 0.5 : 1), diagnosis: weight(diagnosis, 1) };
  }

  /** loss / sigma^2 + ln(sigma + 1) */
  private weighted(loss: Scalar, sigma: Tensor<''> | null): Scalar {
    if (!sigma) return this.config.fixedTerm ? shift(loss, Math.LN2) : loss;
    if (this.config.sigmaParameter === 'log') {
      const checked = within(sigma, Math.log(SIGMA_BOUND));
      return add(multiply(loss, exp(scale(checked, -2))), softplus(checked));
    }
    const checked = factorWithin(sigma, SIGMA_BOUND);
    return add(multiply(loss, reciprocal(square(checked))), log(shift(checked, 1)));
  }
}
