/** The gaze maps that have been used for these data, by name; all in [0, 1], at the pixels that a recipe keeps. */
import { type BlurredCounts, blurredCounts } from './blurred-counts.ts';
import { type Fixation, fixationMap } from './fixation-map.ts';
import type { FilmSize, Recipe } from './recipe.ts';

const opencv = {
  taps: 501,
  sigma: 0,
  border: 'without-edge',
  wrapCounts: false,
  firstRow: 0,
  evenSides: false,
} as const;

const countRules = {
  /** Every 60 Hz sample counts 1; 501 taps, for which OpenCV's sigma is 75.5 pixels of the original film. */
  paper: opencv,
  /** The same as the released code has it: counts of 8 bits with a sign. */
  released: { ...opencv, wrapCounts: true },
  /** EGD-CXR's own: every fixation counts 1; sigma 150 cut at 4 sigma; nothing in the first row. */
  fixations: { taps: 1201, sigma: 150, border: 'with-edge', wrapCounts: false, firstRow: 1, evenSides: true },
} as const satisfies Record<string, BlurredCounts>;

export const heatMapNames = ['paper', 'released', 'fixations', 'degrees'] as const;
export type HeatMapName = (typeof heatMapNames)[number];

/** One reader's look at a film. */
export interface Reading {
  /** x0 y0 x1 y1 ... in pixels of the original film: samples, or fixations for the map that counts those. */
  readonly points: Float64Array;
  /** What `degrees` needs. */
  readonly fixations?: readonly Fixation[];
}

function scaled(map: Float64Array, from: number): Float64Array | null {
  let maximum = Number.NEGATIVE_INFINITY;
  for (const value of map) maximum = Math.max(maximum, value);
  return maximum > from ? map.map((value) => (value - from) / (maximum - from)) : null;
}

function readingMap(reading: Reading, film: FilmSize, recipe: Recipe, name: HeatMapName): Float64Array | null {
  // A probability map as its authors have it: nothing is subtracted.
  if (name === 'degrees') {
    const map = fixationMap(reading.fixations ?? [], film, recipe);
    return map && scaled(map, 0);
  }
  const map = blurredCounts(reading.points, film, recipe, countRules[name]);
  return (
    map &&
    scaled(
      map,
      map.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY),
    )
  );
}

/**
 * Maximum 1, and minimum 0 for all but `degrees`. Several readings: the mean of their maps, each of sum 1, so that a long look counts as
 * much as a short one. Null when no gaze reaches the kept pixels.
 */
export function heatMap(
  readings: readonly Reading[],
  film: FilmSize,
  recipe: Recipe,
  name: HeatMapName,
): Float64Array | null {
  const maps = readings.map((reading) => readingMap(reading, film, recipe, name)).filter((map) => map !== null);
  if (maps.length <= 1) return maps[0] ?? null;
  const mean = new Float64Array(maps[0].length);
  for (const map of maps) {
    const sum = map.reduce((a, b) => a + b, 0);
    for (let i = 0; i < mean.length; i++) mean[i] += map[i] / sum / maps.length;
  }
  return scaled(mean, 0);
}
