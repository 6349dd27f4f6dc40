/**
 * Schemes that set the weights on the host before each step: sum_t w_t L_t is descended, and L_s + L_c is monitored, because an objective
 * whose weights move by themselves cannot be compared from epoch to epoch.
 */
import { deriveKey, multiply, type Scalar, upload } from '../../engine/index.ts';
import { normalAt } from '../../engine/normal.ts';
import {
  ObjectiveScheme,
  type PerTask,
  presentTasks,
  type SchemeMemory,
  type StepContext,
  type StepOutcome,
  sumOf,
  TASKS,
  type TaskLosses,
  type TaskValues,
} from './scheme.ts';

export abstract class WeightedScheme extends ObjectiveScheme {
  protected abstract weightsAt(step: number): PerTask<number>;

  protected override descended(losses: TaskLosses, _monitored: Scalar): Scalar {
    return weightedSum(losses, () => this.weightsAt(this.stepNumber));
  }

  protected weights(_sigmas: TaskValues, step: number): TaskValues {
    return this.weightsAt(step);
  }
}

/** Inside a step: sum_t w_t L_t, with the weights as they are when the step is done. */
export function weightedSum(losses: TaskLosses, weights: () => PerTask<number>): Scalar {
  return sumOf(
    presentTasks(losses).map(({ task, loss }) =>
      multiply(
        loss,
        upload(loss.gpu, '', [], () => [weights()[task]], 'weight'),
      ),
    ),
  );
}

/** Weights that never change; the weighted sum is also what is monitored. */
export class FixedScheme extends WeightedScheme {
  private readonly fixed: PerTask<number>;

  constructor(fixed: PerTask<number>) {
    super();
    this.fixed = fixed;
  }

  override call(losses: TaskLosses): Scalar {
    return weightedSum(losses, () => this.fixed);
  }

  protected override descended(_losses: TaskLosses, monitored: Scalar): Scalar {
    return monitored;
  }

  protected weightsAt(): PerTask<number> {
    return this.fixed;
  }
}

/** Random loss weighting (Lin et al. 2022): w = softmax(z), z standard normal, new for every step; the weights sum to 1. */
export class RandomWeightScheme extends WeightedScheme {
  private readonly seed: number;

  constructor(seed: number) {
    super();
    this.seed = seed;
  }

  protected weightsAt(step: number): PerTask<number> {
    const key = deriveKey(this.seed, 'random loss weights');
    const [saliency, diagnosis] = softmax(TASKS.map((_, t) => normalAt(key, step * TASKS.length + t)));
    return { saliency, diagnosis };
  }
}

/**
 * Dynamic weight average (Liu, Johns & Davison 2019), over T tasks with mean training losses L_t of the last two epochs:
 *
 *     w_t = T softmax_t((L_t(e-1) / L_t(e-2)) / temperature),   1 in the first two epochs
 */
export class DynamicWeightAverage extends WeightedScheme {
  private readonly temperature: number;
  /** Means of the last two epochs, older first. */
  private means: TaskValues[] = [];

  constructor(temperature: number) {
    super();
    this.temperature = temperature;
  }

  protected weightsAt(): PerTask<number> {
    const [older, newer] = this.means;
    if (!newer) return { saliency: 1, diagnosis: 1 };
    const present = TASKS.filter((task) => newer[task] !== null);
    const weights = dynamicWeights(
      present.map((task) => newer[task]!),
      present.map((task) => older[task]!),
      this.temperature,
    );
    return { saliency: 1, diagnosis: 1, ...Object.fromEntries(present.map((task, i) => [task, weights[i]])) };
  }

  override endEpoch(means: TaskValues): void {
    this.means = [...this.means, means].slice(-2);
  }

  override get memory(): SchemeMemory {
    return { means: this.means };
  }

  override restore(memory: SchemeMemory): void {
    this.means = [...((memory?.means as TaskValues[]) ?? [])];
  }
}

export function dynamicWeights(last: readonly number[], before: readonly number[], temperature: number): number[] {
  const ratios = last.map((loss, t) => loss / before[t] / temperature);
  return softmax(ratios).map((share) => share * last.length);
}

/**
 * Dynamic task prioritization (Guo et al. 2018), which turns to the hard tasks, the opposite of uncertainty weighting:
 *
 *     w_t = FL(k_t; g) = -(1 - k_t)^g ln k_t,   k <- a k_now + (1 - a) k
 *
 * The indicator k in (0, 1] is exp(-L): of the diagnosis the geometric mean of the probability given to the truth, of the saliency the same
 * for the gaze relative to a perfect map. So both tasks have one kind of indicator. The weights of a step come from the steps before it; the first has
 * weights 1. Kept above 1e-6, since at 0 the weight is infinite.
 */
export class DynamicTaskPrioritization extends WeightedScheme {
  private readonly focus: number;
  private readonly smoothing: number;
  private indicators: TaskValues = { saliency: null, diagnosis: null };

  constructor({ focus, smoothing }: { focus: number; smoothing: number }) {
    super();
    this.focus = focus;
    this.smoothing = smoothing;
  }

  protected weightsAt(): PerTask<number> {
    const weight = (k: number | null) => (k === null ? 1 : focalWeight(k, this.focus));
    return { saliency: weight(this.indicators.saliency), diagnosis: weight(this.indicators.diagnosis) };
  }

  override async step(context: StepContext): Promise<StepOutcome> {
    const outcome = await super.step(context);
    if (Number.isFinite(outcome.loss)) {
      const { saliency, diagnosis } = outcome.losses;
      this.indicators = {
        saliency: this.moved(this.indicators.saliency, saliency),
        diagnosis: this.moved(this.indicators.diagnosis, diagnosis),
      };
    }
    return outcome;
  }

  override get memory(): SchemeMemory {
    return { indicators: this.indicators };
  }

  override restore(memory: SchemeMemory): void {
    this.indicators = (memory?.indicators as TaskValues) ?? { saliency: null, diagnosis: null };
  }

  private moved(before: number | null, loss: number | null): number | null {
    if (loss === null) return null;
    const now = Math.min(1, Math.max(1e-6, Math.exp(-loss)));
    return before === null ? now : this.smoothing * now + (1 - this.smoothing) * before;
  }
}

/** -(1 - k)^g ln k of an indicator k in (0, 1]: 0 where the task is solved. */
export function focalWeight(indicator: number, focus: number): number {
  return indicator === 1 ? 0 : -((1 - indicator) ** focus) * Math.log(indicator);
}

function softmax(logits: readonly number[]): number[] {
  const largest = Math.max(...logits);
  const powers = logits.map((z) => Math.exp(z - largest));
  const total = powers.reduce((sum, power) => sum + power);
  return powers.map((power) => power / total);
}
