/**
 * REFLACX's heat map: each fixation a Gaussian whose standard deviation is one degree of visual angle, cut to the part of the film that was
 * on the screen, weighted by the fixation's duration (Bigolin Lanfredi et al., Scientific Data 9, 350, 2022). At the pixels that a recipe keeps.
 */
import { exp } from './exact-math.ts';
import { type FilmSize, keptPixels, type Recipe } from './recipe.ts';

export interface Fixation {
  /** Pixels of the original film. */
  readonly x: number;
  readonly y: number;
  /** Seconds. */
  readonly duration: number;
  /** Pixels of the film in one degree, across and down. */
  readonly degreeX: number;
  readonly degreeY: number;
  /** Part of the film that was shown, pixels: left and top belong to it, right and bottom do not. Left out: all of it. */
  readonly shown?: { readonly left: number; readonly top: number; readonly right: number; readonly bottom: number };
}

/** Density along one axis at each place; 0 outside [from, to). */
function densities(places: Int32Array, centre: number, sigma: number, from: number, to: number): Float64Array {
  return Float64Array.from(places, (place) => {
    if (place < 0 || place < from || place >= to) return 0;
    const distance = (place - centre) / sigma;
    return exp(-0.5 * distance * distance) / (sigma * Math.sqrt(2 * Math.PI));
  });
}

/** Seconds per pixel of the film at the kept pixels, 0 in the padding; null when no fixation reaches them. */
export function fixationMap(fixations: readonly Fixation[], film: FilmSize, recipe: Recipe): Float64Array | null {
  const { rows, columns } = keptPixels(film, recipe);
  const map = new Float64Array(rows.length * columns.length);
  for (const { x, y, duration, degreeX, degreeY, shown } of fixations) {
    const { left = 0, top = 0, right = film.width, bottom = film.height } = shown ?? {};
    const across = densities(columns, x, degreeX, left, right);
    const down = densities(rows, y, degreeY, top, bottom);
    for (const [i, density] of down.entries()) {
      if (density === 0) continue;
      const line = map.subarray(i * columns.length, (i + 1) * columns.length);
      const weight = duration * density;
      for (let j = 0; j < line.length; j++) line[j] += weight * across[j];
    }
  }
  return map.some((value) => value > 0) ? map : null;
}
