/** Lossless JPEG against an encoder of the tests' own, in noise whose differences wrap: right to the bit. */
import { describe, expect, it } from 'vitest';
import { decodeLosslessJpeg } from '../../src/data/jpeg-lossless.ts';
import { encodeLosslessJpeg, type LosslessOptions } from '../support/jpeg-lossless-encoder.ts';

/** Noise over the whole range, ends included, by a linear congruential generator. */
function noise(count: number, bits: number, seed: number): Uint16Array {
  let state = seed;
  const values = Uint16Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const choice = state >>> 28;
    return choice === 0 ? 0 : choice === 1 ? 2 ** bits - 1 : (state >>> 8) & (2 ** bits - 1);
  });
  return values;
}

const size = { height: 9, width: 11 };
const predictors = [1, 2, 3, 4, 5, 6, 7];

function check(options: LosslessOptions, seed = 1): void {
  const values = noise(options.height * options.width, options.precision, seed);
  const shift = options.pointTransform ?? 0;
  const decoded = decodeLosslessJpeg(encodeLosslessJpeg(values, options));
  expect(decoded.values).toEqual(values.map((value) => (value >> shift) << shift));
  expect([decoded.height, decoded.width, decoded.precision]).toEqual([
    options.height,
    options.width,
    options.precision,
  ]);
}

describe.each(predictors)('predictor %i', (predictor) => {
  it('decodes 2 to 16 bits with every point transform and restart interval', () => {
    for (let precision = 2; precision <= 16; precision++)
      for (let pointTransform = 0; pointTransform < precision; pointTransform++)
        for (const restartLines of [0, 1, 2, 9])
          check({ ...size, precision, predictor, pointTransform, restartLines }, precision + restartLines);
  });

  it('decodes more than eight restart intervals, fill bytes, single lines and columns, and a DNL segment', () => {
    check({ height: 23, width: 3, precision: 16, predictor, restartLines: 1, fill: 2 });
    check({ height: 1, width: 40, precision: 16, predictor });
    check({ height: 40, width: 1, precision: 16, predictor });
    check({ height: 1, width: 1, precision: 12, predictor });
    check({ ...size, precision: 12, predictor, dnl: true });
    check({ ...size, precision: 12, predictor, dnl: true, restartLines: 2, fill: 1 });
  });
});

it('decodes differences of 32768, category 16', () => {
  const values = Uint16Array.of(0, 32768, 0, 65535, 32767, 65535);
  const stream = encodeLosslessJpeg(values, { height: 1, width: 6, precision: 16, predictor: 1 });
  expect(decodeLosslessJpeg(stream).values).toEqual(values);
});

it('passes over application segments and comments', () => {
  const values = noise(99, 12, 5);
  const segments = [
    [0xe0, 1, 2, 3],
    [0xfe, 0xff, 0xda, 0xff, 0xd9],
  ];
  const stream = encodeLosslessJpeg(values, { ...size, precision: 12, predictor: 7, segments });
  expect(decodeLosslessJpeg(stream).values).toEqual(values);
});

it('ignores what follows the scan, also when the EOI marker is missing', () => {
  const values = noise(99, 12, 5);
  const stream = encodeLosslessJpeg(values, { ...size, precision: 12, predictor: 1 });
  expect(decodeLosslessJpeg(Uint8Array.of(...stream, 0, 0, 0)).values).toEqual(values);
  expect(decodeLosslessJpeg(stream.subarray(0, -2)).values).toEqual(values);
});

describe('says what is wrong with', () => {
  const values = noise(99, 12, 3);
  const whole = encodeLosslessJpeg(values, { ...size, precision: 12, predictor: 1, restartLines: 3 });
  const at = (code: number) => whole.findIndex((byte, i) => byte === 0xff && whole[i + 1] === code);
  const changed = (place: number, value: number) => whole.map((byte, i) => (i === place ? value : byte));
  it.each<[string, Uint8Array, RegExp]>([
    ['a scan that is cut', whole.subarray(0, -20), /the scan ends early|restart marker/],
    ['a stream without a scan', whole.subarray(0, at(0xda)), /ends after \d+ bytes, before its scan/],
    ['another kind of frame', changed(at(0xc3) + 1, 0xc1), /frame header is SOF1/],
    ['colour', changed(at(0xc3) + 9, 3), /3 components; one is read/],
    ['a precision of 17', changed(at(0xc3) + 4, 17), /precision of 17 bits/],
    ['predictor 0', changed(at(0xda) + 7, 0), /predictor 0 is none of 1 to 7/],
    ['a table that is missing', changed(at(0xda) + 6, 0x20), /Huffman table 2, which is not defined/],
    ['a restart interval of a line and a half', changed(at(0xdd) + 5, 34), /34 is no multiple of the 11 samples/],
    ['restart markers out of order', changed(at(0xd0) + 1, 0xd5), /restart marker 0 is missing.*ffd5/],
    ['a point transform of all bits', changed(at(0xda) + 9, 12), /point transform of 12 leaves none of 12 bits/],
    ['no JPEG', Uint8Array.of(1, 2, 3), /SOI/],
  ])('%s', (_, bytes, reason) => {
    expect(() => decodeLosslessJpeg(bytes)).toThrow(reason);
  });
});
