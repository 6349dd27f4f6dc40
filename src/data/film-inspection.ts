/** A decoded picture as a flat description, as `mtunet data inspect` prints it. */
import type { Film, FilmDetails } from './film.ts';

export interface PictureInspection
  extends Pick<Film, 'height' | 'width' | 'bits' | 'inverted' | 'range'>,
    Omit<FilmDetails, 'values' | 'isPadding'> {
  readonly file: string;
  /** Pixels that hold a padding value. */
  readonly paddedPixels: number;
  /** The least and the largest modality value before polarity; padding takes no part. null: there is nothing but padding. */
  readonly least: number | null;
  readonly largest: number | null;
}

export function inspection(file: string, film: Film): PictureInspection {
  const { height, width, bits, inverted, range, details } = film;
  const { values, isPadding, ...described } = details;
  return { file, height, width, bits, inverted, range, ...described, ...extent(values(), isPadding) };
}

function extent(values: Float64Array, isPadding: Uint8Array | null) {
  let [least, largest, paddedPixels] = [Infinity, -Infinity, 0];
  for (const [i, value] of values.entries()) {
    if (isPadding?.[i]) {
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
