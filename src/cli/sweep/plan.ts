/**
 * What a sweep will take in time, disk and device memory, before it starts: a few steps of every kind of run are measured here, and multiplied.
 *
 * The time is an upper bound, because a run may stop early. A run that has ended keeps its last checkpoint (the current and the best network,
 * each with the optimizer's moments), the weights and the logs; one that goes on holds two checkpoints more, the one before and the one that
 * is being written.
 */
import { statfsSync } from 'node:fs';
import type { ChestDataset } from '../../data/dataset.ts';
import type { Gpu } from '../../engine/index.ts';
import { writeCheckpoint } from '../../mtunet/checkpoint.ts';
import type { TrainConfig } from '../../mtunet/config.ts';
import { Trainer } from '../../mtunet/train.ts';
import { duration } from '../progress.ts';
import type { RunDescription } from './run-description.ts';

/** The first step compiles the kernels, unless that was done before it, and does not count. */
const MEASURED_STEPS = 3;
/** A forward pass is about a third of a step. */
const FORWARD_SHARE = 1 / 3;
/** The latest, the one before it, and the one that is being written. */
const CHECKPOINTS_WHILE_RUNNING = 3;
const LOG_BYTES_PER_STEP = 420;

export interface Measured {
  readonly secondsPerStep: number;
  /** What a run that has ended leaves on the disk. */
  readonly runBytes: number;
  readonly checkpointBytes: number;
  /** Most that the tensors of a step, the network and the optimizer hold on the device at once. */
  readonly deviceBytes: number;
  readonly steps: number;
  readonly seconds: number;
}

export interface PlanOptions {
  readonly dataOf: (config: TrainConfig) => ChestDataset;
  readonly jobs: number;
  readonly folder: string;
  readonly tell: (line: string) => void;
}

/** Runs with equal networks, schemes, sizes and batches take equal time. */
function kindOf({ network, scheme, optimizer, batchSize, height, width }: TrainConfig): string {
  return JSON.stringify([network, scheme.name, optimizer.name, batchSize, height, width]);
}

export async function measure(gpu: Gpu, config: TrainConfig, dataset: ChestDataset): Promise<Measured> {
  const times: number[] = [];
  const controller = new AbortController();
  let bytes = 0;
  const few = { ...config, batchSize: Math.min(config.batchSize, dataset.train.length) };
  using trainer = new Trainer(gpu, { ...few, epochs: Math.max(2, config.epochs) }, dataset, {
    step() {
      times.push(performance.now());
      if (times.length > MEASURED_STEPS) controller.abort();
    },
    checkpoint(checkpoint) {
      // Current and best, in a run that has seen an epoch's end; the few steps here may not have.
      bytes = writeCheckpoint(checkpoint).length * (checkpoint.best ? 1 : 2);
    },
  });
  gpu.trim();
  gpu.pool.resetPeak();
  await trainer.run(controller.signal);
  const secondsPerStep = (times[times.length - 1] - times[0]) / 1000 / (times.length - 1);
  const steps = Math.ceil(dataset.train.length / config.batchSize) * config.epochs;
  const batchesOf = (images: number) => Math.ceil(images / config.batchSize);
  const forwards = batchesOf(dataset.valid.length) * config.epochs + batchesOf(dataset.test.length);
  return {
    secondsPerStep,
    steps,
    seconds: secondsPerStep * (steps + forwards * FORWARD_SHARE),
    // The weights are about a third of what the current state holds.
    runBytes: bytes + bytes / 2 / 3 + steps * LOG_BYTES_PER_STEP,
    checkpointBytes: bytes,
    deviceBytes: gpu.memory().peakBytes,
  };
}

/** Tells every line as soon as it is known: measuring a large network takes a while. */
export async function planRuns(
  gpu: Gpu,
  runs: readonly RunDescription[],
  { dataOf, jobs, folder, tell }: PlanOptions,
): Promise<void> {
  const kinds = new Map<string, RunDescription[]>();
  for (const run of runs) kinds.set(kindOf(run.config), [...(kinds.get(kindOf(run.config)) ?? []), run]);
  let [seconds, bytes, largest] = [0, 0, 0];
  tell(`plan: ${MEASURED_STEPS} steps of each of ${kinds.size} kinds of run are measured first`);
  for (const members of kinds.values()) {
    const measured = await measure(gpu, members[0].config, dataOf(members[0].config));
    seconds += measured.seconds * members.length;
    bytes += measured.runBytes * members.length;
    largest = Math.max(largest, measured.checkpointBytes);
    const rows = [...new Set(members.map(({ row }) => row))].join(', ');
    tell(
      `  ${rows}: ${members.length} x up to ${measured.steps} steps of ${(measured.secondsPerStep * 1000).toFixed(0)} ms = ${duration(measured.seconds)}, ${megabytes(measured.runBytes)} of disk and ${megabytes(measured.deviceBytes)} of device memory each`,
    );
  }
  bytes += Math.min(jobs, runs.length) * (CHECKPOINTS_WHILE_RUNNING - 1) * largest;
  const free = freeBytes(folder);
  const shared = jobs > 1 ? ` with ${jobs} at a time, if they do not slow each other down` : '';
  tell(
    `plan: ${runs.length} runs, at most ${duration(seconds / jobs)}${shared}, ${megabytes(bytes)} of disk${free === null ? '' : ` (${megabytes(free)} free)`}`,
  );
  if (free !== null && bytes > free)
    tell(
      `  the disk is too small: ${megabytes(bytes)} are needed and ${megabytes(free)} are free; choose another --out.`,
    );
}

function freeBytes(folder: string): number | null {
  try {
    const { bavail, bsize } = statfsSync(folder);
    return bavail * bsize;
  } catch {
    return null;
  }
}

function megabytes(bytes: number): string {
  return bytes < 2e9 ? `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB` : `${(bytes / 1e9).toFixed(1)} GB`;
}
