/** The recipes against places in films that the released code was seen to treat so. */
import { expect, it } from 'vitest';
import { fromFloat16, toFloat16 } from '../../src/data/float16.ts';
import { decimate, outputSize, type Recipe, recipes } from '../../src/data/recipe.ts';

const small: Recipe = { height: 40, width: 30, stride: 5, keepCorner: false };

/** Row and column of each pixel as its value. */
const numbered = (height: number, width: number) => Uint16Array.from({ length: height * width }, (_, i) => i);

it('pads and crops centred: 3056 x 2544 gains 72 rows and 8 columns a side, 2544 x 3056 loses 248 columns', () => {
  expect(outputSize(recipes.released)).toEqual({ height: 640, width: 512 });
  expect(outputSize(recipes.paper)).toEqual({ height: 640, width: 416 });
  const at = (kept: Uint16Array, row: number, column: number) => kept[row * 512 + column];
  const portrait = new Uint16Array(3056 * 2544);
  portrait[(75 - 72) * 2544 + (10 - 8)] = 7;
  const kept = decimate(portrait, { height: 3056, width: 2544 }, recipes.released);
  expect([at(kept, 15, 2), kept.reduce((a, b) => a + b)]).toEqual([7, 7]);
  const landscape = new Uint16Array(2544 * 3056);
  landscape[(330 - 328) * 3056 + 248] = 9;
  const cropped = decimate(landscape, { height: 2544, width: 3056 }, recipes.released);
  expect([at(cropped, 66, 0), cropped.reduce((a, b) => a + b)]).toEqual([9, 9]);
});

it('keeps the corner of a film that exceeds both sides only as released', () => {
  const film = { height: 46, width: 44 };
  expect(decimate(numbered(46, 44), film, { ...small, keepCorner: true })[0]).toBe(0);
  expect(decimate(numbered(46, 44), film, small)[0]).toBe(3 * 44 + 7);
});

it('float16 there and back is the nearest', () => {
  for (let half = 0; half < 0x7c00; half++) expect(toFloat16(fromFloat16(Uint16Array.of(half))[0])).toBe(half);
  expect(toFloat16(1)).toBe(0x3c00);
  expect(toFloat16(1 + 2 ** -11)).toBe(0x3c00); // a tie goes to the even one
  expect(toFloat16(1 + 3 * 2 ** -11)).toBe(0x3c02);
  expect(toFloat16(-65504)).toBe(0xfbff);
  expect(toFloat16(65520)).toBe(0x7c00);
});
