/** The data set that a configuration names. */
import type { ChestDataset } from '../data/dataset.ts';
import { syntheticChests } from '../data/synthetic.ts';
import type { TrainConfig } from '../mtunet/config.ts';
import { UsageError } from './failure.ts';
import { prefetching } from './prefetch.ts';
import { openPrepared } from './prepared-folder.ts';

/** prefetch: batches of a prepared folder are made ahead in a thread of their own; the bits are the same. */
export function loadData(
  { data, synthetic, height, width }: TrainConfig,
  { prefetch = true }: { prefetch?: boolean } = {},
): ChestDataset {
  if (data === 'synthetic') return syntheticChests({ ...synthetic, height, width });
  const dataset = openPrepared(data);
  if (dataset.height !== height || dataset.width !== width) {
    throw new UsageError(
      `--data ${data} holds films of ${dataset.height} x ${dataset.width}, the run is set to ${height} x ${width}; choose the preset of that size, or set height and width in --config.`,
    );
  }
  return prefetch ? prefetching(data, dataset) : dataset;
}
