/** Gaze in another unit than pixels of the picture is told; gaze in pixels is not. */
import { expect, test } from 'vitest';
import { gazeExtent, gazeWarnings } from '../../src/data/gaze-extent.ts';

const [height, width] = [3000, 2500];
/** Samples spread over the picture, as shares of it. */
const shares = Array.from({ length: 20 }, (_, i) => [0.2 + 0.03 * i, 0.3 + ((0.37 * i) % 0.5)] as const);

function warn(of: (x: number, y: number) => [number, number], films = 4): string[] {
  const points = shares.flatMap(([x, y]) => of(x, y));
  return gazeWarnings(
    new Map(Array.from({ length: films }, (_, i) => [`film${i}`, gazeExtent(points, { height, width })])),
  );
}

test('pixels are what is expected', () => {
  expect(warn((x, y) => [x * width, y * height])).toEqual([]);
  expect(warn((x, y) => [x * width - 600, y * height])).toEqual([]); // some of it beside the picture
});

test.each<[string, (x: number, y: number) => [number, number], RegExp]>([
  [
    'shares of the picture',
    (x, y) => [x, y],
    /^4 of 4 pictures, the first of them film0: the gaze lies between 0 and 1/,
  ],
  [
    'percent',
    (x, y) => [100 * x, 100 * y],
    /^the gaze of all 4 pictures keeps to 3 % of their width and 3 % of their height/,
  ],
  ['degrees', (x, y) => [30 * x, 20 * y], /another unit than pixels of the picture/],
  ['thousandths of a millimetre', (x, y) => [1e6 * x, 1e6 * y], /more than half of the gaze lies outside/],
  [
    'pixels from the centre',
    (x, y) => [x * width - 2500, y * height - 3000],
    /more than half of the gaze lies outside/,
  ],
  ['one pixel', () => [1200.2, 800.9], /all gaze lies in one pixel/],
  ['zeros', () => [0, 0], /all gaze lies in one pixel/],
])('%s', (_, of, sentence) => {
  const warnings = warn(of);
  expect(warnings).toHaveLength(1);
  expect(warnings[0]).toMatch(sentence);
  expect(warnings[0]).toMatch(/[.?]$|\)\.$/);
});

test('one picture among many is named', () => {
  const good = gazeExtent(
    shares.flatMap(([x, y]) => [x * width, y * height]),
    { height, width },
  );
  const bad = gazeExtent(shares.flat(), { height, width });
  const [warning, ...others] = gazeWarnings(
    new Map([
      ['a', good],
      ['b', bad],
      ['c', good],
    ]),
  );
  expect(warning).toMatch(/^b: the gaze lies between 0 and 1/);
  expect(others).toEqual([]);
});

test('two samples say nothing', () => {
  expect(gazeWarnings(new Map([['a', gazeExtent([0, 0, 0, 0], { height, width })]]))).toEqual([]);
});
