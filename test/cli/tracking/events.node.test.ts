/**
 * Event files by an independent reader: frames and protobuf taken apart byte by byte, CRC-32C bit by bit, after their specifications.
 */
import { expect, it } from 'vitest';
import { crc32c, summaryEvent, versionEvent } from '../../../src/cli/tracking/events.ts';
import { readEvents, slowCrc32c } from '../../support/event-file.ts';

it('CRC-32C has the values of RFC 3720, B.4', () => {
  const bytes = (at: (i: number) => number) => Uint8Array.from({ length: 32 }, (_, i) => at(i));
  expect(crc32c(bytes(() => 0))).toBe(0x8a9136aa);
  expect(crc32c(bytes(() => 255))).toBe(0x62a8ab43);
  expect(crc32c(bytes((i) => i))).toBe(0x46dd794e);
  expect(crc32c(bytes((i) => 31 - i))).toBe(0x113fdb5c);
  expect(slowCrc32c(new TextEncoder().encode('123456789'))).toBe(0xe3069283);
});

it('events come out as they went in', () => {
  const png = Uint8Array.of(137, 80, 78, 71);
  const file = Buffer.concat([
    versionEvent(1.5),
    summaryEvent(1732500000.25, 300, { 'step/loss': 0.5, 'step/sigma/class': -1.25 }, [
      { tag: 'film', height: 3, width: 200, png },
    ]),
  ]);
  const [first, second] = readEvents(file);
  expect(first).toEqual({ wallTime: 1.5, step: 0, version: 'brain.Event:2', scalars: {}, images: {} });
  expect(second).toEqual({
    wallTime: 1732500000.25,
    step: 300,
    version: null,
    scalars: { 'step/loss': 0.5, 'step/sigma/class': -1.25 },
    images: { film: { height: 3, width: 200, bytes: 4 } },
  });
});

it('a flipped bit is found', () => {
  const file = versionEvent(1);
  for (const at of [0, 9, 13, file.length - 1]) {
    const damaged = Uint8Array.from(file);
    damaged[at] ^= 4;
    expect(() => readEvents(damaged)).toThrow();
  }
});
