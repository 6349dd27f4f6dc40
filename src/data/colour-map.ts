/**
 * Colour maps: 256 RGB colours from the lowest value to the highest, computed, not copied.
 *
 * The two perceptual ones climb evenly in lightness along a path through Ottosson's Oklab space, so that they also read in
 * grey. They look like viridis and cividis but are not those tables, hence their names.
 */
import { power } from './exact-math.ts';

/** 256 x 3 bytes. */
export type ColourMap = Uint8Array;

const COLOURS = 256;

function toByte(value: number): number {
  return Math.floor(Math.min(1, Math.max(0, value)) * 255 + 0.5);
}

function fromFunction(colour: (t: number) => readonly [number, number, number]): ColourMap {
  const map = new Uint8Array(COLOURS * 3);
  for (let i = 0; i < COLOURS; i++) map.set(colour(i / (COLOURS - 1)).map(toByte), 3 * i);
  return map;
}

/** MATLAB's jet: each channel is a trapezium, clamp(1.5 - |4t - centre|) with centres 3 (red), 2 (green), 1 (blue). */
export const jet: ColourMap = fromFunction((t) => [
  1.5 - Math.abs(4 * t - 3),
  1.5 - Math.abs(4 * t - 2),
  1.5 - Math.abs(4 * t - 1),
]);

/** Oklab (L, a, b) to sRGB, each about 0 to 1; Bjorn Ottosson, "A perceptual color space for image processing", 2020. */
function oklabToSrgb(lightness: number, a: number, b: number): [number, number, number] {
  const cube = (value: number): number => value * value * value;
  const l = cube(lightness + 0.3963377774 * a + 0.2158037573 * b);
  const m = cube(lightness - 0.1055613458 * a - 0.0638541728 * b);
  const s = cube(lightness - 0.0894841775 * a - 1.291485548 * b);
  const encode = (linear: number): number =>
    linear <= 0.0031308 ? 12.92 * linear : 1.055 * power(linear, 1 / 2.4) - 0.055;
  return [
    encode(4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s),
    encode(-1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s),
    encode(-0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s),
  ];
}

/** Piecewise linear through (a, b) points spread evenly over [0, 1]; the lightness rises linearly. */
function perceptual(lightness: readonly [number, number], path: readonly (readonly [number, number])[]): ColourMap {
  return fromFunction((t) => {
    const place = t * (path.length - 1);
    const index = Math.min(path.length - 2, Math.floor(place));
    const part = place - index;
    const [a, b] = [0, 1].map((axis) => path[index][axis] + part * (path[index + 1][axis] - path[index][axis]));
    return oklabToSrgb(lightness[0] + t * (lightness[1] - lightness[0]), a, b);
  });
}

/** Violet, blue, teal, green, yellow. */
export const viridisLike: ColourMap = perceptual(
  [0.28, 0.92],
  [
    [0.07, -0.09],
    [0.0, -0.1],
    [-0.06, -0.03],
    [-0.1, 0.07],
    [-0.04, 0.17],
  ],
);

/** Navy, grey, yellow: along the axis that people with red-green blindness see as others do. */
export const cividisLike: ColourMap = perceptual(
  [0.26, 0.92],
  [
    [0, -0.09],
    [0, -0.03],
    [0, 0.01],
    [0, 0.08],
    [0, 0.15],
  ],
);
