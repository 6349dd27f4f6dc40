/** Runs as tasks of a Slurm job array. Only sbatch, squeue, scancel and scontrol are needed; sacct or a text file of completions tell more. */
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Failure } from '../failure.ts';
import { writeWhole } from '../run-folder.ts';
import {
  type Executor,
  logPath,
  markedStatus,
  type Program,
  type RunStatus,
  readLog,
  thisProgram,
} from './executor.ts';
import type { RunDescription, Sweep } from './run-description.ts';
import { batchScript } from './slurm-script.ts';
import { completionOf, type TaskState, tasksOf } from './slurm-states.ts';

const execute = promisify(execFile);

export interface SlurmOptions {
  /** Tasks at a time. */
  readonly throttle: number;
  readonly program?: Program;
  readonly warning?: number;
  readonly options?: readonly string[];
  /** Milliseconds that a task may be gone from the queue without having left a mark: file systems of clusters take their time. */
  readonly grace?: number;
}

/** One array that was submitted, in <sweep>/slurm/jobs.json, so that a later start finds what is still in the queue. */
interface Submission {
  readonly job: string;
  readonly indices: readonly number[];
}

const GRACE_MS = 15_000;

export class SlurmExecutor implements Executor {
  readonly outlives = true;
  private readonly options: SlurmOptions;
  private sweep: Sweep | null = null;
  private runs: readonly RunDescription[] = [];
  private submissions: Submission[] = [];
  private readonly missing = new Map<number, number>();

  constructor(options: SlurmOptions) {
    this.options = options;
  }

  async submit(sweep: Sweep, runs: readonly RunDescription[]): Promise<string> {
    this.sweep = sweep;
    this.runs = runs;
    this.submissions = readSubmissions(sweep);
    const queued = await this.queued();
    const fresh = runs.filter(({ index }) => !queued.has(index));
    const adopted = runs.length - fresh.length;
    const found = adopted > 0 ? `${adopted} tasks are in the queue already` : '';
    if (fresh.length === 0) return found;
    const folder = join(sweep.folder, 'slurm');
    mkdirSync(folder, { recursive: true });
    rmSync(join(folder, 'cancelled'), { force: true });
    // A mark of an earlier failure would be taken for this one's; the worker removes its own, but may wait for long.
    for (const run of fresh) rmSync(join(sweep.folder, run.name, 'FAILED.json'), { force: true });
    const { program = thisProgram(), throttle, warning, options } = this.options;
    const path = join(folder, `submit-${this.submissions.length + 1}.sh`);
    writeFileSync(path, batchScript(sweep, fresh, { program, throttle, warning, options }), { mode: 0o755 });
    const job = (await slurm('sbatch', '--parsable', path)).trim().split(';')[0];
    this.submissions.push({ job, indices: fresh.map(({ index }) => index) });
    writeWhole(join(folder, 'jobs.json'), `${JSON.stringify(this.submissions, null, 1)}\n`);
    return [`job ${job}, ${fresh.length} tasks, ${throttle} at a time (${path})`, found].filter(Boolean).join('; ');
  }

  async status(): Promise<ReadonlyMap<number, RunStatus>> {
    const queued = await this.queued();
    const states = new Map<number, RunStatus>();
    for (const run of this.runs) states.set(run.index, await this.statusOf(run, queued.get(run.index)));
    return states;
  }

  /** Tasks that wait leave the queue, those that run save a checkpoint first. */
  async cancel(): Promise<void> {
    const sweep = this.sweep!;
    mkdirSync(join(sweep.folder, 'slurm'), { recursive: true });
    writeFileSync(join(sweep.folder, 'slurm', 'cancelled'), '');
    const jobs = this.submissions.map(({ job }) => job);
    if (jobs.length === 0) return;
    await slurm('scancel', '--quiet', '--state=PENDING', ...jobs).catch(ignoreGone);
    await slurm('scancel', '--quiet', '--batch', '--signal=USR1', '--state=RUNNING', ...jobs).catch(ignoreGone);
    while ((await this.queued()).size > 0) await sleep(1000);
  }

  /** Connects to what an earlier start has submitted. */
  attach(sweep: Sweep, runs: readonly RunDescription[]): void {
    this.sweep = sweep;
    this.runs = runs;
    this.submissions = readSubmissions(sweep);
  }

  logs(run: RunDescription): string {
    const sweep = this.sweep!;
    const own = this.submissions
      .filter(({ indices }) => indices.includes(run.index))
      .map(({ job }) => readLog(join(sweep.folder, 'slurm', `${job}_${run.index}.out`)));
    return [readLog(logPath(sweep, run)), ...own].filter(Boolean).join('');
  }

  private async statusOf(run: RunDescription, task: TaskState | undefined): Promise<RunStatus> {
    const sweep = this.sweep!;
    const marked = markedStatus(sweep, run);
    if (marked?.state === 'done') return marked;
    if (task) {
      this.missing.delete(run.index);
      return task.running ? { state: 'running', reason: null } : { state: 'waiting', reason: task.reason };
    }
    if (marked) return marked;
    if (existsSync(join(sweep.folder, 'slurm', 'cancelled')))
      return { state: 'waiting', reason: 'stopped after a checkpoint' };
    const since = this.missing.get(run.index) ?? performance.now();
    this.missing.set(run.index, since);
    if (performance.now() - since < (this.options.grace ?? GRACE_MS)) return { state: 'running', reason: null };
    const job = this.submissions.findLast(({ indices }) => indices.includes(run.index))?.job;
    const ended = job && (await completionOf(slurm, job, run.index));
    return { state: 'failed', reason: `${ended || 'the task is gone from the queue'}; see ${logPath(sweep, run)}` };
  }

  private async queued(): Promise<ReadonlyMap<number, TaskState>> {
    const jobs = this.submissions.map(({ job }) => job);
    if (jobs.length === 0) return new Map();
    // squeue refuses the whole list when one of its jobs is forgotten, so each is asked for alone.
    const texts = await Promise.all(
      jobs.map((job) =>
        slurm('squeue', '--noheader', '--array', `--jobs=${job}`, '--format=%K|%T|%r').catch(ignoreGone),
      ),
    );
    return tasksOf(texts.join('\n'));
  }
}

function readSubmissions(sweep: Sweep): Submission[] {
  const path = join(sweep.folder, 'slurm', 'jobs.json');
  if (!existsSync(path)) return [];
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Submission[];
  } catch (error) {
    throw new Failure(
      `${path} cannot be read (${(error as Error).message}); cancel the sweep's jobs by scancel, remove the file, and start again.`,
    );
  }
}

async function slurm(command: string, ...args: string[]): Promise<string> {
  try {
    return (await execute(command, args)).stdout;
  } catch (error) {
    const { code, stderr, message } = error as NodeJS.ErrnoException & { stderr?: string };
    if ((code as unknown) === 'ENOENT')
      throw new Failure(
        `${command} is not on this machine's PATH; start the sweep on a login node of the cluster, or use --executor local.`,
      );
    throw new Failure(`${command} ${args.join(' ')}: ${(stderr || message).trim()}`);
  }
}

/** A job that Slurm has forgotten is not in its queue. */
function ignoreGone(error: unknown): string {
  if (/Invalid job id/i.test((error as Error).message)) return '';
  throw error;
}
