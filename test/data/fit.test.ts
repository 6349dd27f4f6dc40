/** A film that is brought to the canvas lies where its gaze lies. */
import { expect, it } from 'vitest';
import { fitFactor, fittedEllipse, fittedFilm, fittedReading } from '../../src/data/fit.ts';
import { recipes } from '../../src/data/recipe.ts';

it('fits the canvas by its longer side', () => {
  expect(fitFactor({ height: 320, width: 100 }, recipes.paper)).toBe(10);
  expect(fitFactor({ height: 100, width: 416 }, recipes.paper)).toBe(5);
  expect(fitFactor({ height: 6400, width: 100 }, recipes.paper)).toBe(0.5);
});

it.each([1, 3, 0.5, 2.5])('repeats or leaves out pixels by a factor of %d, and moves the gaze along', (factor) => {
  const [height, width] = [8, 6];
  const pixels = Uint16Array.from({ length: height * width }, (_, i) => i);
  const film = fittedFilm({ height, width, pixels, bits: 12 }, factor);
  expect([film.height, film.width, film.bits]).toEqual([8 * factor, 6 * factor, 12]);
  for (const [x, y] of [
    [0.5, 0.5],
    [4.5, 6.5],
  ]) {
    const [column, row] = fittedReading({ points: Float64Array.of(x, y) }, factor).points;
    const value = film.pixels[Math.floor(row) * film.width + Math.floor(column)];
    const [ownColumn, ownRow] = [value % width, Math.floor(value / width)];
    // Left out pixels: the one beside stands for them.
    expect(Math.abs(ownColumn + 0.5 - x)).toBeLessThanOrEqual(factor < 1 ? 1 : 0);
    expect(Math.abs(ownRow + 0.5 - y)).toBeLessThanOrEqual(factor < 1 ? 1 : 0);
  }
  const fixation = { x: 2, y: 3, duration: 0.5, degreeX: 4, degreeY: 5 };
  const { fixations } = fittedReading({ points: new Float64Array(), fixations: [fixation] }, factor);
  expect(fixations).toEqual([
    { x: 2 * factor, y: 3 * factor, duration: 0.5, degreeX: 4 * factor, degreeY: 5 * factor },
  ]);
  expect(fittedEllipse({ left: 1, top: 2, right: 3, bottom: 4, certainty: 5 }, factor).bottom).toBe(4 * factor);
});
