/**
 * From gaze samples to the map a network learns: count the samples in each pixel, blur, scale to [0, 1].
 *
 * The released code blurs at 3200 rows with a 501-tap kernel, hence sigma = 75.5 px and a cut at 250 px, and then keeps
 * every fifth pixel. At 640 rows that is sigma = 15.1 px and a cut at 50 px; other heights scale both.
 */
import { gaussianBlur } from './gaussian-blur.ts';

const REFERENCE_HEIGHT = 640;
const REFERENCE_SIGMA = 15.1;
const REFERENCE_RADIUS = 50;

/** Sigma (pixels) and kernel size for a map of this height. */
export function gazeBlur(height: number): { sigma: number; size: number } {
  const radius = Math.max(1, Math.floor((REFERENCE_RADIUS * height) / REFERENCE_HEIGHT + 0.5));
  return { sigma: (REFERENCE_SIGMA * height) / REFERENCE_HEIGHT, size: 2 * radius + 1 };
}

/** Samples per pixel, H x W; samples beside the film are dropped, every other one counts 1. */
export function gazeDots(points: Float64Array, { height, width }: { height: number; width: number }): Float64Array {
  const dots = new Float64Array(height * width);
  for (let i = 0; i < points.length; i += 2) {
    const column = Math.floor(points[i]);
    const row = Math.floor(points[i + 1]);
    if (column >= 0 && column < width && row >= 0 && row < height) dots[row * width + column] += 1;
  }
  return dots;
}

/**
 * The gaze map of a reading.
 *
 * points: x0 y0 x1 y1 ... in pixels, the top left corner of the film is (0, 0).
 * Returns H x W in [0, 1], row-major, with minimum 0 and maximum 1.
 */
export function gazeMap(points: Float64Array, { height, width }: { height: number; width: number }): Float32Array {
  const blurred = gaussianBlur(gazeDots(points, { height, width }), { height, width, ...gazeBlur(height) });
  let minimum = Number.POSITIVE_INFINITY;
  let maximum = 0;
  for (const value of blurred) {
    minimum = Math.min(minimum, value);
    maximum = Math.max(maximum, value);
  }
  if (maximum === minimum) throw new RangeError('A gaze map needs at least one gaze sample on the film, got none.');
  const map = new Float32Array(blurred.length);
  for (let i = 0; i < map.length; i++) map[i] = (blurred[i] - minimum) / (maximum - minimum);
  return map;
}
