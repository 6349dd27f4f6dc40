/**
 * The batch script of a sweep as a Slurm job array. The array's index is the run's place in sweep.json, so that it tells row and seed.
 *
 * Slurm sends SIGUSR1 to the script before the time is up; the script passes it on, the worker saves a checkpoint and ends with 130, and the
 * script puts its own task back into the queue. A worker that a signal has killed goes on from its checkpoint in the same way, a few times. A worker that
 * ends with another code has failed, and has said why in FAILED.json.
 */
import { EXIT } from '../failure.ts';
import type { Program } from './executor.ts';
import { type RunDescription, runPath, type Sweep } from './run-description.ts';

export interface ScriptOptions {
  readonly program: Program;
  /** Tasks at a time. */
  readonly throttle: number;
  /** Seconds before the time limit at which a checkpoint is asked for. */
  readonly warning?: number;
  /** How often a task may go on after a signal has killed its worker. */
  readonly restarts?: number;
  /** More options of sbatch, such as "--partition=gpu" or "--gres=gpu:1". */
  readonly options?: readonly string[];
}

/** 0,1,2,5 as 0-2,5 */
export function ranges(indices: readonly number[]): string {
  const sorted = [...indices].sort((a, b) => a - b);
  const parts: [number, number][] = [];
  for (const index of sorted) {
    const last = parts.at(-1);
    if (last && index === last[1] + 1) last[1] = index;
    else parts.push([index, index]);
  }
  return parts.map(([from, to]) => (from === to ? `${from}` : `${from}-${to}`)).join(',');
}

/** As one word of a shell, whatever is in it. */
export const quoted = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;

export function batchScript(sweep: Sweep, runs: readonly RunDescription[], options: ScriptOptions): string {
  const { program, throttle, warning = 120, restarts = 2 } = options;
  const log = runs.map((run) => `  [${run.index}]=${quoted(runPath(sweep, run))} # ${run.row}, seed ${run.seed}`);
  return `#!/bin/bash
#SBATCH --job-name=mtunet
#SBATCH --array=${ranges(runs.map(({ index }) => index))}%${throttle}
#SBATCH --output="${sweep.folder}/slurm/%A_%a.out"
#SBATCH --open-mode=append
#SBATCH --requeue
#SBATCH --signal=B:USR1@${warning}
${(options.options ?? []).map((option) => `#SBATCH ${option}\n`).join('')}
sweep=${quoted(sweep.folder)}
runs=(
${log.join('\n')}
)
run=\${runs[$SLURM_ARRAY_TASK_ID]}
mkdir -p "$run"
say() { echo "[slurm $SLURM_ARRAY_JOB_ID, task $SLURM_ARRAY_TASK_ID, start $((\${SLURM_RESTART_COUNT:-0} + 1))] $*" >> "$run/log.txt"; }
# Slurm ends this script when it takes the task back.
again() { say "$1"; trap - TERM; scontrol requeue "$SLURM_JOB_ID" && sleep 60; }

# A software adapter would take every core of the node.
export MTUNET_THREADS="\${MTUNET_THREADS:-$SLURM_CPUS_PER_TASK}"
say "on $(hostname)"
${program.map(quoted).join(' ')} worker "$sweep" "$SLURM_ARRAY_TASK_ID" >> "$run/log.txt" 2>&1 &
worker=$!
trap 'kill -USR1 $worker 2> /dev/null' USR1
trap 'kill -TERM $worker 2> /dev/null' TERM
wait $worker
code=$?
# A signal that is trapped ends the waiting, not the worker.
while kill -0 $worker 2> /dev/null; do wait $worker; code=$?; done

if [ $code -eq 0 ]; then rm -f "$run/killed"; exit 0; fi
if [ -e "$sweep/slurm/cancelled" ]; then exit $code; fi
if [ $code -eq ${EXIT.interrupted} ]; then again "stopped after a checkpoint; back into the queue"; fi
if [ $code -gt 128 ] && [ $code -ne ${EXIT.interrupted} ]; then
  echo $code >> "$run/killed"
  if [ $(wc -l < "$run/killed") -le ${restarts} ]; then again "killed by signal $((code - 128)); goes on from its checkpoint"; fi
fi
exit $code
`;
}
