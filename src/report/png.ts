/**
 * Pictures as PNG data URIs, so that the page needs no file but itself.
 */
import { encode } from 'fast-png';
import type { ColourMap } from '../data/colour-map.ts';
import { overlay } from '../data/overlay.ts';
import type { Picture } from '../data/picture.ts';

/** Opaque pictures need no fourth channel. */
function withoutAlpha({ width, height, pixels }: Picture): Uint8Array {
  const data = new Uint8Array(width * height * 3);
  for (let i = 0; i < width * height; i++) data.set(pixels.subarray(4 * i, 4 * i + 3), 3 * i);
  return data;
}

function base64(bytes: Uint8Array): string {
  const CHUNK = 0x2000; // arguments of one call
  let text = '';
  for (let i = 0; i < bytes.length; i += CHUNK) text += String.fromCharCode(...bytes.subarray(i, i + CHUNK));
  return btoa(text);
}

export function pngDataUri(picture: Picture): string {
  const { width, height } = picture;
  const bytes = encode({ width, height, data: withoutAlpha(picture), channels: 3, depth: 8 }, { zlib: { level: 9 } });
  return `data:image/png;base64,${base64(bytes)}`;
}

export interface Grid {
  readonly values: ArrayLike<number>;
  readonly height: number;
  readonly width: number;
}

/** Means of factor x factor boxes; what is left over at the right and the bottom is dropped. */
export function shrink({ values, height, width }: Grid, factor: number): Grid & { readonly values: Float32Array } {
  const [rows, columns] = [Math.floor(height / factor), Math.floor(width / factor)];
  const means = new Float32Array(rows * columns);
  for (let row = 0; row < rows * factor; row++) {
    for (let column = 0; column < columns * factor; column++) {
      const to = Math.floor(row / factor) * columns + Math.floor(column / factor);
      means[to] += values[row * width + column] / factor ** 2;
    }
  }
  return { values: means, height: rows, width: columns };
}

/** The longest side that a page needs; the paper's 640 x 416 films would weigh many megabytes. */
const LONGEST_SIDE = 320;

/** A film, or with a map the map over it. */
export function filmDataUri(film: Grid, map?: ArrayLike<number>, colours?: ColourMap): string {
  const factor = Math.ceil(Math.max(film.height, film.width) / LONGEST_SIDE);
  const { values: image, height, width } = factor > 1 ? shrink(film, factor) : film;
  const small = map && (factor > 1 ? shrink({ ...film, values: map }, factor).values : map);
  return pngDataUri(overlay({ image, height, width, map: small, colours, opacity: 0.5 }));
}

/** A strip with every colour of a map, from the lowest to the highest. */
export function colourBarDataUri(colours: ColourMap): string {
  const width = colours.length / 3;
  const pixels = new Uint8Array(width * 4).fill(255);
  for (let i = 0; i < width; i++) pixels.set(colours.subarray(3 * i, 3 * i + 3), 4 * i);
  return pngDataUri({ width, height: 1, pixels });
}
