/**
 * From a film and its gaze samples to what the network sees, as the released preprocessing does it: pad or crop centred, keep every fifth
 * pixel; blur the gaze on the original film with 501 taps (sigma 75.5, border reflected without its edge), then treat it the same.
 *
 * The gaze is blurred only at the pixels that are kept and only along rows that hold samples; terms that are left out are products with 0.
 */
import { gaussianKernel, reflect101 } from './gaussian-blur.ts';

export interface Recipe {
  /** Pixels of the original film, padded or cropped to. */
  readonly height: number;
  readonly width: number;
  readonly stride: number;
  /** Taps of the blur; 0 for sigma means the rule of OpenCV. */
  readonly taps: number;
  readonly sigma: number;
  /** Count the samples of a pixel in 8 bits with a sign, as the released code does: 128 becomes -128. */
  readonly wrapCounts: boolean;
  /** A film that exceeds both sides is cut at its top left corner, not centred, as the released code does. */
  readonly keepCorner: boolean;
}

const common = { height: 3200, stride: 5, taps: 501, sigma: 0 };

export const recipes = {
  /** 640 x 416, the paper's size. */
  paper: { ...common, width: 2080, wrapCounts: false, keepCorner: false },
  /** 640 x 512. */
  released: { ...common, width: 2560, wrapCounts: true, keepCorner: true },
} as const satisfies Record<string, Recipe>;

export type RecipeName = keyof typeof recipes;

export interface FilmSize {
  readonly height: number;
  readonly width: number;
}

export function outputSize({ height, width, stride }: Recipe): FilmSize {
  return { height: height / stride, width: width / stride };
}

/** Rows and columns of the film under each kept pixel; -1 where the padding is. */
function keptPixels(film: FilmSize, recipe: Recipe): { rows: Int32Array; columns: Int32Array } {
  const corner = recipe.keepCorner && film.height > recipe.height && film.width > recipe.width;
  const along = (side: 'height' | 'width') => {
    const before = corner ? 0 : Math.floor((recipe[side] - film[side]) / 2);
    return Int32Array.from({ length: recipe[side] / recipe.stride }, (_, i) => {
      const place = i * recipe.stride - before;
      return place >= 0 && place < film[side] ? place : -1;
    });
  };
  return { rows: along('height'), columns: along('width') };
}

/** H x W of the recipe, 0 in the padding; pixels: of the film, row-major. */
export function decimate(pixels: Uint16Array, film: FilmSize, recipe: Recipe): Uint16Array<ArrayBuffer> {
  const { rows, columns } = keptPixels(film, recipe);
  const kept = new Uint16Array(rows.length * columns.length);
  for (const [i, row] of rows.entries()) {
    if (row < 0) continue;
    for (const [j, column] of columns.entries())
      if (column >= 0) kept[i * columns.length + j] = pixels[row * film.width + column];
  }
  return kept;
}

/** Samples of each pixel by row: row -> counts of its columns. */
function countsByRow(points: Float64Array, film: FilmSize, wrap: boolean): Map<number, Float64Array> {
  const byRow = new Map<number, Float64Array>();
  for (let i = 0; i < points.length; i += 2) {
    const [column, row] = [Math.trunc(points[i]), Math.trunc(points[i + 1])];
    if (points[i] < 0 || points[i + 1] < 0 || column >= film.width || row >= film.height) continue;
    let counts = byRow.get(row);
    if (!counts) {
      counts = new Float64Array(film.width);
      byRow.set(row, counts);
    }
    counts[column]++;
  }
  if (wrap) for (const counts of byRow.values()) counts.set(Int8Array.from(counts));
  return byRow;
}

/** Blurred gaze at the kept pixels, 0 in the padding, before any scaling; null when no sample lies on the film. */
export function blurredGaze(points: Float64Array, film: FilmSize, recipe: Recipe): Float64Array | null {
  const { rows, columns } = keptPixels(film, recipe);
  const kernel = gaussianKernel(recipe.taps, recipe.sigma);
  const radius = (recipe.taps - 1) / 2;
  const byRow = countsByRow(points, film, recipe.wrapCounts);
  if (byRow.size === 0) return null;
  const reflected = (count: number) =>
    Int32Array.from({ length: count + 2 * radius }, (_, i) => reflect101(i - radius, count));
  const [acrossIndex, downIndex] = [reflected(film.width), reflected(film.height)];
  const blurredRows = new Map<number, Float64Array>();
  for (const [row, counts] of byRow) {
    const across = new Float64Array(columns.length);
    for (const [j, column] of columns.entries()) {
      if (column < 0) continue;
      let sum = 0;
      for (let k = 0; k < kernel.length; k++) {
        const count = counts[acrossIndex[column + k]];
        if (count !== 0) sum += kernel[k] * count;
      }
      across[j] = sum;
    }
    blurredRows.set(row, across);
  }
  const map = new Float64Array(rows.length * columns.length);
  for (const [i, row] of rows.entries()) {
    if (row < 0) continue;
    const line = map.subarray(i * columns.length, (i + 1) * columns.length);
    for (let k = 0; k < kernel.length; k++) {
      const across = blurredRows.get(downIndex[row + k]);
      if (across) for (let j = 0; j < line.length; j++) line[j] += kernel[k] * across[j];
    }
  }
  return map;
}

/** Gaze map of the recipe: min-max scaled to [0, 1]; null when no sample reaches it. */
export function recipeGaze(points: Float64Array, film: FilmSize, recipe: Recipe): Float64Array | null {
  const map = blurredGaze(points, film, recipe);
  if (!map) return null;
  let minimum = Number.POSITIVE_INFINITY;
  let maximum = Number.NEGATIVE_INFINITY;
  for (const value of map) {
    minimum = Math.min(minimum, value);
    maximum = Math.max(maximum, value);
  }
  if (!(maximum > minimum)) return null;
  return map.map((value) => (value - minimum) / (maximum - minimum));
}
