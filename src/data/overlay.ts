/**
 * A chest film in grey with a map of where to look laid over it in colour.
 */
import type { ColourMap } from './colour-map.ts';
import type { Picture } from './picture.ts';

export interface OverlayOptions {
  /** H x W in [0, 1]. */
  readonly image: ArrayLike<number>;
  /** H x W, any range: the lowest value takes the first colour, the highest the last. Left out: the film alone. */
  readonly map?: ArrayLike<number>;
  readonly height: number;
  readonly width: number;
  /** Needed with `map`. */
  readonly colours?: ColourMap;
  /** 0 shows the film only, 1 the map only. */
  readonly opacity?: number;
  /** Each pixel becomes scale x scale pixels. */
  readonly scale?: number;
}

function checkOptions({ image, map, height, width, colours }: OverlayOptions, opacity: number, scale: number): void {
  for (const [name, values] of Object.entries({ image, map })) {
    if (values && values.length !== height * width) {
      throw new RangeError(`overlay: the ${name} has ${values.length} values, but ${height} x ${width} was asked for.`);
    }
  }
  if (map && !colours) throw new TypeError('overlay: a map needs colours, for example jet, got none.');
  if (!(opacity >= 0 && opacity <= 1)) throw new RangeError(`overlay: opacity must be in [0, 1], got ${opacity}.`);
  if (!Number.isInteger(scale) || scale < 1) {
    throw new RangeError(`overlay: scale must be a positive integer, got ${scale}.`);
  }
}

/** Places in a colour map: 0 for the lowest value, 255 for the highest; 0 everywhere for a constant map. */
function colourIndices(map: ArrayLike<number>): Uint8Array {
  let minimum = Number.POSITIVE_INFINITY;
  let maximum = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < map.length; i++) {
    minimum = Math.min(minimum, map[i]);
    maximum = Math.max(maximum, map[i]);
  }
  const range = maximum > minimum ? maximum - minimum : 1;
  return Uint8Array.from(map, (value) => Math.floor(((value - minimum) / range) * 255 + 0.5));
}

export function overlay(options: OverlayOptions): Picture {
  const { image, map, height, width, colours, opacity = 0.5, scale = 1 } = options;
  checkOptions(options, opacity, scale);
  const indices = map && colourIndices(map);
  const pixels = new Uint8Array(height * width * scale * scale * 4);
  for (let row = 0; row < height * scale; row++) {
    for (let column = 0; column < width * scale; column++) {
      const from = Math.floor(row / scale) * width + Math.floor(column / scale);
      const to = 4 * (row * width * scale + column);
      const grey = Math.min(1, Math.max(0, image[from])) * 255;
      for (let channel = 0; channel < 3; channel++) {
        const value = indices && colours ? grey + opacity * (colours[3 * indices[from] + channel] - grey) : grey;
        pixels[to + channel] = Math.floor(value + 0.5);
      }
      pixels[to + 3] = 255;
    }
  }
  return { width: width * scale, height: height * scale, pixels };
}
