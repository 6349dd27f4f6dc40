/** mtunet reproduce: the main job. */
import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import { presets } from '../../mtunet/config.ts';
import { UsageError } from '../failure.ts';
import { withGpu } from '../gpu-session.ts';
import { interrupted, note } from '../messages.ts';
import { whole } from '../options.ts';
import { duration } from '../progress.ts';
import { finishReproduction, freshFolder, planReproduction } from '../reproduce.ts';

export function register(program: Command): void {
  program
    .command('reproduce')
    .description("train MT-UNet under the paper's three schemes on synthetic chests and write a report")
    .option('--preset <name>', `one of ${Object.keys(presets).join(', ')}`, 'tiny')
    .option('--seeds <count>', 'trainings of each scheme', whole(1), 1)
    .option('--epochs <count>', 'at most this many epochs a training', whole(1))
    .option('--out <folder>', 'where to write', '')
    .addHelpText('after', '\nExample:\n  mtunet reproduce --seeds 5 --out runs/five-seeds')
    .action(async ({ preset, seeds, epochs, out }: { preset: string; seeds: number; epochs?: number; out: string }) => {
      const started = performance.now();
      const folder = out || freshFolder('runs/reproduce');
      if (existsSync(folder))
        throw new UsageError(`${folder} exists; choose another --out, or go on with it by: mtunet resume ${folder}`);
      planReproduction(folder, { preset, seeds, epochs });
      await withGpu(async (gpu, signal) => {
        const page = await finishReproduction(gpu, folder, signal);
        if (!page) return interrupted(folder);
        note(`done in ${duration((performance.now() - started) / 1000)}`);
        console.log(`report: ${page}`);
      });
    });
}
