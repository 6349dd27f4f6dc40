import { describe, expect, it } from 'vitest';
import type { ChestSample } from '../../src/data/dataset.ts';
import { fingerprint, fingerprintSplits } from '../../src/data/fingerprint.ts';

describe('fingerprint', () => {
  // Test vectors of the authors of FNV (Fowler, Noll, Vo), 64 bit, variant 1a.
  it.each([
    ['', 'cbf29ce484222325'],
    ['a', 'af63dc4c8601ec8c'],
    ['foobar', '85944171f73967e8'],
  ])('of the text "%s" is %s', (text, expected) => {
    const print = fingerprint();
    print.text(text);
    expect(print.digest()).toBe(expected);
  });

  it('reads floats as their bytes, least significant first', () => {
    const floats = fingerprint();
    floats.floats(new Float32Array([0, 3.0118346214294434]).subarray(1)); // 0x4040c1e6 would be bytes e6 c1 40 40
    const integer = fingerprint();
    integer.integer(new DataView(new Float32Array([3.0118346214294434]).buffer).getUint32(0, true));
    expect(floats.digest()).toBe(integer.digest());
    const letters = fingerprint();
    letters.integer(0x6f6f66); // "foo" and a zero byte
    const text = fingerprint();
    text.text('foo\0');
    expect(letters.digest()).toBe(text.digest());
  });
});

describe('fingerprintSplits', () => {
  const sample: ChestSample = {
    id: 'a',
    patient: 'p',
    label: 1,
    image: Float32Array.from([0.1, 0.2]),
    gaze: Float32Array.from([0.3, 0.4]),
  };
  const of = (...samples: ChestSample[]) => fingerprintSplits(1, 2, { train: samples });

  it('changes with every part of a sample, with the order and with the split', () => {
    const other = { ...sample, id: 'b' };
    const hashes = [
      of(sample),
      of({ ...sample, label: 2 }),
      of({ ...sample, patient: 'q' }),
      of(other),
      of({ ...sample, image: Float32Array.from([0.1, 0.20000002]) }),
      of({ ...sample, gaze: Float32Array.from([0.3, 0.39999998]) }),
      of({ ...sample, image: sample.gaze, gaze: sample.image }),
      of(sample, other),
      of(other, sample),
      fingerprintSplits(2, 1, { train: [sample] }),
      fingerprintSplits(1, 2, { test: [sample] }),
    ];
    expect(new Set(hashes).size).toBe(hashes.length);
    for (const hash of hashes) expect(hash).toMatch(/^[0-9a-f]{16}$/);
    expect(of({ ...sample, image: sample.image.slice() })).toBe(of(sample));
  });
});
