/** Runs on this machine: a pool of processes. A worker that is killed is started again and goes on from its last checkpoint. */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { share } from '../../platform/threads.ts';
import { EXIT } from '../failure.ts';
import {
  type Executor,
  logPath,
  markedStatus,
  type Program,
  type RunStatus,
  readLog,
  thisProgram,
} from './executor.ts';
import { type RunDescription, runPath, type Sweep } from './run-description.ts';

export interface LocalOptions {
  /** Processes at a time. */
  readonly jobs: number;
  /** Adapters by a part of their names, one process each at a time; empty: whatever each process finds. */
  readonly devices?: readonly string[];
  readonly program?: Program;
  /** How often a run may be started again after a signal has killed its process. */
  readonly restarts?: number;
}

export class LocalExecutor implements Executor {
  private readonly options: LocalOptions;
  private sweep: Sweep | null = null;
  private readonly queue: RunDescription[] = [];
  private readonly states = new Map<number, RunStatus>();
  private readonly children = new Map<number, ChildProcess>();
  private readonly restarts = new Map<number, number>();
  private cancelled = false;

  constructor(options: LocalOptions) {
    this.options = options;
  }

  async submit(sweep: Sweep, runs: readonly RunDescription[]): Promise<string> {
    this.sweep = sweep;
    for (const run of runs) {
      this.states.set(run.index, { state: 'waiting', reason: null });
      this.queue.push(run);
    }
    this.fill();
    return `${this.width} ${this.width === 1 ? 'process' : 'processes'} at a time`;
  }

  async status(): Promise<ReadonlyMap<number, RunStatus>> {
    return new Map(this.states);
  }

  async cancel(): Promise<void> {
    this.cancelled = true;
    this.queue.length = 0;
    const ended = [...this.children.values()].map((child) => new Promise((resolve) => child.once('close', resolve)));
    for (const child of this.children.values()) child.kill('SIGTERM');
    await Promise.all(ended);
  }

  logs(run: RunDescription): string {
    return readLog(logPath(this.sweep!, run));
  }

  private get width(): number {
    return this.options.devices?.length || this.options.jobs;
  }

  private fill(): void {
    while (this.children.size < this.width && this.queue.length > 0) this.start(this.queue.shift()!);
  }

  private start(run: RunDescription): void {
    const sweep = this.sweep!;
    const [command, ...args] = this.options.program ?? thisProgram();
    mkdirSync(runPath(sweep, run), { recursive: true });
    rmSync(join(runPath(sweep, run), 'FAILED.json'), { force: true });
    const log = openSync(logPath(sweep, run), 'a');
    const device = this.freeDevice();
    const child = spawn(command, [...args, 'worker', sweep.folder, String(run.index)], {
      stdio: ['ignore', log, log],
      env: { ...share(this.width), ...process.env, ...(device !== null && { MTUNET_ADAPTER: device }) },
      // Ctrl-C in a terminal reaches this process alone, which then asks its workers to end.
      detached: true,
    });
    closeSync(log);
    Object.assign(child, { device });
    this.children.set(run.index, child);
    this.states.set(run.index, { state: 'running', reason: null });
    child.once('error', (error) => this.ended(run, null, null, error.message));
    child.once('close', (code, signal) => this.ended(run, code, signal, null));
  }

  private ended(run: RunDescription, code: number | null, signal: string | null, problem: string | null): void {
    if (!this.children.delete(run.index)) return;
    const restarts = this.restarts.get(run.index) ?? 0;
    const marked = markedStatus(this.sweep!, run);
    if (marked) {
      this.states.set(run.index, marked);
    } else if (this.cancelled || code === EXIT.interrupted) {
      this.states.set(run.index, { state: 'waiting', reason: 'stopped after a checkpoint' });
    } else if (signal !== null && restarts < (this.options.restarts ?? 2)) {
      this.restarts.set(run.index, restarts + 1);
      this.states.set(run.index, { state: 'waiting', reason: `killed by ${signal}, goes on from its checkpoint` });
      this.queue.unshift(run);
    } else {
      const how =
        problem ?? (signal ? `killed by ${signal} ${restarts + 1} times` : `the process ended with code ${code}`);
      this.states.set(run.index, { state: 'failed', reason: `${how}; see ${logPath(this.sweep!, run)}` });
    }
    this.fill();
  }

  private freeDevice(): string | null {
    const busy = [...this.children.values()].map((child) => (child as ChildProcess & { device?: string }).device);
    return this.options.devices?.find((device) => !busy.includes(device)) ?? null;
  }
}
