/** The built command line in a process of its own, as a user runs it, and a run that takes seconds. */
import { type ChildProcess, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly out: string;
  readonly err: string;
}

export interface Running {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
}

/** `mtunet ...args`; `nodeOptions` come before the program. */
export function start(
  main: string,
  args: readonly string[],
  { env = {}, nodeOptions = [], through = [] }: StartOptions = {},
): Running {
  const [command, ...rest] = [...through, process.execPath, ...nodeOptions, main, ...args];
  const child = spawn(command, rest, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  let [out, err] = ['', ''];
  child.stdout.on('data', (chunk) => {
    out += chunk;
  });
  child.stderr.on('data', (chunk) => {
    err += chunk;
  });
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code, signal, out, err }));
  });
  return { child, ended };
}

export interface StartOptions {
  readonly env?: NodeJS.ProcessEnv;
  readonly nodeOptions?: readonly string[];
  /** A program and its arguments that run the command, such as `unshare -rn`. */
  readonly through?: readonly string[];
}

/** Nine steps of the smallest MT-UNet. */
export const SMALL = {
  height: 32,
  width: 32,
  epochs: 3,
  batchSize: 2,
  network: { base: 1 },
  synthetic: { train: 5, valid: 3, test: 3 },
};

/** The arguments of `mtunet train` for SMALL with these changes, into `folder`/`name`. */
export function trainArguments(folder: string, name: string, changes: object = {}): string[] {
  const config = join(folder, `${name}.json`);
  writeFileSync(config, JSON.stringify({ ...SMALL, ...changes }));
  return ['train', '--config', config, '--out', join(folder, name)];
}
