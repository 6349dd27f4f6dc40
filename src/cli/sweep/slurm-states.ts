/** What Slurm's commands say about the tasks of an array. */
import { readFileSync } from 'node:fs';

export interface TaskState {
  readonly running: boolean;
  /** Slurm's word for why it waits: Resources, Priority, BeginTime after a requeue, JobArrayTaskLimit for the throttle. */
  readonly reason: string | null;
}

/** PENDING and what leads back to it; everything else in the queue is under way. */
const WAITS = /^(PENDING|REQUEUED|REQUEUE_FED|REQUEUE_HOLD|SPECIAL_EXIT|RESV_DEL_HOLD|SUSPENDED|STOPPED)/;
/** Such tasks stay in squeue for a while. */
const ENDED = /^(COMPLETED|FAILED|CANCELLED|TIMEOUT|NODE_FAIL|OUT_OF_MEMORY|BOOT_FAIL|DEADLINE|PREEMPTED|REVOKED)/;

/** Lines "%K|%T|%r" of squeue --array, by index. */
export function tasksOf(text: string): Map<number, TaskState> {
  const tasks = new Map<number, TaskState>();
  for (const line of text.split('\n')) {
    const [index, state, reason] = line.trim().split('|');
    if (!/^\d+$/.test(index) || ENDED.test(state)) continue;
    const running = !WAITS.test(state);
    tasks.set(Number(index), { running, reason: running || !reason || reason === 'None' ? null : `Slurm: ${reason}` });
  }
  return tasks;
}

type Ask = (command: string, ...args: string[]) => Promise<string>;

/** How a task that has left the queue ended: from the accounting, or the file of completions; null when neither is kept. */
export async function completionOf(ask: Ask, job: string, index: number): Promise<string | null> {
  const accounted = await ask(
    'sacct',
    '--noheader',
    '--parsable2',
    '--allocations',
    `--jobs=${job}_${index}`,
    '--format=State,ExitCode',
  ).catch(() => '');
  const [state, code] = (accounted.trim().split('\n').at(-1) ?? '').split('|');
  if (state && code) return ended(state, code);
  const settings = await ask('scontrol', 'show', 'config').catch(() => '');
  const [, kind] = /^JobCompType\s*=\s*(\S+)/m.exec(settings) ?? [];
  const [, path] = /^JobCompLoc\s*=\s*(\S+)/m.exec(settings) ?? [];
  if (!/filetxt/.test(kind ?? '') || !path) return null;
  try {
    return lastCompletion(readFileSync(path, 'utf8'), job, index);
  } catch {
    return null; // of the controller's machine
  }
}

/** Of jobcomp/filetxt: one line of name=value pairs a task and start. */
export function lastCompletion(text: string, job: string, index: number): string | null {
  const line = text
    .split('\n')
    .findLast((one) => one.includes(`ArrayJobId=${job} `) && new RegExp(`ArrayTaskId=${index}(\\s|$)`).test(one));
  const [, state] = /JobState=(\S+)/.exec(line ?? '') ?? [];
  const [, code] = /\bExitCode=(\S+)/.exec(line?.replace(/DerivedExitCode=\S+/, '') ?? '') ?? [];
  return state ? ended(state, code ?? '?') : null;
}

const ended = (state: string, code: string) => `Slurm: ${state}, exit code ${code.split(':')[0]}`;
