/** Recorded values reach tests in Node and in a browser, byte for byte. */
import { expect, test } from 'vitest';
import { goldenFiles, readGolden } from '../support/browser-files.ts';

test('a folder lists its files, sorted', async () => {
  const names = await goldenFiles('loading');
  expect(names).toContain('good.safetensors');
  expect(names).toEqual([...names].sort());
});

test('a file arrives byte for byte', async () => {
  const bytes = await readGolden('loading/good.safetensors');
  const headerBytes = Number(new DataView(bytes.buffer).getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + headerBytes)));
  const ends = Object.entries(header as Record<string, { data_offsets?: [number, number] }>).map(
    ([, { data_offsets }]) => data_offsets?.[1] ?? 0,
  );
  expect(bytes.length).toBe(8 + headerBytes + Math.max(...ends));
});

test('a file that does not exist is an error', async () => {
  await expect(readGolden('loading/no-such-file')).rejects.toThrow('no-such-file');
});
