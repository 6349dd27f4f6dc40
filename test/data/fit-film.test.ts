import { expect, it } from 'vitest';
import { fitFilm } from '../../src/data/fit-film.ts';

const film = (height: number, width: number, pixels: number[], inverted = false, bits = 8) => ({
  height,
  width,
  pixels: Uint16Array.from(pixels),
  inverted,
  range: 2 ** bits - 1,
});

it('keeps the shape, scales by area and pads with black', () => {
  const fitted = fitFilm(film(2, 4, [0, 100, 200, 200, 100, 200, 200, 200]), { height: 4, width: 2 });
  expect({ ...fitted, image: [...fitted.image] }).toEqual({
    top: 1,
    left: 0,
    height: 1,
    width: 2,
    image: [0, 0, 0.5, 1, 0, 0, 0, 0].map(Math.fround),
  });
});

it('enlarges, and shares a pixel that lies on a border', () => {
  expect([...fitFilm(film(1, 2, [40, 80]), { height: 2, width: 4 }).image]).toEqual([0.5, 0.5, 1, 1, 0.5, 0.5, 1, 1]);
  const { image } = fitFilm(film(1, 3, [0, 60, 90]), { height: 1, width: 2 });
  expect(image[0]).toBeCloseTo(20 / 80, 6); // (0 + 60 / 2) / 1.5 against (60 / 2 + 90) / 1.5
});

it('turns a film whose smallest value is white, and is bright at its brightest', () => {
  expect([...fitFilm(film(1, 2, [4095, 0], true, 12), { height: 1, width: 2 }).image]).toEqual([0, 1]);
  expect(fitFilm(film(2, 2, [0, 0, 0, 0]), { height: 2, width: 2 }).image).toEqual(new Float32Array(4));
});
