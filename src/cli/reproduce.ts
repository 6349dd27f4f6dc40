/** The main job: MT-UNet under the paper's three schemes, and the report. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Gpu } from '../engine/index.ts';
import { type ConfigOverrides, resolveConfig, type TrainConfig } from '../mtunet/config.ts';
import { loadData } from './load-data.ts';
import { writeReport } from './report-files.ts';
import { RunFolder } from './run-folder.ts';
import { finishSideBySide, usualJobs } from './side-by-side.ts';
import { trainRun } from './train-run.ts';
import { weightsSha256 } from './weights-hash.ts';

export const PAPER_SCHEMES = ['mtls1', 'mtls2', 'mtls3'] as const;

export interface ReproduceOptions {
  readonly preset: string;
  readonly seeds: number;
  readonly epochs?: number;
}

/** One run a scheme and seed, all planned before the first begins, so that an interrupted job knows what is left. */
export function planReproduction(out: string, { preset, seeds, epochs }: ReproduceOptions): void {
  const configs: [string, TrainConfig][] = [];
  for (let seed = 1; seed <= seeds; seed++) {
    for (const name of PAPER_SCHEMES) {
      const overrides: ConfigOverrides = { seed, scheme: { name }, epochs };
      configs.push([`${name}-seed${seed}`, resolveConfig(preset, overrides)]);
    }
  }
  for (const [name, config] of configs) RunFolder.create(join(out, name), config);
}

/** The runs inside a job's folder, by name. */
export function runsOf(out: string): string[] {
  if (!existsSync(out)) return [];
  return readdirSync(out)
    .sort()
    .map((name) => join(out, name))
    .filter((path) => RunFolder.isRun(path));
}

export interface FinishOptions {
  /** Processes at a time; without it, what suits the adapter. */
  readonly jobs?: number;
  readonly signal: AbortSignal;
}

export interface Reproduction {
  /** The path of the report. */
  readonly page: string;
  /** Over the weights of all runs by name: with one seed MTLS1, MTLS2, MTLS3. */
  readonly weightsSha256: string;
}

/** Finishes every run and writes the report; null when interrupted. */
export async function finishReproduction(gpu: Gpu, out: string, options: FinishOptions): Promise<Reproduction | null> {
  const left = runsOf(out).filter((path) => !RunFolder.open(path).isFinished);
  const jobs = options.jobs ?? usualJobs(gpu.description, left.length);
  const { signal } = options;
  const args = gpu.recordsSteps ? [] : ['--no-record'];
  const ended = jobs > 1 ? await finishSideBySide(left, { jobs, signal, args }) : await finishInTurn(gpu, left, signal);
  if (!ended) return null;
  const more = { weightsSha256: weightsSha256(runsOf(out)) };
  return { page: writeReport(runsOf(out), out, 'MT-UNet under three multi-task learning schemes', more), ...more };
}

async function finishInTurn(gpu: Gpu, runs: readonly string[], signal: AbortSignal): Promise<boolean> {
  const folders = runs.map((path) => RunFolder.open(path));
  if (folders.length === 0) return true;
  const dataset = loadData(folders[0].config);
  for (const folder of folders) if (!(await trainRun(gpu, folder, dataset, signal))) return false;
  return true;
}

/** runs/reproduce, or runs/reproduce-2, ... */
export function freshFolder(base: string): string {
  let path = base;
  for (let i = 2; existsSync(path); i++) path = `${base}-${i}`;
  return path;
}
