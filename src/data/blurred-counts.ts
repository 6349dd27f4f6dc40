/**
 * Gaze samples counted in each pixel of the original film and blurred, at the pixels that a recipe keeps.
 *
 * Only rows that hold samples are blurred along, and only kept pixels are computed; the terms that are left out are products with 0, so
 * that the values are those of the blur of the whole film, to the bit.
 */
import { gaussianKernel, reflect101 } from './gaussian-blur.ts';
import { type FilmSize, keptPixels, type Recipe } from './recipe.ts';

export interface BlurredCounts {
  /** Weights of the blur along each axis, an odd number. */
  readonly taps: number;
  /** Pixels of the original film; 0 means OpenCV's rule for the taps. */
  readonly sigma: number;
  /** Beyond the border the film goes on mirrored: without its edge pixel (OpenCV's default) or with it (SciPy's). */
  readonly border: 'without-edge' | 'with-edge';
  /** Count the samples of a pixel in 8 bits with a sign: 128 becomes -128. */
  readonly wrapCounts: boolean;
  /** The least row whose samples count. */
  readonly firstRow: 0 | 1;
  /** Odd sides of the film gain a row or column before the blur. */
  readonly evenSides: boolean;
}

/** The index inside 0 ... count - 1 that `index` stands for, the edge repeated: dcba|abcd|dcba. */
export function reflectEdge(index: number, count: number): number {
  const period = 2 * count;
  const phase = ((index % period) + period) % period;
  return phase < count ? phase : period - 1 - phase;
}

/** Samples of each pixel by row: row -> counts of its columns. */
function countsByRow(points: Float64Array, film: FilmSize, { wrapCounts, firstRow }: BlurredCounts) {
  const byRow = new Map<number, Float64Array>();
  for (let i = 0; i < points.length; i += 2) {
    const [column, row] = [Math.trunc(points[i]), Math.trunc(points[i + 1])];
    if (points[i] < 0 || points[i + 1] < 0 || row < firstRow || column >= film.width || row >= film.height) continue;
    let counts = byRow.get(row);
    if (!counts) {
      counts = new Float64Array(film.width);
      byRow.set(row, counts);
    }
    counts[column]++;
  }
  if (wrapCounts) for (const counts of byRow.values()) counts.set(Int8Array.from(counts));
  return byRow;
}

/**
 * points: x0 y0 x1 y1 ... in pixels of the film.
 * Returns the blurred counts at the kept pixels, 0 in the padding, before any scaling; null when no sample lies on the film.
 */
export function blurredCounts(
  points: Float64Array,
  film: FilmSize,
  recipe: Recipe,
  rule: BlurredCounts,
): Float64Array | null {
  const { rows, columns } = keptPixels(film, recipe);
  const even = (side: number) => (rule.evenSides ? side + (side % 2) : side);
  const canvas = { height: even(film.height), width: even(film.width) };
  const kernel = gaussianKernel(rule.taps, rule.sigma);
  const radius = (rule.taps - 1) / 2;
  const byRow = countsByRow(points, canvas, rule);
  if (byRow.size === 0) return null;
  const reflect = rule.border === 'with-edge' ? reflectEdge : reflect101;
  const reflected = (count: number) =>
    Int32Array.from({ length: count + 2 * radius }, (_, i) => reflect(i - radius, count));
  const [acrossIndex, downIndex] = [reflected(canvas.width), reflected(canvas.height)];
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
