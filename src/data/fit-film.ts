/** A film of any size as a network sees it: its shape kept, scaled by area, black around it, its largest value 1. */
import { type GreyPicture, upright } from './film.ts';

export interface FittedFilm {
  /** H x W in [0, 1]. */
  readonly image: Float32Array;
  /** Where the film lies in it; the rest is padding. */
  readonly top: number;
  readonly left: number;
  readonly height: number;
  readonly width: number;
}

/** Row i of the result is the weighted mean of the source's [first, first + weights.length). */
interface Share {
  readonly first: number;
  readonly weights: readonly number[];
}

/** Each of `to` pixels covers from / to pixels of the source. */
function shares(from: number, to: number): Share[] {
  const step = from / to;
  return Array.from({ length: to }, (_, i) => {
    const [start, end] = [i * step, (i + 1) * step];
    const first = Math.floor(start);
    const last = Math.min(from, Math.max(first + 1, Math.ceil(end - 1e-9)));
    const weights = Array.from(
      { length: last - first },
      (_, k) => Math.min(end, first + k + 1) - Math.max(start, first + k),
    );
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    return { first, weights: weights.map((weight) => weight / total) };
  });
}

export function fitFilm(
  film: GreyPicture,
  { height, width }: { readonly height: number; readonly width: number },
): FittedFilm {
  const scale = Math.min(height / film.height, width / film.width);
  const inside = (length: number, most: number) => Math.min(most, Math.max(1, Math.round(length * scale)));
  const [h, w] = [inside(film.height, height), inside(film.width, width)];
  const [top, left] = [Math.floor((height - h) / 2), Math.floor((width - w) / 2)];
  const { pixels } = upright(film);
  const [rows, columns] = [shares(film.height, h), shares(film.width, w)];
  const image = new Float32Array(height * width);
  let maximum = 0;
  rows.forEach((row, i) => {
    const line = new Float64Array(film.width);
    row.weights.forEach((weight, k) => {
      const from = (row.first + k) * film.width;
      for (let j = 0; j < film.width; j++) line[j] += weight * pixels[from + j];
    });
    columns.forEach(({ first, weights }, j) => {
      const value = weights.reduce((sum, weight, k) => sum + weight * line[first + k], 0);
      image[(top + i) * width + left + j] = value;
      maximum = Math.max(maximum, value);
    });
  });
  if (maximum > 0) for (let i = 0; i < image.length; i++) image[i] /= maximum;
  return { image, top, left, height: h, width: w };
}
