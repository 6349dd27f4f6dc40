/** Files of someone else's folder: read whole or in pieces, never from outside it. */
import { createReadStream, readFileSync, realpathSync, statSync } from 'node:fs';
import { join, sep } from 'node:path';
import { Failure, UsageError } from './failure.ts';

const LARGEST_FILE = 2 ** 30;

const REMEDIES: Record<string, string> = {
  ENOENT: 'it does not exist; check the folder, or download the file',
  EACCES: 'you may not read it; ask for the permission',
  EPERM: 'you may not read it; ask for the permission',
  EISDIR: 'it is a folder; give a file',
  ENOTDIR: 'it is no folder; give a folder',
  ELOOP: 'its links lead round in a circle; replace them by the file',
};

function problem(path: string, error: unknown): Failure {
  const { code = '', message } = error as NodeJS.ErrnoException;
  return new Failure(`${path} cannot be read: ${REMEDIES[code] ?? message}.`);
}

export function sourceFolder(option: string, path: string): string {
  try {
    if (statSync(path).isDirectory()) return realpathSync(path);
  } catch (error) {
    throw new UsageError(`${option} ${path}: ${problem(path, error).message}`);
  }
  throw new UsageError(`${option} ${path} is no folder; give the folder that holds the files.`);
}

/** The real path of a file below `root`, which is itself real; refuses ".." and links that lead out. */
export function fileInside(root: string, relative: string): string {
  const path = join(root, relative);
  let real: string;
  try {
    real = realpathSync(path);
  } catch (error) {
    throw problem(path, error);
  }
  if (!real.startsWith(root.endsWith(sep) ? root : root + sep))
    throw new Failure(`${path} lies outside ${root} (at ${real}); put the file itself into the folder.`);
  return real;
}

export function readWhole(path: string): Buffer {
  try {
    const { size } = statSync(path);
    if (size > LARGEST_FILE) throw new Failure(`${path} has ${size} bytes; at most ${LARGEST_FILE} are read.`);
    return readFileSync(path);
  } catch (error) {
    throw error instanceof Failure ? error : problem(path, error);
  }
}

/** Calls `take` with the bytes of a file, piece after piece; returns their number. */
export async function readPieces(path: string, take: (bytes: Uint8Array) => void): Promise<number> {
  let bytes = 0;
  const stream = createReadStream(path, { highWaterMark: 1 << 20 });
  // Only what the stream itself reports gets a remedy; `take` has sentences of its own.
  let failed: unknown = null;
  stream.on('error', (error) => {
    failed = error;
  });
  try {
    for await (const piece of stream) {
      bytes += (piece as Buffer).length;
      take(piece as Buffer);
    }
  } catch (error) {
    throw error === failed ? problem(path, error) : error;
  }
  return bytes;
}
