/** Whether a finished run is what it says: every hash, every fact of origin, and every metric computed again from the stored predictions. */
import { existsSync } from 'node:fs';
import { evaluationOf } from '../mtunet/evaluate.ts';
import type { Origin } from '../mtunet/records.ts';
import { sentence } from './failure.ts';
import { firstDifference } from './first-difference.ts';
import { loadData } from './load-data.ts';
import { hashOfFile, type Manifest, originOf, readManifest } from './manifest.ts';
import { readBytes } from './pieces.ts';
import { CHECKPOINTS, type RunFolder } from './run-folder.ts';
import { checkSeal } from './seal.ts';

export interface Check {
  readonly what: string;
  /** A clause or a sentence; null when all is well. */
  readonly problem: string | null;
}

/** Needs no device. */
export async function verifyRun(folder: RunFolder): Promise<Check[]> {
  const manifest = readManifest(folder);
  const { origin, files } = manifest;
  const checks: Check[] = [];
  const check = async (what: string, find: () => string | null | Promise<string | null>) => {
    try {
      checks.push({ what, problem: await find() });
    } catch (error) {
      checks.push({ what, problem: sentence(error) });
    }
  };
  for (const [name, wanted] of Object.entries(files))
    await check(name, async () => {
      if (!existsSync(folder.file(name))) return 'it is missing';
      const found = await hashOfFile(folder.file(name));
      return found === wanted ? null : `its SHA-256 is ${found}, it was written with ${wanted}`;
    });
  for (const name of CHECKPOINTS.filter((name) => existsSync(folder.file(name))))
    await check(name, () => {
      checkSeal(readBytes(folder.file(name)));
      return null;
    });
  await check('origin', () => originProblem(folder, manifest));
  await check('step log', () => logProblem(folder));
  await check('metrics', () => metricsProblem(folder, origin));
  return checks;
}

function originProblem(folder: RunFolder, { origin, files }: Manifest): string | null {
  if (files['config.json'] !== origin.config) return 'the hash of config.json is not that of the configuration';
  const carried: Record<string, unknown> = {
    'provenance.json': originOf(folder.provenance),
    'evaluation.json': folder.evaluation.origin,
    'weights.safetensors': folder.metadata('weights.safetensors').origin,
    'predictions.safetensors': folder.metadata('predictions.safetensors').origin,
    'examples.safetensors': folder.metadata('examples.safetensors').origin,
  };
  for (const [name, found] of Object.entries(carried)) {
    const difference = firstDifference(origin, found);
    if (difference) return `${name} is of another origin: ${difference}`;
  }
  return folder.config.seed === origin.seed
    ? null
    : `config.json has seed ${folder.config.seed}, the manifest ${origin.seed}`;
}

function logProblem(folder: RunFolder): string | null {
  const at = folder.steps.findIndex(({ step }, i) => step !== i + 1);
  if (at >= 0) return `line ${at + 1} of steps.jsonl is of step ${folder.steps[at].step}`;
  const epoch = folder.epochs.findIndex((record, i) => record.epoch !== i + 1);
  return epoch < 0 ? null : `line ${epoch + 1} of epochs.jsonl is of epoch ${folder.epochs[epoch].epoch}`;
}

function metricsProblem(folder: RunFolder, { data }: Origin): string | null {
  const dataset = loadData(folder.config);
  if (dataset.hash !== data) return `the data are ${dataset.hash}, the run was trained on ${data}`;
  const { origin: _, ...stored } = folder.evaluation;
  const { split, epoch, examples } = stored;
  const { record, images } = evaluationOf(dataset, folder.predictions, { split, epoch, examples: examples.length });
  return (
    firstDifference(stored, record, 'evaluation.json') ?? firstDifference(folder.images, [...images], 'images.jsonl')
  );
}
