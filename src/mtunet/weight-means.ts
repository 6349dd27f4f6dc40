/** Means over an epoch's steps of the weights with which the tasks' losses entered, kept through an interruption. */
import { perTask, TASKS, type Task, type TaskValues } from './schemes/scheme.ts';

type Sums = { readonly [Name in Task]: { readonly sum: number; readonly count: number } };

export class WeightMeans {
  private sums: Sums = perTask(() => ({ sum: 0, count: 0 }));

  add(weights: TaskValues): void {
    for (const task of TASKS) {
      const weight = weights[task];
      const { sum, count } = this.sums[task];
      if (weight !== null) this.sums = { ...this.sums, [task]: { sum: sum + weight, count: count + 1 } };
    }
  }

  /** Null for a task without weights. */
  mean(): TaskValues {
    return perTask((task) => (this.sums[task].count > 0 ? this.sums[task].sum / this.sums[task].count : null));
  }

  save(): Sums {
    return this.sums;
  }

  static load(sums: Sums | undefined): WeightMeans {
    return Object.assign(new WeightMeans(), sums && { sums });
  }
}

/** w_c / w_s, on which alone the shared parameters' direction depends; null without both, or where w_s is 0. */
export function weightRatio({ saliency, diagnosis }: TaskValues): number | null {
  return saliency === null || diagnosis === null || saliency === 0 ? null : diagnosis / saliency;
}

/** The factor on each raw loss, their ratio, and the rate that each task feels. */
export function weightFields(weights: TaskValues, learningRate: number) {
  const rate = (weight: number | null) => (weight === null ? null : learningRate * weight);
  return {
    effectiveSaliencyRate: rate(weights.saliency),
    effectiveClassRate: rate(weights.diagnosis),
    saliencyWeight: weights.saliency,
    classWeight: weights.diagnosis,
    weightRatio: weightRatio(weights),
  };
}
