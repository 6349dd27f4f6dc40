/**
 * What a sweep will take in time, disk and device memory, before it starts: a few steps of every kind of run are measured here, and multiplied.
 *
 * The time is an upper bound, because a run may stop early; the disk holds two checkpoints, each with the current and the best network and
 * the optimizer's moments, the weights, and the logs.
 */
import { statfsSync } from 'node:fs';
import type { ChestDataset } from '../../data/dataset.ts';
import type { Gpu } from '../../engine/index.ts';
import { writeCheckpoint } from '../../mtunet/checkpoint.ts';
import type { TrainConfig } from '../../mtunet/config.ts';
import { Trainer } from '../../mtunet/train.ts';
import { duration } from '../progress.ts';
import type { RunDescription } from './run-description.ts';

/** The first step compiles the kernels and does not count. */
const MEASURED_STEPS = 3;
/** A forward pass is about a third of a step. */
const FORWARD_SHARE = 1 / 3;
const LOG_BYTES_PER_STEP = 420;

export interface Measured {
  readonly secondsPerStep: number;
  readonly runBytes: number;
  /** Most that the tensors of a step, the network and the optimizer hold on the device at once. */
  readonly deviceBytes: number;
  readonly steps: number;
  readonly seconds: number;
}

export interface Plan {
  readonly runs: number;
  readonly seconds: number;
  readonly bytes: number;
  readonly lines: readonly string[];
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
      bytes = writeCheckpoint(checkpoint).length;
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
    // Current and best are in each of two checkpoints; the weights are about a third of one.
    runBytes: bytes * 2 * 2 + bytes / 3 + steps * LOG_BYTES_PER_STEP,
    deviceBytes: gpu.memory().peakBytes,
  };
}

export async function planRuns(
  gpu: Gpu,
  runs: readonly RunDescription[],
  { dataOf, jobs, folder }: { dataOf: (config: TrainConfig) => ChestDataset; jobs: number; folder: string },
): Promise<Plan> {
  const kinds = new Map<string, RunDescription[]>();
  for (const run of runs) kinds.set(kindOf(run.config), [...(kinds.get(kindOf(run.config)) ?? []), run]);
  let [seconds, bytes] = [0, 0];
  const lines: string[] = [];
  for (const members of kinds.values()) {
    const measured = await measure(gpu, members[0].config, dataOf(members[0].config));
    seconds += measured.seconds * members.length;
    bytes += measured.runBytes * members.length;
    const rows = [...new Set(members.map(({ row }) => row))].join(', ');
    lines.push(
      `  ${rows}: ${members.length} x up to ${measured.steps} steps of ${(measured.secondsPerStep * 1000).toFixed(0)} ms = ${duration(measured.seconds)}, ${megabytes(measured.runBytes)} of disk and ${megabytes(measured.deviceBytes)} of device memory each`,
    );
  }
  const free = freeBytes(folder);
  const shared = jobs > 1 ? ` with ${jobs} at a time, if they do not slow each other down` : '';
  lines.unshift(
    `plan: ${runs.length} runs, at most ${duration(seconds / jobs)}${shared}, ${megabytes(bytes)} of disk${free === null ? '' : ` (${megabytes(free)} free)`}`,
  );
  if (free !== null && bytes > free)
    lines.push(
      `  the disk is too small: ${megabytes(bytes)} are needed and ${megabytes(free)} are free; choose another --out.`,
    );
  return { runs: runs.length, seconds: seconds / jobs, bytes, lines };
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
