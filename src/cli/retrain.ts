/** A run trained again from its own configuration, and held to its records step by step. */
import { cpSync, existsSync } from 'node:fs';
import type { ChestDataset } from '../data/dataset.ts';
import type { Gpu } from '../engine/index.ts';
import type { Provenance } from '../mtunet/records.ts';
import { Failure } from './failure.ts';
import { firstDifference } from './first-difference.ts';
import { originOf } from './manifest.ts';
import { sha256 } from './pieces.ts';
import { provenanceOf } from './provenance.ts';
import { RunFolder } from './run-folder.ts';
import { trainRun } from './train-run.ts';

export interface Retrained {
  /** What was looked at, with its first difference or null; the first entry is the steps. */
  readonly difference: string | null;
  readonly steps: number;
  /** What is not the same as at the first training, such as the driver. */
  readonly changed: string | null;
}

/** A folder for the second training; the values that the run began with and the choice of its kernels go along. */
export function planRetraining(original: RunFolder, out: string): RunFolder {
  if (original.steps.length === 0)
    throw new Failure(`${original.path} has no steps to compare with; train it with: mtunet resume ${original.path}`);
  const again = RunFolder.create(out, original.config);
  for (const name of ['init.json', 'init.safetensors', 'kernels.json'])
    if (existsSync(original.file(name))) cpSync(original.file(name), again.file(name));
  return again;
}

/** Trains until the end or the first step that differs; null when `signal` interrupted it. */
export async function retrain(
  gpu: Gpu,
  original: RunFolder,
  again: RunFolder,
  dataset: ChestDataset,
  signal: AbortSignal,
): Promise<Retrained | null> {
  const steps = original.steps;
  const now = provenanceOf(gpu, dataset, original.config.seed, new Date(), 0, again.configHash);
  const changed = original.isFinished ? changes(original.provenance, now) : null;
  const differs = new AbortController();
  let difference: string | null = null;
  const ended = await trainRun(gpu, again, dataset, AbortSignal.any([signal, differs.signal]), (record) => {
    const before = steps[record.step - 1];
    // A run that was stopped has no more to hold this one to.
    if (before) difference ??= firstDifference(before, record, `step ${record.step}:`);
    if (difference || (!original.isFinished && record.step >= steps.length)) differs.abort();
  });
  const compared = Math.min(steps.length, again.steps.length);
  if (difference) return { difference, steps: compared, changed };
  if (!ended && !differs.signal.aborted) return null;
  if (ended && original.isFinished) difference = afterSteps(original, again);
  return { difference, steps: compared, changed };
}

function afterSteps(original: RunFolder, again: RunFolder): string | null {
  const untimed = ({ epochs }: RunFolder) => epochs.map(({ seconds: _, ...rest }) => rest);
  const counts = [original, again].map((folder) => folder.steps.length);
  if (counts[0] !== counts[1]) return `the run has ${counts[0]} steps there and ${counts[1]} here`;
  const { origin: _, ...evaluation } = original.evaluation;
  const { origin: __, ...evaluationAgain } = again.evaluation;
  return (
    firstDifference(untimed(original), untimed(again), 'epochs.jsonl') ??
    firstDifference(weightsOf(original), weightsOf(again), 'the SHA-256 of the weight') ??
    firstDifference(evaluation, evaluationAgain, 'evaluation.json')
  );
}

/** Every tensor on its own: the file carries facts of origin that may differ. */
function weightsOf(folder: RunFolder): Record<string, unknown> {
  const { tensors, counters } = folder.loadWeights();
  return Object.fromEntries([
    ...[...tensors].map(([name, { values }]) => [
      name,
      sha256(new Uint8Array(values.buffer, values.byteOffset, values.byteLength)),
    ]),
    ...counters,
  ]);
}

function changes(before: Provenance, now: Provenance): string | null {
  const told = { ...originOf(before), runtime: before.runtime, platform: before.platform };
  return firstDifference(told, { ...originOf(now), runtime: now.runtime, platform: now.platform });
}
