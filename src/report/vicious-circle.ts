/**
 * Where in a training the paper's vicious circle of overfitting starts, by a rule on raw losses (Section 3.2, Figure 2).
 *
 * Between two resets to the best epoch, with v and t the raw validation and training loss of a task (means of three epochs) and w its weight:
 *
 *   overfitting starts at e, the epoch of the smallest v, if for some later epoch f   v(f) >= 1.2 v(e)   and   t(f) <= 0.9 t(e)
 *   it is a vicious circle if besides the weight, and with it the effective rate r w, has grown:   w(f) >= 1.05 w(e)
 *
 * A weight that is fixed cannot grow, so that a scheme without the task's sigma can overfit but not go round in a circle.
 */
import type { EpochRecord } from '../mtunet/records.ts';
import { isNumber, type Value } from './numbers.ts';

export const RULE = { validationRises: 1.2, trainingFalls: 0.9, weightGrows: 1.05, smoothing: 3 } as const;

export type Task = 'saliency' | 'class';

export interface Onset {
  readonly task: Task;
  /** Epoch of the smallest validation loss, where overfitting starts. */
  readonly epoch: number;
  /** First epoch at which the rule holds. */
  readonly evident: number;
  readonly circle: boolean;
}

const lossOf = (epoch: EpochRecord, split: 'train' | 'valid', task: Task): Value =>
  epoch[split][task === 'saliency' ? 'saliencyLoss' : 'classLoss'];

/** Of the epoch's mean weight; older runs kept only the sigma. */
function weightOf(epoch: EpochRecord, task: Task): number {
  const [weight, sigma] =
    task === 'saliency' ? [epoch.saliencyWeight, epoch.saliencySigma] : [epoch.classWeight, epoch.classSigma];
  return isNumber(weight) ? weight : isNumber(sigma) ? 1 / sigma ** 2 : 1;
}

/** Means over the epoch and its neighbours. */
function smoothed(values: readonly number[]): number[] {
  const reach = (RULE.smoothing - 1) / 2;
  return values.map((_, i) => {
    const near = values.slice(Math.max(0, i - reach), i + reach + 1);
    return near.reduce((total, value) => total + value, 0) / near.length;
  });
}

/** A reset to the best epoch begins a new stretch. */
function stretches(epochs: readonly EpochRecord[]): EpochRecord[][] {
  const parts: EpochRecord[][] = [[]];
  for (const epoch of epochs) {
    parts[parts.length - 1].push(epoch);
    if (epoch.reset) parts.push([]);
  }
  return parts.filter((part) => part.length > 0);
}

/** The first onset of overfitting in a training; null without one. */
export function onset(epochs: readonly EpochRecord[], task: Task): Onset | null {
  for (const stretch of stretches(epochs)) {
    const raw = (split: 'train' | 'valid') => stretch.map((epoch) => lossOf(epoch, split, task));
    const [train, valid] = [raw('train'), raw('valid')];
    if (!train.every(isNumber) || !valid.every(isNumber)) return null;
    const [t, v] = [smoothed(train), smoothed(valid)];
    const w = smoothed(stretch.map((epoch) => weightOf(epoch, task)));
    const e = v.indexOf(Math.min(...v));
    const holds = (f: number) => f > e && v[f] >= RULE.validationRises * v[e] && t[f] <= RULE.trainingFalls * t[e];
    const evident = v.findIndex((_, f) => holds(f));
    if (evident < 0) continue;
    const circle = v.findIndex((_, f) => holds(f) && w[f] >= RULE.weightGrows * w[e]);
    const f = circle < 0 ? evident : circle;
    return { task, epoch: stretch[e].epoch, evident: stretch[f].epoch, circle: circle >= 0 };
  }
  return null;
}

export const TASKS = ['saliency', 'class'] as const satisfies readonly Task[];

export const onsets = (epochs: readonly EpochRecord[]): Onset[] => TASKS.flatMap((task) => onset(epochs, task) ?? []);
