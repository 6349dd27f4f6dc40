/** Ellipses that readers drew around what they found, as an extra target: at the pixels that a recipe keeps. */
import { type FilmSize, keptPixels, type Recipe } from './recipe.ts';

/** Inscribed in a box, axes along its sides; pixels of the original film. */
export interface Ellipse {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
  /** 0 (absent) to 5 (consistent with). */
  readonly certainty: number;
}

/** The largest certainty over 5 of any ellipse that covers the pixel's place, 0 to 1; several readers: the mean of their maps. */
export function ellipseMap(readings: readonly (readonly Ellipse[])[], film: FilmSize, recipe: Recipe): Float64Array {
  const { rows, columns } = keptPixels(film, recipe);
  const mean = new Float64Array(rows.length * columns.length);
  for (const ellipses of readings) {
    const map = new Float64Array(mean.length);
    for (const { left, top, right, bottom, certainty } of ellipses) {
      const [radiusX, radiusY] = [(right - left) / 2, (bottom - top) / 2];
      for (const [i, row] of rows.entries()) {
        const y = (row - (top + radiusY)) / radiusY;
        if (row < 0 || y * y > 1) continue;
        for (const [j, column] of columns.entries()) {
          const x = (column - (left + radiusX)) / radiusX;
          if (column < 0 || x * x + y * y > 1) continue;
          const at = i * columns.length + j;
          map[at] = Math.max(map[at], certainty / 5);
        }
      }
    }
    for (let i = 0; i < mean.length; i++) mean[i] += map[i] / readings.length;
  }
  return mean;
}
