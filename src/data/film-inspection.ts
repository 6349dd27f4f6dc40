/** A decoded picture as a flat description, as `mtunet data inspect` prints it. */
import type { Film, FilmDetails } from './film.ts';

export interface PictureInspection
  extends Pick<Film, 'height' | 'width' | 'bits' | 'inverted' | 'range'>,
    Omit<FilmDetails, 'values'> {
  readonly file: string;
  /** Pixels that hold a padding value. */
  readonly paddedPixels: number;
  /** The least and the largest modality value before polarity; padding takes no part. null: there is nothing but padding. */
  readonly least: number | null;
  readonly largest: number | null;
  /** height x width modality values, row by row, before polarity. */
  readonly values?: readonly number[];
}

export function inspection(file: string, film: Film): PictureInspection {
  const { height, width, bits, inverted, range, details } = film;
  const { values, ...described } = details;
  return { file, height, width, bits, inverted, range, ...described, ...extent(values(), details) };
}

/** Values that lie between the ends of the padding, which are stored values, are padding. */
function extent(values: Float64Array, { padding, rescale }: FilmDetails) {
  const { slope, intercept } = rescale ?? { slope: 1, intercept: 0 };
  const ends = padding?.map((stored) => slope * stored + intercept);
  const [low, high] = ends ? [Math.min(...ends), Math.max(...ends)] : [Infinity, -Infinity];
  let [least, largest, paddedPixels] = [Infinity, -Infinity, 0];
  for (const value of values) {
    if (value >= low && value <= high) {
      paddedPixels++;
      continue;
    }
    if (value < least) least = value;
    if (value > largest) largest = value;
  }
  return least > largest ? { least: null, largest: null, paddedPixels } : { least, largest, paddedPixels };
}

export function* valueRows({ height, width, details }: Film): Generator<Float64Array> {
  const values = details.values();
  for (let row = 0; row < height; row++) yield values.subarray(row * width, (row + 1) * width);
}
