/**
 * manifest.json: the SHA-256 of every result file of a run, and where they are from. `mtunet verify` checks it, and so does sha256sum.
 */

import { createHash } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { z } from 'zod';
import type { Origin, Provenance } from '../mtunet/records.ts';
import { Failure } from './failure.ts';
import { sha256 } from './pieces.ts';
import type { RunFolder } from './run-folder.ts';
import { originSchema } from './run-schemas.ts';

/** In the order in which a run writes them; evaluation.json comes after the manifest, and marks the run as finished. */
const RESULTS = [
  'config.json',
  'init.json',
  'init.safetensors',
  'kernels.json',
  'steps.jsonl',
  'epochs.jsonl',
  'weights.safetensors',
  'predictions.safetensors',
  'examples.safetensors',
  'images.jsonl',
  'provenance.json',
] as const;

const hash = z.string().regex(/^[0-9a-f]{64}$/);

const manifestSchema = z.strictObject({
  origin: originSchema.extend({ config: hash }),
  // Names without folders: nothing outside the run is ever looked at.
  files: z.record(z.string().regex(/^[\w-]+\.\w+$/), hash),
});

export type Manifest = z.infer<typeof manifestSchema>;

/** What every result file of the run carries. */
export function originOf({ config = '', package: program, commit, data, adapter, seed }: Provenance): Origin {
  return { config, package: program, commit, data: data.hash, adapter: adapter.name, driver: adapter.driver, seed };
}

/** The hashes of what the folder holds, and of `evaluation`, the text that evaluation.json is going to have. */
export async function makeManifest(folder: RunFolder, origin: Origin, evaluation: string): Promise<Manifest> {
  const files: Record<string, string> = {};
  for (const name of RESULTS) if (existsSync(folder.file(name))) files[name] = await hashOfFile(folder.file(name));
  return { origin, files: { ...files, 'evaluation.json': sha256(evaluation) } };
}

export function readManifest(folder: RunFolder): Manifest {
  const path = folder.file('manifest.json');
  if (!existsSync(path))
    throw new Failure(
      `${path} is missing: the run has not ended, or a version of the program made it that kept no hashes; train it again with: mtunet reproduce ${folder.path}`,
    );
  const parsed = manifestSchema.safeParse(folder.readJson('manifest.json'));
  if (parsed.success) return parsed.data;
  const [{ path: place, message }] = parsed.error.issues;
  throw new Failure(`${path} is damaged (${place.join('.')}: ${message}); restore it from a copy.`);
}

export async function hashOfFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}
