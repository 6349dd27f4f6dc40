/**
 * Where the runs of a sweep are carried out. An executor starts `mtunet worker <sweep> <index>` somewhere; what a run leaves behind is the
 * same everywhere, because a run depends on its configuration and seed alone.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type RunDescription, readMark, runPath, type Sweep } from './run-description.ts';

export type RunState = 'waiting' | 'running' | 'done' | 'failed';

export interface RunStatus {
  readonly state: RunState;
  /** Why it failed, or waits. */
  readonly reason: string | null;
}

export interface Executor {
  /** Starts these runs; returns how the executor calls what it started, for people. */
  submit(sweep: Sweep, runs: readonly RunDescription[]): Promise<string>;
  /** What each run is doing now, by index. */
  status(): Promise<ReadonlyMap<number, RunStatus>>;
  /** Asks every run to save a checkpoint and end. */
  cancel(): Promise<void>;
  /** Whether what it has started goes on when the program that watches ends. */
  readonly outlives?: boolean;
  /** What a run has written to its output so far. */
  logs(run: RunDescription): string;
}

/** The program and arguments before "worker". */
export type Program = readonly string[];

const main = fileURLToPath(new URL('../main.js', import.meta.url));

export const thisProgram = (): Program => [process.execPath, main];

/** What the run's own folder says; null when only the executor can know. */
export function markedStatus(sweep: Sweep, run: RunDescription): RunStatus | null {
  const { done, failed } = readMark(sweep, run);
  if (done) return { state: 'done', reason: null };
  return failed ? { state: 'failed', reason: failed.reason } : null;
}

export const logPath = (sweep: Sweep, run: RunDescription) => join(runPath(sweep, run), 'log.txt');

export function readLog(path: string): string {
  return existsSync(path) ? readFileSync(path, 'utf8') : '';
}

/** Epochs that a run has behind it. */
export function epochsDone(sweep: Sweep, run: RunDescription): number {
  return readLog(join(runPath(sweep, run), 'epochs.jsonl')).split('\n').length - 1;
}
