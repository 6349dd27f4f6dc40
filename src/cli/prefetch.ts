/** Batches of a prepared folder, made ahead in a thread of their own while the device works on the one before. */
import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Batch, BatchOptions } from '../data/batches.ts';
import type { ChestDataset } from '../data/dataset.ts';
import { Failure } from './failure.ts';

/** Batches that may lie ready: of preset paper one takes 13 MB. */
const AHEAD = 3;

export type ToWorker =
  | {
      readonly want: 'start';
      readonly job: number;
      readonly split: 'train' | 'valid' | 'test';
      readonly options: BatchOptions;
    }
  | { readonly want: 'batch'; readonly job: number }
  | { readonly want: 'stop'; readonly job: number };

/** batch null: that was the last one. */
export type FromWorker =
  | { readonly job: number; readonly batch: Batch | null }
  | { readonly job: number; readonly problem: string };

/** The data set with `load`; the thread starts with the first batch and does not keep the process alive. */
export function prefetching(folder: string, dataset: ChestDataset): ChestDataset {
  let thread: Worker | null = null;
  let jobs = 0;
  const open = () => {
    if (!thread) {
      thread = new Worker(new URL(`./batch-worker${extname(import.meta.url)}`, import.meta.url), {
        workerData: folder,
      });
      // One that ended answers no more; the next pass starts another.
      thread.once('exit', () => {
        thread = null;
      });
    }
    thread.unref();
    return thread;
  };
  return { ...dataset, load: (split, options) => batchesOf(open(), jobs++, split, options) };
}

async function* batchesOf(
  thread: Worker,
  job: number,
  split: 'train' | 'valid' | 'test',
  options: BatchOptions,
): AsyncGenerator<Batch, void, undefined> {
  const ready: FromWorker[] = [];
  let failed: Error | null = null;
  let wake = () => {};
  const take = (message: FromWorker) => {
    if (message.job !== job) return;
    ready.push(message);
    wake();
  };
  const fail = (error: unknown) => {
    failed =
      error instanceof Error ? error : new Failure(`The thread that reads data ended (${error}); resume the run.`);
    wake();
  };
  const ask = (message: ToWorker) => thread.postMessage(message);
  thread.on('message', take).on('error', fail).on('exit', fail);
  thread.ref(); // what is waited for must come, even if nothing else is left to do
  try {
    ask({ want: 'start', job, split, options });
    for (let i = 0; i < AHEAD; i++) ask({ want: 'batch', job });
    for (;;) {
      while (ready.length === 0 && !failed)
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      const next = ready.shift();
      if (!next) throw failed;
      if ('problem' in next) throw new Failure(next.problem);
      if (next.batch === null) return;
      ask({ want: 'batch', job });
      yield next.batch;
    }
  } finally {
    ask({ want: 'stop', job });
    thread.off('message', take).off('error', fail).off('exit', fail);
    thread.unref();
  }
}
