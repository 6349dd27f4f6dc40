/**
 * How far a run's sigmas are from where they would rest, s*(L) at each epoch's mean training loss.
 *
 * Appendix A argues as if sigma were at rest all the time. Under Adam with rate r it moves by at most about r a step (in ln sigma, or in sigma),
 * so a sigma that has a long way to go lags behind for many epochs.
 */
import type { TrainConfig } from './config.ts';
import {
  equilibriumSigma,
  kendallClassificationEquilibrium,
  kendallRegressionEquilibrium,
  liebelEquilibrium,
  releasedEquilibrium,
} from './equilibrium.ts';
import type { EpochRecord } from './records.ts';
import { type PerTask, perTask, TASKS, type Task } from './schemes/scheme.ts';

export interface LagRow {
  readonly epoch: number;
  readonly task: Task;
  /** Mean raw training loss, nats. */
  readonly loss: number;
  /** At the end of the epoch. */
  readonly sigma: number;
  /** Where sigma would rest. */
  readonly equilibrium: number;
  /** ln(sigma / equilibrium): 0 at rest, above 0 where the task's weight is smaller than the appendix has it. */
  readonly lag: number;
  /** (equilibrium / sigma)^2: the effective rate as a share of the one at rest. */
  readonly rateShare: number;
  /** ln(sigma now / sigma an epoch ago); sigma begins at 1. */
  readonly moved: number;
}

type Resting = (loss: number) => number;

/** The resting sigma of each task that has a learnt one. */
export function restingSigmas({ scheme }: Pick<TrainConfig, 'scheme'>): PerTask<Resting | null> {
  const regression: Resting = (loss) => kendallRegressionEquilibrium(loss).sigma;
  const classification: Resting = (loss) => kendallClassificationEquilibrium(loss).sigma;
  const liebel: Resting = (loss) => liebelEquilibrium(loss).sigma;
  const saliency: Resting = scheme.halfSaliency ? (loss) => releasedEquilibrium(loss).sigma : equilibriumSigma;
  switch (scheme.name) {
    case 'mtls1':
      return { saliency, diagnosis: equilibriumSigma };
    case 'mtls2':
      return { saliency, diagnosis: null };
    case 'mtls3':
      return { saliency: null, diagnosis: equilibriumSigma };
    case 'kendall':
      return { saliency: regression, diagnosis: classification };
    case 'kendall-regression':
      return perTask(() => regression);
    case 'kendall-classification':
      return perTask(() => classification);
    case 'liebel':
      return perTask(() => liebel);
    case 'imtl-l':
      return perTask(() => Math.sqrt); // weight e^s = 1 / sigma^2 rests at 1 / L
    default:
      return { saliency: null, diagnosis: null };
  }
}

/** One row an epoch and task with a learnt sigma; none for a scheme without. */
export function equilibriumLag(config: Pick<TrainConfig, 'scheme'>, epochs: readonly EpochRecord[]): LagRow[] {
  const resting = restingSigmas(config);
  return TASKS.flatMap((task) => {
    const rest = resting[task];
    if (!rest) return [];
    let before = 1;
    return epochs.flatMap(({ epoch, train, saliencySigma, classSigma }) => {
      const loss = task === 'saliency' ? train.saliencyLoss : train.classLoss;
      const sigma = task === 'saliency' ? saliencySigma : classSigma;
      if (loss === null || sigma === null) return [];
      const equilibrium = rest(loss);
      const moved = Math.log(sigma / before);
      before = sigma;
      const lag = Math.log(sigma / equilibrium);
      return [{ epoch, task, loss, sigma, equilibrium, lag, rateShare: (equilibrium / sigma) ** 2, moved }];
    });
  });
}
