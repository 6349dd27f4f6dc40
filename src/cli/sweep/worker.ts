/** One run of a sweep from its description: train or go on, evaluate, mark as done; or say why not. */
import { rmSync } from 'node:fs';
import type { Gpu } from '../../engine/index.ts';
import { sentence } from '../failure.ts';
import { loadData } from '../load-data.ts';
import { trainRun } from '../train-run.ts';
import {
  type FailureMark,
  openRun,
  type RunDescription,
  type RunMark,
  readMark,
  type Sweep,
} from './run-description.ts';

export type WorkerEnd = 'done' | 'interrupted';

/** @throws what made the run fail, after FAILED.json was written */
export async function work(
  sweep: Sweep,
  run: RunDescription,
  withGpu: <T>(job: (gpu: Gpu, signal: AbortSignal) => Promise<T>) => Promise<T>,
): Promise<WorkerEnd> {
  if (readMark(sweep, run).done) return 'done';
  const folder = openRun(sweep, run);
  try {
    rmSync(folder.file('FAILED.json'), { force: true });
    if (!folder.isFinished) {
      const dataset = loadData(run.config);
      const ended = await withGpu((gpu, signal) => trainRun(gpu, folder, dataset, signal));
      if (!ended) return 'interrupted';
    }
    const mark: RunMark = { key: run.key, finished: new Date().toISOString() };
    folder.writeJson('DONE', mark);
    return 'done';
  } catch (error) {
    const mark: FailureMark = { reason: sentence(error), failed: new Date().toISOString() };
    folder.writeJson('FAILED.json', mark);
    throw error;
  }
}
