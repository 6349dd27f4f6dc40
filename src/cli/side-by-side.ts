/**
 * The runs of a job in processes of their own, some at a time. A software adapter is kept waiting by one training: SwiftShader computes
 * most dispatches of a small network on one core. So as many trainings as there are cores end sooner side by side than one after the other.
 */
import { spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { createInterface } from 'node:readline';
import type { AdapterDescription } from '../platform/host.ts';
import { share } from '../platform/threads.ts';
import { EXIT, Failure } from './failure.ts';
import { note } from './messages.ts';
import { type Program, thisProgram } from './sweep/executor.ts';

export interface SideBySideOptions {
  /** Processes at a time. */
  readonly jobs: number;
  /** Asks every process for a checkpoint and the end. */
  readonly signal: AbortSignal;
  /** More arguments of `mtunet resume`. */
  readonly args?: readonly string[];
  readonly program?: Program;
}

/**
 * One process on a GPU, which a single training fills. Where shaders run on the processor, one for each core and one more: the paper's three
 * schemes on two cores then end together, instead of the third alone.
 */
export function usualJobs({ software }: AdapterDescription, runs: number): number {
  return software ? Math.min(runs, availableParallelism() + 1) : 1;
}

/**
 * Carries out `mtunet resume` for each of these runs. Returns false where the signal stopped one before its end.
 * @throws Failure with the last words of the first run that failed, after the others have ended
 */
export async function finishSideBySide(runs: readonly string[], options: SideBySideOptions): Promise<boolean> {
  const queue = [...runs];
  const ends: End[] = [];
  const one = async () => {
    for (let run = queue.shift(); run !== undefined && !options.signal.aborted; run = queue.shift())
      ends.push(await resumed(run, options));
  };
  await Promise.all(Array.from({ length: Math.min(options.jobs, runs.length) }, one));
  const failed = ends.find(({ code }) => code !== EXIT.success && code !== EXIT.interrupted);
  if (failed) throw new Failure(`${failed.run}: ${failed.lastLine.replace(/^mtunet: /, '')}`);
  return ends.length === runs.length && ends.every(({ code }) => code === EXIT.success);
}

interface End {
  readonly run: string;
  readonly code: number | null;
  readonly lastLine: string;
}

function resumed(run: string, { jobs, signal, args = [], program = thisProgram() }: SideBySideOptions): Promise<End> {
  const [command, ...before] = program;
  const child = spawn(command, [...before, 'resume', run, ...args], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...share(jobs), ...process.env },
    // Ctrl-C in a terminal reaches this process alone, which passes it on.
    detached: true,
  });
  let lastLine = '';
  createInterface(child.stderr).on('line', (line) => {
    if (line.trim()) lastLine = line;
    // The job says this once for all.
    if (!/^(adapter: |SIGTERM: |Stopped; )/.test(line)) note(line);
  });
  const stop = () => child.kill('SIGTERM');
  signal.addEventListener('abort', stop, { once: true });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, by) => {
      signal.removeEventListener('abort', stop);
      resolve({ run, code, lastLine: by ? `${by} has ended its process.` : lastLine });
    });
  });
}
