/**
 * One run of a sweep is a pure function of its configuration and its seed; this file gives it a name and a key.
 *
 *     key = the first 16 hex digits of SHA-256 over the configuration without its seed, names sorted, + "-" + seed
 *
 * <sweep>/sweep.json lists all runs in order, so that an index is enough for a worker on another machine to know its run.
 */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { parseConfig, type TrainConfig } from '../../mtunet/config.ts';
import { Failure, UsageError } from '../failure.ts';
import { RunFolder, writeWhole } from '../run-folder.ts';

export interface RunDescription {
  /** Its place in the sweep, from 0. */
  readonly index: number;
  /** Folder inside the sweep's. */
  readonly name: string;
  /** Of the table that the sweep fills: runs of one row differ in their seed alone. */
  readonly row: string;
  readonly seed: number;
  readonly key: string;
  readonly config: TrainConfig;
}

const sweepSchema = z.object({
  runs: z.array(
    z.object({
      index: z.number().int().min(0),
      // A folder inside the sweep's, never one outside it.
      name: z.string().regex(/^[a-z0-9.-]*-seed\d+$/),
      row: z.string(),
      seed: z.number().int().min(0),
      key: z.string(),
      config: z.unknown(),
    }),
  ),
});

export interface Sweep {
  /** Absolute: workers start elsewhere. */
  readonly folder: string;
  readonly runs: readonly RunDescription[];
}

/** What DONE holds. */
export interface RunMark {
  readonly key: string;
  readonly finished: string;
}

/** What FAILED.json holds. */
export interface FailureMark {
  readonly reason: string;
  readonly failed: string;
}

const doneSchema = z.object({ key: z.string(), finished: z.string() });
const failedSchema = z.object({ reason: z.string(), failed: z.string() });

export function runKey({ seed, ...config }: TrainConfig): string {
  return `${createHash('sha256')
    .update(JSON.stringify(sorted(config)))
    .digest('hex')
    .slice(0, 16)}-${seed}`;
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(([, part]) => part !== undefined);
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, part]) => [name, sorted(part)]));
}

/** One run a row and seed, seed by seed, so that an interrupted sweep has whole comparisons first. */
export function describeRuns(
  rows: readonly { readonly name: string; readonly config: TrainConfig }[],
  seeds: readonly number[],
): RunDescription[] {
  const runs = seeds.flatMap((seed) =>
    rows.map(({ name, config }) => {
      const own = { ...config, seed };
      return { name: `${slug(name)}-seed${seed}`, row: name, seed, key: runKey(own), config: own };
    }),
  );
  return runs.map((run, index) => ({ index, ...run }));
}

export const slug = (name: string) =>
  name
    .toLowerCase()
    .replace(/[^a-z0-9.]+/g, '-')
    .replace(/^-|-$/g, '');

/** Writes sweep.json, or checks that the one there describes the same runs (more seeds may have been asked for since). */
export function planSweep(folder: string, runs: readonly RunDescription[]): Sweep {
  const before = existsSync(join(folder, 'sweep.json')) ? readSweep(folder).runs : [];
  for (const old of before) {
    const now = runs.find(({ name }) => name === old.name);
    if (now && now.key !== old.key)
      throw new UsageError(
        `${join(folder, old.name)} was planned with another configuration (${old.key}, now ${now.key}); choose another --out, or give the options of the first time.`,
      );
  }
  const added = runs.filter(({ name }) => !before.some((old) => old.name === name));
  const all = [...before, ...added].map((run, index) => ({ ...run, index }));
  writeWhole(join(folder, 'sweep.json'), `${JSON.stringify({ runs: all }, null, 1)}\n`);
  return { folder, runs: all };
}

export function readSweep(folder: string): Sweep {
  const path = join(folder, 'sweep.json');
  if (!existsSync(path))
    throw new UsageError(`${folder} holds no sweep: ${path} is missing; make one with "mtunet experiment".`);
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new Failure(`${path} cannot be read: ${(error as Error).message}; restore it, or plan the sweep again.`);
  }
  const parsed = sweepSchema.safeParse(value);
  if (parsed.success)
    return { folder, runs: parsed.data.runs.map((run) => ({ ...run, config: parseConfig(run.config) })) };
  const [{ path: place, message }] = parsed.error.issues;
  throw new Failure(`${path} is damaged (${place.join('.')}: ${message}); restore it, or plan the sweep again.`);
}

export const runPath = ({ folder }: Sweep, { name }: RunDescription) => join(folder, name);

/** The folder of a run, made if it is not there yet. */
export function openRun(sweep: Sweep, run: RunDescription): RunFolder {
  const path = runPath(sweep, run);
  if (!RunFolder.isRun(path)) return RunFolder.create(path, run.config);
  const folder = RunFolder.open(path);
  const key = runKey(folder.config);
  if (key === run.key) return folder;
  throw new UsageError(
    `${path} holds a run with another configuration (${key}, planned ${run.key}); remove that folder or choose another --out.`,
  );
}

export function readMark(sweep: Sweep, run: RunDescription): { done: RunMark | null; failed: FailureMark | null } {
  // A mark that cannot be read marks nothing: the run is gone on with, which costs an evaluation at most.
  const read = <T>(name: string, schema: z.ZodType<T>): T | null => {
    const path = join(runPath(sweep, run), name);
    if (!existsSync(path)) return null;
    try {
      return schema.parse(JSON.parse(readFileSync(path, 'utf8')));
    } catch {
      return null;
    }
  };
  const done = read('DONE', doneSchema);
  return { done: done?.key === run.key ? done : null, failed: read('FAILED.json', failedSchema) };
}

export const unfinished = (sweep: Sweep) => sweep.runs.filter((run) => readMark(sweep, run).done === null);
