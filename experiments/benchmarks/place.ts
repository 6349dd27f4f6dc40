/** What was measured, where: names for the figures, and the folder of results. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { packageVersion } from '../../src/cli/provenance.ts';
import type { Figure } from './figure.ts';

export const libName = `mtunet ${packageVersion}`;

const folder = fileURLToPath(new URL('results/', import.meta.url));

function commit(): string {
  try {
    const git = (...args: string[]) => execFileSync('git', ['-C', folder, ...args], { encoding: 'utf8' }).trim();
    const changed = git('status', '--porcelain', '--untracked-files=no') === '' ? '' : '+changes';
    return `${git('rev-parse', '--short', 'HEAD')}${changed}`;
  } catch {
    return 'unknown';
  }
}

/** One JSON line a figure; the first line says when, on what and from which commit. */
export function keep(name: string, place: Readonly<Record<string, unknown>>, figures: readonly Figure[]): string {
  mkdirSync(folder, { recursive: true });
  const path = `${folder}${name}.jsonl`;
  const head = { date: new Date().toISOString().slice(0, 16), commit: commit(), ...place };
  writeFileSync(path, [head, ...figures].map((line) => `${JSON.stringify(line)}\n`).join(''));
  return path;
}
