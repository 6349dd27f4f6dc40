/** Films of other sizes than the clinical ones: brought to the recipe's canvas by the nearest pixel, and their gaze with them. */
import type { Ellipse } from './ellipse-map.ts';
import type { Reading } from './heat-map.ts';
import type { FilmSize, Recipe } from './recipe.ts';

/** By how much a film grows so that it just fits the canvas. */
export const fitFactor = (film: FilmSize, recipe: Recipe) =>
  Math.min(recipe.height / film.height, recipe.width / film.width);

export function fittedFilm<T extends FilmSize & { readonly pixels: Uint16Array }>(film: T, factor: number): T {
  const [height, width] = [film.height, film.width].map((side) => Math.max(1, Math.round(side * factor)));
  const pixels = new Uint16Array(height * width);
  const from = Int32Array.from({ length: width }, (_, j) => Math.min(film.width - 1, Math.floor((j + 0.5) / factor)));
  for (let i = 0; i < height; i++) {
    const row = Math.min(film.height - 1, Math.floor((i + 0.5) / factor)) * film.width;
    for (let j = 0; j < width; j++) pixels[i * width + j] = film.pixels[row + from[j]];
  }
  return { ...film, height, width, pixels };
}

export function fittedReading({ points, fixations }: Reading, factor: number): Reading {
  return {
    points: points.map((value) => value * factor),
    ...(fixations && {
      fixations: fixations.map(({ x, y, duration, degreeX, degreeY, shown }) => ({
        x: x * factor,
        y: y * factor,
        duration,
        degreeX: degreeX * factor,
        degreeY: degreeY * factor,
        ...(shown && { shown: scaledBox(shown, factor) }),
      })),
    }),
  };
}

export const fittedEllipse = (ellipse: Ellipse, factor: number): Ellipse => ({
  ...ellipse,
  ...scaledBox(ellipse, factor),
});

type Box = Pick<Ellipse, 'left' | 'top' | 'right' | 'bottom'>;
const scaledBox = ({ left, top, right, bottom }: Box, factor: number): Box => ({
  left: left * factor,
  top: top * factor,
  right: right * factor,
  bottom: bottom * factor,
});
