/** The built command line in a process of its own, as a user runs it, and a run that takes seconds. */
import { type ChildProcess, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { vi } from 'vitest';

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

export interface CommandResult {
  /** What it printed, read as JSON. */
  readonly json: unknown;
  /** 0 unless it set another. */
  readonly exitCode: number;
}

/** A command in this process, with --json among its arguments. It throws what the command throws. */
export async function runCommand(register: (program: Command) => void, ...args: string[]): Promise<CommandResult> {
  const program = new Command('mtunet').exitOverride();
  register(program);
  const lines: string[] = [];
  const log = vi.spyOn(console, 'log').mockImplementation((line) => {
    lines.push(String(line));
  });
  const before = process.exitCode;
  process.exitCode = 0;
  try {
    await program.parseAsync(['node', 'mtunet', ...args]);
    return { json: JSON.parse(lines.join('\n')), exitCode: Number(process.exitCode) };
  } finally {
    process.exitCode = before;
    log.mockRestore();
  }
}
