/** The built command line, for tests that run it as a user does. Test files build it in turn: two compilers at once would tear dist/. */
import { execFile } from 'node:child_process';
import { mkdirSync, rmSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { promisify } from 'node:util';

const LOCK = join('node_modules', '.mtunet-build');
const STALE_MS = 300_000;

/** Builds what has changed since the last build, and returns the path of the program for `node`. */
export function builtProgram(): Promise<string> {
  return whileLocked(async () => {
    await promisify(execFile)('npm', ['run', '--silent', 'build']);
    return resolve('dist/cli/main.js');
  });
}

/** Runs `work` while no other test file builds. */
export async function whileLocked<T>(work: () => Promise<T>): Promise<T> {
  while (!acquired()) await setTimeout(200);
  try {
    return await work();
  } finally {
    rmSync(LOCK, { recursive: true, force: true });
  }
}

function acquired(): boolean {
  try {
    mkdirSync(LOCK);
    return true;
  } catch {
    const age = Date.now() - (statSync(LOCK, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
    if (age > STALE_MS) rmSync(LOCK, { recursive: true, force: true });
    return false;
  }
}
