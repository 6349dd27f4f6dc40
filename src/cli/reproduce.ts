/** The main job: MT-UNet under the paper's three schemes, and the report. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Gpu } from '../engine/index.ts';
import { type ConfigOverrides, resolveConfig, type TrainConfig } from '../mtunet/config.ts';
import { loadData } from './load-data.ts';
import { writeReport } from './report-files.ts';
import { RunFolder } from './run-folder.ts';
import { trainRun } from './train-run.ts';

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

/** Finishes every run and writes the report; null when interrupted, else the path of the page. */
export async function finishReproduction(gpu: Gpu, out: string, signal: AbortSignal): Promise<string | null> {
  const folders = runsOf(out).map((path) => RunFolder.open(path));
  const [first] = folders;
  const dataset = loadData(first.config);
  for (const folder of folders) {
    if (folder.isFinished) continue;
    if (!(await trainRun(gpu, folder, dataset, signal))) return null;
  }
  return writeReport(runsOf(out), out, 'MT-UNet under three multi-task learning schemes');
}

/** runs/reproduce, or runs/reproduce-2, ... */
export function freshFolder(base: string): string {
  let path = base;
  for (let i = 2; existsSync(path); i++) path = `${base}-${i}`;
  return path;
}
