/**
 * A content hash inside the file that it is of, so that neither can be there without the other.
 *
 * A sealed file is a safetensors file whose first metadata entry is `sha256`: the SHA-256 of the whole file with zeros in that place.
 * Writers ask for the place by `unsealed`; `seal` fills it in; `checkSeal` finds every flipped bit.
 */
import { createHash } from 'node:crypto';
import { feed } from './pieces.ts';

const BEFORE = Buffer.from('{"__metadata__":{"sha256":"');
const ZEROS = '0'.repeat(64);
const AT = 8 + BEFORE.length;

/** Put first among a file's metadata. */
export const unsealed = { sha256: ZEROS } as const;

/** Fills in the hash, in place; returns the same bytes. */
export function seal(bytes: Uint8Array): Uint8Array {
  if (place(bytes) !== ZEROS) throw new Error('seal: the file has no place for a hash as its first metadata entry.');
  Buffer.from(bytes.buffer, bytes.byteOffset, AT + 64).write(hashOf(bytes), AT, 'latin1');
  return bytes;
}

/** @throws Error, a clause for a sentence, when the bytes are not those that were sealed */
export function checkSeal(bytes: Uint8Array): void {
  const sealed = place(bytes);
  if (sealed === null) throw new Error('it carries no content hash');
  const found = hashOf(bytes);
  if (found !== sealed)
    throw new Error(`its content hash is ${found.slice(0, 16)}..., it was written with ${sealed.slice(0, 16)}...`);
}

function place(bytes: Uint8Array): string | null {
  const start = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, AT + 64));
  return start.length === AT + 64 && start.subarray(8, AT).equals(BEFORE) ? start.toString('latin1', AT) : null;
}

function hashOf(bytes: Uint8Array): string {
  const hash = createHash('sha256').update(bytes.subarray(0, AT)).update(ZEROS);
  return feed(hash, bytes.subarray(AT + 64)).digest('hex');
}
