/**
 * The released training loop's decisions: when to keep the network, when to go back to the best one, when to stop.
 *
 *   after each epoch, with its validation loss v:
 *     cut the rate if v has been on a plateau (ReduceOnPlateau, relative threshold 1e-4, epsilon 0)
 *     best    first epoch, or v < lowest so far (strict, no threshold)
 *     reset   the rate was cut: network, optimizer moments and step count, and this schedule go back to the best epoch,
 *             and only the reduced rate is kept
 *     stop    rate < minimumRate, or no best for earlyStop epochs, or the last epoch
 *
 * Act in this order: best (save), reset (load what was saved), stop. At the end load the best network.
 * The loss is the scheme's objective, so it includes the sigmas. Two tests of "better" differ on purpose: a network can
 * be saved while the plateau counter runs, and after a reset to it the next cut comes early.
 * The first epoch is saved, but the early-stop clock counts from 0, not from 1, until a better one is found.
 * One departure: a NaN in the first epoch would, in the released code, keep every later epoch from being the best one;
 * here any number is lower than NaN.
 * Source: Module/hzhu_learn.py of hz-zhu/MT-UNet; the paper mentions only resetting the parameters.
 */
import { ReduceOnPlateau, type ReduceOnPlateauState } from '../engine/optimizers/reduce-on-plateau.ts';

export interface PlateauResetOptions {
  readonly learningRate?: number;
  /** Epochs without improvement before the rate is cut; cut at the next one. */
  readonly patience?: number;
  readonly factor?: number;
  /** The run stops when the rate falls below it. */
  readonly minimumRate?: number;
  /** The run stops after this many epochs without a best one; 2 patience + 3 by default. */
  readonly earlyStop?: number;
  readonly epochs?: number;
}

export type StopReason = 'minimum-rate' | 'early-stop' | 'epochs';

export interface PlateauDecision {
  /** Save network, optimizer and this epoch. */
  readonly best: boolean;
  /** After saving: load what was saved last. */
  readonly reset: boolean;
  /** For the next epoch; overrides the one that was loaded. */
  readonly learningRate: number;
  readonly stop: StopReason | null;
}

/** Plain data for JSON. */
export interface PlateauResetState {
  readonly epoch: number;
  /** 0 until an epoch after the first is the best. */
  readonly bestEpoch: number;
  readonly lowest: ReduceOnPlateauState['best'];
  readonly plateau: ReduceOnPlateauState;
  /** The schedule as it was saved with the best network. */
  readonly saved: ReduceOnPlateauState | null;
}

/** Numbers of the released code: rate 1e-4, patience 40, factor 0.1, stop below 1e-8, at most 1024 epochs. */
export class PlateauReset {
  readonly options: Required<PlateauResetOptions>;
  readonly #plateau: ReduceOnPlateau;
  #epoch = 0;
  #bestEpoch = 0;
  #lowest = Number.POSITIVE_INFINITY;
  #saved: ReduceOnPlateauState | null = null;

  constructor(options: PlateauResetOptions = {}) {
    const patience = options.patience ?? 40;
    this.options = {
      learningRate: 1e-4,
      factor: 0.1,
      minimumRate: 1e-8,
      earlyStop: 2 * patience + 3,
      epochs: 1024,
      ...options,
      patience,
    };
    const { learningRate, factor } = this.options;
    this.#plateau = new ReduceOnPlateau({ learningRate, factor, patience, epsilon: 0 });
  }

  get learningRate(): number {
    return this.#plateau.learningRate;
  }

  /**
   * @param epoch counts from 1, without gaps
   * @param validationLoss nats, of the whole objective
   * @throws RangeError when an epoch is left out or told twice
   */
  next(epoch: number, validationLoss: number): PlateauDecision {
    if (epoch !== this.#epoch + 1) {
      throw new RangeError(`PlateauReset: expected epoch ${this.#epoch + 1}, got ${epoch}.`);
    }
    this.#epoch = epoch;
    const before = this.#plateau.learningRate;
    const learningRate = this.#plateau.step(validationLoss);
    const best = epoch === 1 || validationLoss < this.#lowest;
    if (best) {
      this.#lowest = Number.isNaN(validationLoss) ? Number.POSITIVE_INFINITY : validationLoss;
      if (epoch > 1) this.#bestEpoch = epoch;
      this.#saved = this.#plateau.state;
    }
    // The first rate that is told is the one after epoch 1, so a cut there (patience 0) is not seen as one.
    const reset = epoch > 1 && learningRate < before;
    if (reset && this.#saved) this.#plateau.load({ ...this.#saved, learningRate });
    return { best, reset, learningRate, stop: this.#stopReason() };
  }

  get state(): PlateauResetState {
    return {
      epoch: this.#epoch,
      bestEpoch: this.#bestEpoch,
      lowest: this.#lowest === Number.POSITIVE_INFINITY ? 'Infinity' : this.#lowest,
      plateau: this.#plateau.state,
      saved: this.#saved,
    };
  }

  load(state: PlateauResetState): void {
    this.#epoch = state.epoch;
    this.#bestEpoch = state.bestEpoch;
    this.#lowest = Number(state.lowest);
    this.#plateau.load(state.plateau);
    this.#saved = state.saved;
  }

  #stopReason(): StopReason | null {
    if (this.#plateau.learningRate < this.options.minimumRate) return 'minimum-rate';
    if (this.#epoch - this.#bestEpoch >= this.options.earlyStop) return 'early-stop';
    return this.#epoch >= this.options.epochs ? 'epochs' : null;
  }
}
