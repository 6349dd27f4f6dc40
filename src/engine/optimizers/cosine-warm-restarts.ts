/**
 * Learning-rate schedule: half a cosine from the initial rate to the lowest one, then again from the top.
 *
 *   rate = low + (high - low) (1 + cos(pi t / T)) / 2;   at t = T: t = 0 and T *= stretch
 *
 * t counts epochs since the last restart, T the length of the present cycle. Fractions of an epoch are allowed.
 * Source: Loshchilov & Hutter 2017 (SGDR); torch.optim.lr_scheduler.CosineAnnealingWarmRestarts. For a given epoch torch
 * finds the cycle from a logarithm, whose rounding misses some restarts (epoch 121 of T_0 = 1, T_mult = 3); here cycles
 * are counted, so that stepping through and jumping to an epoch agree.
 */
export interface CosineWarmRestartsOptions {
  readonly learningRate: number;
  /** Epochs of the first cycle (T_0), a positive integer. */
  readonly period: number;
  /** Every cycle is this many times as long as the one before (T_mult), a positive integer. */
  readonly stretch?: number;
  /** eta_min */
  readonly minimumRate?: number;
}

export interface CosineWarmRestartsState {
  /** Epochs since the last restart. */
  readonly elapsed: number;
  /** Epochs of the present cycle. */
  readonly period: number;
}

export class CosineWarmRestarts {
  readonly options: Required<CosineWarmRestartsOptions>;
  #elapsed = 0;
  #period: number;

  /** @throws RangeError when period or stretch is not a positive integer */
  constructor(options: CosineWarmRestartsOptions) {
    this.options = { stretch: 1, minimumRate: 0, ...options };
    for (const name of ['period', 'stretch'] as const) {
      const value = this.options[name];
      if (!Number.isInteger(value) || value < 1) {
        throw new RangeError(`CosineWarmRestarts: ${name} is ${value}, expected a positive integer.`);
      }
    }
    this.#period = this.options.period;
  }

  get learningRate(): number {
    const { learningRate, minimumRate } = this.options;
    return minimumRate + ((learningRate - minimumRate) * (1 + Math.cos((Math.PI * this.#elapsed) / this.#period))) / 2;
  }

  /**
   * Goes one epoch on, or to the given epoch, and answers the learning rate from now on.
   *
   * @param epoch counted from 0 at the start; may have a fraction
   * @throws RangeError when epoch is negative or not finite
   */
  step(epoch?: number): number {
    const { period, stretch } = this.options;
    if (epoch === undefined) {
      this.#elapsed++;
    } else {
      if (!(epoch >= 0 && epoch < Number.POSITIVE_INFINITY)) {
        throw new RangeError(`CosineWarmRestarts: epoch is ${epoch}, expected a finite number from 0.`);
      }
      this.#period = period;
      this.#elapsed = stretch === 1 ? epoch % period : epoch;
    }
    while (this.#elapsed >= this.#period) {
      this.#elapsed -= this.#period;
      this.#period *= stretch;
    }
    return this.learningRate;
  }

  get state(): CosineWarmRestartsState {
    return { elapsed: this.#elapsed, period: this.#period };
  }

  load(state: CosineWarmRestartsState): void {
    this.#elapsed = state.elapsed;
    this.#period = state.period;
  }
}
