/** A Slurm cluster of one node, this machine, in a folder: munged, slurmctld and slurmd without systemd. Needs root and Debian's slurm-wlm and munge. */
import { execFile, execFileSync, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, hostname, totalmem } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';

const PROGRAMS = ['munged', 'slurmctld', 'slurmd', 'sbatch', 'squeue', 'sinfo'];

/** Null where a cluster can be started, else why not. */
export function slurmProblem(): string | null {
  const missing = PROGRAMS.filter((name) => spawnSync('which', [name]).status !== 0);
  if (missing.length > 0) return `${missing.join(', ')} not found; on Debian: apt-get install slurm-wlm munge`;
  return process.getuid?.() === 0 ? null : 'a one-node cluster needs root';
}

const config = (folder: string, ports: readonly [number, number]) => `
ClusterName=local
SlurmctldHost=${hostname()}(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
# A task that is put back into the queue may start when its credential has expired.
AuthInfo=socket=${folder}/munge.socket,cred_expire=5
CryptoType=crypto/munge
SlurmctldPort=${ports[0]}
SlurmdPort=${ports[1]}
StateSaveLocation=${folder}/state
SlurmdSpoolDir=${folder}/spool
SlurmctldPidFile=${folder}/slurmctld.pid
SlurmdPidFile=${folder}/slurmd.pid
SlurmctldLogFile=${folder}/slurmctld.log
SlurmdLogFile=${folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SwitchType=switch/none
ReturnToService=2
KillWait=5
SchedulerType=sched/backfill
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
JobRequeue=1
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
JobCompType=jobcomp/filetxt
JobCompLoc=${folder}/completions.txt
NodeName=${hostname()} NodeAddr=127.0.0.1 CPUs=${cpus().length} RealMemory=${Math.floor((totalmem() / 2 ** 20) * 0.5)} State=UNKNOWN
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP
`;

/** Returns what stops it again. SLURM_CONF of this process names it from now on. */
export async function startSlurm(folder: string): Promise<() => Promise<void>> {
  for (const name of ['state', 'spool']) mkdirSync(join(folder, name), { recursive: true });
  const first = 20_000 + (process.pid % 20_000);
  const conf = join(folder, 'slurm.conf');
  writeFileSync(conf, config(folder, [first, first + 1]));
  const key = join(folder, 'munge.key');
  writeFileSync(key, randomBytes(1024), { mode: 0o400 });
  process.env.SLURM_CONF = conf;
  const places = ['socket', 'pid-file', 'log-file', 'seed-file'].map(
    (name) => `--${name}=${join(folder, `munge.${name === 'socket' ? 'socket' : name.split('-')[0]}`)}`,
  );
  execFileSync('munged', ['--force', `--key-file=${key}`, ...places]);
  execFileSync('slurmctld', [], { stdio: 'ignore' });
  execFileSync('slurmd', [], { stdio: 'ignore' });
  const stop = () => stopAll(['slurmd.pid', 'slurmctld.pid', 'munge.pid'].map((name) => join(folder, name)));
  const run = promisify(execFile);
  for (let tries = 0; tries < 60; tries++) {
    const { stdout } = await run('sinfo', ['--noheader', '--format=%T']).catch(() => ({ stdout: '' }));
    if (/^(idle|mixed)$/m.test(stdout)) return stop;
    await pause(500);
  }
  await stop();
  throw new Error(`The node did not come up: ${readFileSync(join(folder, 'slurmctld.log'), 'utf8').slice(-2000)}`);
}

async function stopAll(pidFiles: readonly string[]): Promise<void> {
  for (const file of pidFiles) {
    if (!existsSync(file)) continue;
    const pid = Number(readFileSync(file, 'utf8'));
    for (let tries = 0; tries < 40; tries++) {
      try {
        process.kill(pid, tries === 0 ? 'SIGTERM' : 0);
      } catch {
        break;
      }
      await pause(250);
    }
  }
}
