/** Node hashes, reads and writes less than 2 GiB at once; the checkpoint of a network of a hundred million parameters is larger. */
import { createHash, type Hash } from 'node:crypto';
import { closeSync, fstatSync, openSync, readSync, writeSync } from 'node:fs';

const PIECE = 2 ** 30;

/** Feeds all of `bytes` to `hash`. */
export function feed(hash: Hash, bytes: Uint8Array, piece = PIECE): Hash {
  for (let at = 0; at < bytes.length; at += piece) hash.update(bytes.subarray(at, at + piece));
  return hash;
}

export const sha256 = (content: string | Uint8Array) =>
  feed(createHash('sha256'), typeof content === 'string' ? Buffer.from(content) : content).digest('hex');

/** Writes all of `bytes` from the place where the open file is. */
export function writeBytes(file: number, bytes: Uint8Array, piece = PIECE): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at, Math.min(piece, bytes.length - at));
}

/** The bytes of a file. */
export function readBytes(path: string, piece = PIECE): Uint8Array {
  const file = openSync(path, 'r');
  try {
    const bytes = new Uint8Array(fstatSync(file).size);
    for (let at = 0; at < bytes.length; ) {
      const read = readSync(file, bytes, at, Math.min(piece, bytes.length - at), at);
      if (read === 0) return bytes.subarray(0, at); // cut while it was read
      at += read;
    }
    return bytes;
  } finally {
    closeSync(file);
  }
}
