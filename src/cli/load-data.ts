/** The data set that a configuration names. */
import type { ChestDataset } from '../data/dataset.ts';
import { syntheticChests } from '../data/synthetic.ts';
import type { TrainConfig } from '../mtunet/config.ts';
import { UsageError } from './failure.ts';

export function loadData({ data, synthetic, height, width }: TrainConfig): ChestDataset {
  if (data !== 'synthetic') {
    throw new UsageError(
      `--data ${data}: the data set that this version reads is "synthetic"; leave --data out or give that name.`,
    );
  }
  return syntheticChests({ ...synthetic, height, width });
}
