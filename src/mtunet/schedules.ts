/** The schedules that a configuration asks for. */
import { CosineWarmRestarts } from '../engine/index.ts';
import type { TrainConfig } from './config.ts';
import { PlateauReset } from './plateau-reset.ts';

/** What decides about the best epoch, the end, and under a plateau the rate; and what sets the rate under cosine warm restarts, else null. */
export function makeSchedules({
  schedule,
  epochs,
  optimizer: { learningRate },
}: TrainConfig): [PlateauReset, CosineWarmRestarts | null] {
  const { name, patience, factor, period, stretch, minimumRate } = schedule;
  const plateau = new PlateauReset({
    learningRate,
    // Other schedules never cut; they share the decisions about the best epoch and the end.
    patience: name === 'plateau' ? patience : Number.MAX_SAFE_INTEGER,
    factor,
    minimumRate: name === 'plateau' ? minimumRate : 0,
    earlyStop: schedule.earlyStop ?? 2 * patience + 3,
    epochs,
  });
  const cosine = name === 'cosine' ? new CosineWarmRestarts({ learningRate, period, stretch, minimumRate }) : null;
  return [plateau, cosine];
}
