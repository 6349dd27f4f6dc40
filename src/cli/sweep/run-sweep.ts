/** Carries a sweep out: starts what is missing, tells what changes, and goes on when a run fails. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Executor, epochsDone, markedStatus, type RunStatus } from './executor.ts';
import { type Sweep, unfinished } from './run-description.ts';

export interface SweepOutcome {
  readonly done: number;
  readonly failed: readonly { readonly name: string; readonly reason: string }[];
  readonly interrupted: boolean;
  /** Whether the runs go on without this program. */
  readonly goesOn: boolean;
}

export interface SweepOptions {
  readonly tell: (line: string) => void;
  readonly signal: AbortSignal;
  readonly pollMs?: number;
  /** Start what is missing, and do not wait for it. */
  readonly detach?: boolean;
  /** Indices to carry out; all that are not done when left out. */
  readonly only?: readonly number[];
}

export async function runSweep(executor: Executor, sweep: Sweep, options: SweepOptions): Promise<SweepOutcome> {
  const { tell, signal, pollMs = 500 } = options;
  const wanted = sweep.runs.filter(({ index }) => options.only?.includes(index) ?? true);
  const missing = unfinished(sweep).filter(({ index }) => options.only?.includes(index) ?? true);
  if (missing.length < wanted.length)
    tell(`${wanted.length - missing.length} of ${wanted.length} runs are done already`);
  const told = new Map<number, string>();
  let states: ReadonlyMap<number, RunStatus> = new Map();
  if (missing.length > 0) {
    tell(`started: ${await executor.submit(sweep, missing)}`);
    if (options.detach) return { ...summary(sweep, wanted, states), interrupted: true, goesOn: true };
    for (;;) {
      states = await executor.status();
      let open = 0;
      for (const run of missing) {
        const status = states.get(run.index) ?? { state: 'waiting', reason: null };
        if (status.state === 'waiting' || status.state === 'running') open++;
        const epochs = status.state === 'running' ? epochsDone(sweep, run) : 0;
        const line = `${run.name}: ${status.state}${status.reason ? ` (${status.reason})` : ''}${epochs > 0 ? `, epoch ${epochs} of ${run.config.epochs}` : ''}`;
        const isNews = told.has(run.index) || status.state !== 'waiting';
        if (isNews && told.get(run.index) !== line) tell(line);
        if (isNews) told.set(run.index, line);
      }
      if (open === 0) break;
      if (signal.aborted) {
        if (!executor.outlives) await executor.cancel();
        return { ...summary(sweep, wanted, states), interrupted: true, goesOn: executor.outlives === true };
      }
      await sleep(pollMs, undefined, { signal }).catch(() => undefined);
    }
  }
  return { ...summary(sweep, wanted, states), interrupted: false, goesOn: false };
}

function summary(sweep: Sweep, wanted: Sweep['runs'], states: ReadonlyMap<number, RunStatus>) {
  const ends = wanted.map((run) => ({ run, status: markedStatus(sweep, run) ?? states.get(run.index) }));
  return {
    done: ends.filter(({ status }) => status?.state === 'done').length,
    failed: ends
      .filter(({ status }) => status?.state === 'failed')
      .map(({ run, status }) => ({ name: run.name, reason: status?.reason ?? 'no reason is known' })),
  };
}
