/**
 * Files that are there whole or not at all: written beside their place, flushed to the disk, renamed.
 *
 * A reader, a crash or a full disk never meets half of one; what was there before stays until the new contents are safe.
 */
import { randomBytes } from 'node:crypto';
import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Failure } from './failure.ts';
import { writeBytes } from './pieces.ts';

const PART = /\.\d+\.[0-9a-f]{8}\.part$/;

/** Writes `content` under `path`; what was there before moves to `previous`, where that is given. */
export function writeWhole(path: string, content: string | Uint8Array, { previous }: { previous?: string } = {}): void {
  const temporary = `${path}.${process.pid}.${randomBytes(4).toString('hex')}.part`;
  try {
    mkdirSync(dirname(path), { recursive: true });
    const file = openSync(temporary, 'w');
    try {
      writeBytes(file, typeof content === 'string' ? Buffer.from(content) : content);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    if (previous && existsSync(path)) renameSync(path, previous);
    renameSync(temporary, path);
    flush(dirname(path));
  } catch (error) {
    discard(temporary);
    throw notWritten(path, error);
  }
}

/** What a user can do about a file that could not be written. */
export function notWritten(path: string, error: unknown): Failure {
  const { code, message } = error as NodeJS.ErrnoException;
  const remedy =
    code === 'ENOSPC' || code === 'EDQUOT'
      ? 'free some space, then go on'
      : 'choose a folder that you may write to, or change its permissions';
  return new Failure(`${path} could not be written (${message}); ${remedy}.`);
}

/** Brings a file, or the names in a folder, to the disk; a crash of the machine then leaves them. Nothing to do where there is none. */
export function flush(path: string): void {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch {
    return; // not there yet, or a folder on a system that does not open folders
  }
  try {
    fsyncSync(file);
  } catch {
    // Some file systems cannot flush a folder; the rename is then as safe as they make it.
  } finally {
    closeSync(file);
  }
}

/** Removes what writers that were killed have left in `folder` and right below. */
export function removeParts(folder: string): void {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) {
      for (const name of readdirSync(path)) if (PART.test(name)) discard(join(path, name));
    } else if (PART.test(entry.name)) discard(path);
  }
}

function discard(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    // A folder that cannot be written to has no file of ours to remove.
  }
}
