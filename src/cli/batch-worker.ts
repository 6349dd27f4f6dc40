/** The thread of prefetch.ts: opens the prepared folder itself and makes one batch for each that is wanted. */
import { parentPort, workerData } from 'node:worker_threads';
import { type Batch, batches } from '../data/batches.ts';
import { sentence } from './failure.ts';
import type { FromWorker, ToWorker } from './prefetch.ts';
import { openPrepared } from './prepared-folder.ts';

const port = parentPort!;
let dataset: ReturnType<typeof openPrepared> | null = null;
const jobs = new Map<number, Iterator<Batch>>();

port.on('message', (message: ToWorker) => {
  const { job } = message;
  try {
    if (message.want === 'start') {
      dataset ??= openPrepared(workerData as string);
      jobs.set(job, batches(dataset[message.split], message.options));
    } else if (message.want === 'stop') jobs.delete(job);
    else send(job, jobs.get(job));
  } catch (error) {
    port.postMessage({ job, problem: sentence(error) } satisfies FromWorker);
  }
});

function send(job: number, source: Iterator<Batch> | undefined): void {
  if (!source) return;
  const { value, done } = source.next();
  if (done) jobs.delete(job);
  const batch = done ? null : value;
  const buffers = batch ? [batch.images, batch.gaze, batch.labels].map(({ buffer }) => buffer as ArrayBuffer) : [];
  port.postMessage({ job, batch } satisfies FromWorker, buffers);
}
