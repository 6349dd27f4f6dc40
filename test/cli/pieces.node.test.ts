/** Files that Node cannot take at once: in pieces of any size, the same bytes and the same hash. */
import { createHash } from 'node:crypto';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { feed, readBytes, sha256, writeBytes } from '../../src/cli/pieces.ts';

const bytes = Uint8Array.from({ length: 1000 }, (_, i) => (i * 31) % 251);
const expected = createHash('sha256').update(bytes).digest('hex');

it.each([1, 7, 500, 999, 1000, 1001])('of %i bytes', (piece) => {
  const place = mkdtempSync(join(tmpdir(), 'mtunet-'));
  const path = join(place, 'file');
  const file = openSync(path, 'w');
  writeBytes(file, bytes, piece);
  closeSync(file);
  expect(new Uint8Array(readFileSync(path))).toEqual(bytes);
  expect(readBytes(path, piece)).toEqual(bytes);
  expect(feed(createHash('sha256'), bytes, piece).digest('hex')).toBe(expected);
  rmSync(place, { recursive: true });
});

it('hash text and nothing', () => {
  expect(sha256('')).toBe(createHash('sha256').digest('hex'));
  expect(sha256('sigma σ')).toBe(createHash('sha256').update('sigma σ').digest('hex'));
});
