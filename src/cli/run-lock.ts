/**
 * One process at a time writes to a run's folder.
 *
 * The file `lock` names the process that holds it. It appears whole (written aside, then linked: a link never replaces a file), so whoever
 * finds one can read it. The lock of a process that is gone is taken over: on this machine its number and the time it started tell; of
 * another machine only the lock's own age does, which its holder renews and which is watched, not compared with a clock that may jump.
 */
import { randomUUID } from 'node:crypto';
import { linkSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Failure } from './failure.ts';
import { notWritten } from './whole-file.ts';

const RENEW_MS = 5000;
/** A holder on another machine is gone when it has not renewed its lock for so long while we looked. */
const PATIENCE_MS = 60_000;

interface Holder {
  readonly pid: number;
  readonly host: string;
  /** When the process started, as the system counts; null where it does not say. */
  readonly began: string | null;
  /** Tells two holders of the same process apart. */
  readonly id: string;
}

export interface LockOptions {
  /** Milliseconds to watch a lock of another machine. */
  readonly patience?: number;
  readonly announce?: (message: string) => void;
}

/** Waits for nobody: throws a sentence when a process that is alive holds the folder. Dispose of the result to let go. */
export async function lockRun(run: string, options: LockOptions = {}): Promise<Disposable> {
  const path = join(run, 'lock');
  const me: Holder = { pid: process.pid, host: hostname(), began: beginning(process.pid), id: randomUUID() };
  for (;;) {
    if (take(path, me)) return held(path, me);
    const text = readText(path);
    if (text === null) continue; // let go just now
    const holder = parse(text);
    if (holder && (await isAlive(holder, path, text, options))) {
      const { pid, host } = holder;
      throw new Failure(
        `${run} is in use by process ${pid}${host === me.host ? '' : ` on ${host}`}; wait for it to end or stop it, then try again.`,
      );
    }
    remove(path, text);
  }
}

function take(path: string, me: Holder): boolean {
  const aside = `${path}.${me.id}`;
  try {
    writeFileSync(aside, JSON.stringify(me));
    linkSync(aside, path);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') return false;
    throw notWritten(path, error);
  } finally {
    rmSync(aside, { force: true });
  }
}

function held(path: string, me: Holder): Disposable {
  const text = JSON.stringify(me);
  const mine = () => readText(path) === text;
  const renewal = setInterval(() => {
    if (!mine()) return;
    const now = new Date();
    utimesSync(path, now, now);
  }, RENEW_MS);
  renewal.unref();
  return {
    [Symbol.dispose]() {
      clearInterval(renewal);
      if (mine()) rmSync(path, { force: true });
    },
  };
}

/** Moves a stale lock out of the way; puts it back if meanwhile another process has taken the stale one over. */
function remove(path: string, stale: string): void {
  const aside = `${path}.${randomUUID()}`;
  try {
    renameSync(path, aside);
  } catch {
    return; // somebody was faster
  }
  try {
    if (readText(aside) !== stale) linkSync(aside, path);
  } finally {
    rmSync(aside, { force: true });
  }
}

async function isAlive(
  holder: Holder,
  path: string,
  text: string,
  { patience = PATIENCE_MS, announce }: LockOptions,
): Promise<boolean> {
  if (holder.host === hostname()) {
    return exists(holder.pid) && (holder.began === null || beginning(holder.pid) === holder.began);
  }
  announce?.(`A process on ${holder.host} holds the folder; watching for ${patience / 1000} s whether it is alive.`);
  const before = renewed(path);
  for (let waited = 0; waited < patience; waited += RENEW_MS / 5) {
    await pause(Math.min(patience, RENEW_MS / 5));
    if (renewed(path) !== before || readText(path) !== text) return true;
  }
  return false;
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Field 22 of /proc/<pid>/stat, with the boot's identity: a number that is used again, even after a restart, is another process. */
function beginning(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (fields[0] === 'Z') return 'ended';
    return `${readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim()} ${fields[19]}`;
  } catch {
    return null;
  }
}

function parse(text: string): Holder | null {
  try {
    const { pid, host, began, id } = JSON.parse(text) as Partial<Holder>;
    const whole = Number.isInteger(pid) && pid! > 0 && typeof host === 'string' && typeof id === 'string';
    return whole ? { pid: pid!, host, began: began ?? null, id } : null;
  } catch {
    return null;
  }
}

function readText(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}

const renewed = (path: string) => {
  try {
    return statSync(path).mtimeMs;
  } catch {
    return null;
  }
};
