/**
 * Learning-rate schedule: cut the rate when a monitored value stops improving.
 *
 *   better  <=>  v < best (1 - threshold)   relative, or   v < best - threshold   absolute     (mirrored for 'max')
 *   better: best = v, bad = 0;  otherwise bad += 1
 *   in cooldown: cooldown -= 1, bad = 0
 *   bad > patience: rate = max(rate * factor, minimumRate) if that changes it by more than epsilon; bad = 0
 *
 * So patience P cuts at the (P + 1)-th bad value. The comparison is strict, and NaN is never better. For negative values
 * the relative threshold points the wrong way (-0.99995 is "better" than -1), which is kept.
 * Source: torch.optim.lr_scheduler.ReduceLROnPlateau, versions 1.8 to 1.13. The paper's code sets epsilon to 0.
 */
export interface ReduceOnPlateauOptions {
  readonly learningRate: number;
  readonly mode?: 'min' | 'max';
  /** Below 1. */
  readonly factor?: number;
  readonly patience?: number;
  readonly threshold?: number;
  readonly thresholdMode?: 'relative' | 'absolute';
  readonly cooldown?: number;
  readonly minimumRate?: number;
  /** Cuts of this size or less are not made. */
  readonly epsilon?: number;
}

/** Survives JSON.stringify and JSON.parse: an infinite best is written as a word. */
export interface ReduceOnPlateauState {
  readonly learningRate: number;
  readonly best: number | 'Infinity' | '-Infinity';
  readonly badEpochs: number;
  readonly cooldownLeft: number;
}

export class ReduceOnPlateau {
  readonly options: Required<ReduceOnPlateauOptions>;
  #learningRate: number;
  #best: number;
  #badEpochs = 0;
  #cooldownLeft = 0;

  /** @throws RangeError when factor is not below 1 */
  constructor(options: ReduceOnPlateauOptions) {
    this.options = {
      mode: 'min',
      factor: 0.1,
      patience: 10,
      threshold: 1e-4,
      thresholdMode: 'relative',
      cooldown: 0,
      minimumRate: 0,
      epsilon: 1e-8,
      ...options,
    };
    if (!(this.options.factor < 1)) {
      throw new RangeError(
        `ReduceOnPlateau: factor is ${this.options.factor}, which does not reduce; use one below 1.`,
      );
    }
    this.#learningRate = this.options.learningRate;
    this.#best = this.options.mode === 'min' ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY;
  }

  get learningRate(): number {
    return this.#learningRate;
  }

  /** Takes the monitored value of the next epoch and answers the learning rate from now on. */
  step(value: number): number {
    const { patience, cooldown, factor, minimumRate, epsilon } = this.options;
    if (this.#isBetter(value)) {
      this.#best = value;
      this.#badEpochs = 0;
    } else {
      this.#badEpochs++;
    }
    if (this.#cooldownLeft > 0) {
      this.#cooldownLeft--;
      this.#badEpochs = 0;
    }
    if (this.#badEpochs > patience) {
      const reduced = Math.max(this.#learningRate * factor, minimumRate);
      if (this.#learningRate - reduced > epsilon) this.#learningRate = reduced;
      this.#cooldownLeft = cooldown;
      this.#badEpochs = 0;
    }
    return this.#learningRate;
  }

  get state(): ReduceOnPlateauState {
    const best = this.#best;
    return {
      learningRate: this.#learningRate,
      best: best === Number.POSITIVE_INFINITY ? 'Infinity' : best === Number.NEGATIVE_INFINITY ? '-Infinity' : best,
      badEpochs: this.#badEpochs,
      cooldownLeft: this.#cooldownLeft,
    };
  }

  /** Continues from a state; its learning rate included. */
  load(state: ReduceOnPlateauState): void {
    this.#learningRate = state.learningRate;
    this.#best = Number(state.best);
    this.#badEpochs = state.badEpochs;
    this.#cooldownLeft = state.cooldownLeft;
  }

  #isBetter(value: number): boolean {
    const { mode, threshold, thresholdMode } = this.options;
    if (mode === 'min') {
      return value < (thresholdMode === 'relative' ? this.#best * (1 - threshold) : this.#best - threshold);
    }
    return value > (thresholdMode === 'relative' ? this.#best * (1 + threshold) : this.#best + threshold);
  }
}
