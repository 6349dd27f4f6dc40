/** Where a run's numbers come from: program, commit, machine, data. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { runtime } from '#gpu-host';
import type { ChestDataset } from '../data/dataset.ts';
import { fingerprintSplits } from '../data/fingerprint.ts';
import type { Gpu } from '../engine/index.ts';
import type { Provenance } from '../mtunet/records.ts';

const packageFolder = fileURLToPath(new URL('../../', import.meta.url));

export const packageVersion: string = JSON.parse(readFileSync(`${packageFolder}package.json`, 'utf8')).version;

export function provenanceOf(
  gpu: Gpu,
  dataset: ChestDataset,
  seed: number,
  started: Date,
  wallSeconds: number,
  config: string,
): Provenance {
  const { name, driver, backend, software } = gpu.description;
  return {
    package: `mtunet ${packageVersion}`,
    commit: gitCommit(),
    runtime,
    adapter: { name, driver, backend, software },
    data: {
      name: dataset.name,
      hash: dataset.hash,
      testHash: fingerprintSplits(dataset.height, dataset.width, { test: dataset.test }),
      train: dataset.train.length,
      valid: dataset.valid.length,
      test: dataset.test.length,
    },
    ...(dataset.input && { input: dataset.input }),
    seed,
    config,
    started: started.toISOString(),
    wallSeconds,
    platform: `${process.platform} ${process.arch}`,
  };
}

/** The commit of the program's own work tree; null when it was installed without one. */
function gitCommit(): string | null {
  const git = (...args: string[]) =>
    execFileSync('git', ['-C', packageFolder, ...args], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  try {
    if (git('rev-parse', '--show-prefix') !== '') return null; // inside somebody else's repository
    const changed = git('status', '--porcelain', '--untracked-files=no') !== '';
    return `${git('rev-parse', 'HEAD')}${changed ? '+changes' : ''}`;
  } catch {
    return null;
  }
}
