/**
 * Separable Gaussian blur with the rules of OpenCV's GaussianBlur, in float64.
 *
 * Three of them matter for the numbers: how sigma follows from the kernel size, the fixed tables for small kernels, and
 * the border BORDER_REFLECT_101 (gfedcb|abcdefgh|gfedcba: the edge pixel is not repeated).
 */
import { exp } from './exact-math.ts';

/** OpenCV uses these instead of the formula where sigma is not given. */
const SMALL_KERNELS: Readonly<Record<number, readonly number[]>> = {
  1: [1],
  3: [0.25, 0.5, 0.25],
  5: [0.0625, 0.25, 0.375, 0.25, 0.0625],
  7: [0.03125, 0.109375, 0.21875, 0.28125, 0.21875, 0.109375, 0.03125],
};

/**
 * Weights of sum 1, as cv2.getGaussianKernel: sigma <= 0 means 0.3 ((size - 1) / 2 - 1) + 0.8, or a fixed table for
 * sizes up to 7.
 */
export function gaussianKernel(size: number, sigma: number): Float64Array {
  if (!Number.isInteger(size) || size < 1 || size % 2 === 0) {
    throw new RangeError(`A Gaussian kernel needs an odd positive size, got ${size}.`);
  }
  if (!Number.isFinite(sigma)) throw new RangeError(`A Gaussian kernel needs a finite sigma, got ${sigma}.`);
  if (sigma <= 0 && size <= 7) return Float64Array.from(SMALL_KERNELS[size]);
  const spread = sigma > 0 ? sigma : 0.3 * ((size - 1) * 0.5 - 1) + 0.8;
  const kernel = new Float64Array(size);
  let sum = 0;
  for (let i = 0; i < size; i++) {
    const distance = i - (size - 1) / 2;
    kernel[i] = exp(-(distance * distance) / (2 * spread * spread));
    sum += kernel[i];
  }
  for (let i = 0; i < size; i++) kernel[i] /= sum;
  return kernel;
}

/** The index inside 0 ... count - 1 that `index` stands for; reflects as often as it takes. */
export function reflect101(index: number, count: number): number {
  if (count === 1) return 0;
  const period = 2 * (count - 1);
  const phase = ((index % period) + period) % period;
  return phase < count ? phase : period - phase;
}

/** Blurs `lines` lines of `count` values; a line starts every `lineStride` values and its values lie `stride` apart. */
function blurLines(
  source: Float64Array,
  kernel: Float64Array,
  layout: { lines: number; count: number; lineStride: number; stride: number },
): Float64Array {
  const { lines, count, lineStride, stride } = layout;
  const radius = (kernel.length - 1) / 2;
  const blurred = new Float64Array(source.length);
  const padded = new Float64Array(count + 2 * radius);
  const origin = new Uint32Array(padded.length);
  for (let i = 0; i < padded.length; i++) origin[i] = reflect101(i - radius, count) * stride;
  for (let line = 0; line < lines; line++) {
    const start = line * lineStride;
    for (let i = 0; i < padded.length; i++) padded[i] = source[start + origin[i]];
    for (let i = 0; i < count; i++) {
      let sum = 0;
      for (let k = 0; k < kernel.length; k++) sum += kernel[k] * padded[i + k];
      blurred[start + i * stride] = sum;
    }
  }
  return blurred;
}

export interface BlurOptions {
  readonly height: number;
  readonly width: number;
  /** Odd number of kernel weights along each axis. */
  readonly size: number;
  /** Pixels; 0 or less derives it from the size. */
  readonly sigma: number;
}

/** H x W in, H x W out, rows first as OpenCV does. */
export function gaussianBlur(source: ArrayLike<number>, options: BlurOptions): Float64Array {
  const { height, width, size, sigma } = options;
  if (source.length !== height * width) {
    throw new RangeError(`gaussianBlur: ${source.length} values do not make an image of ${height} x ${width}.`);
  }
  const kernel = gaussianKernel(size, sigma);
  const rows = blurLines(Float64Array.from(source), kernel, {
    lines: height,
    count: width,
    lineStride: width,
    stride: 1,
  });
  return blurLines(rows, kernel, { lines: width, count: height, lineStride: 1, stride: width });
}
