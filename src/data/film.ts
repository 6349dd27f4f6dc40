/**
 * A decoded picture: grey values as a network can be shown them, and what the file says about them.
 */

/** A linear map from a window to the whole grey scale, or its sigmoid (PS3.3 C.11.2.1.2 and C.11.2.1.3). */
export interface VoiWindow {
  /** In modality values. */
  readonly center: number;
  readonly width: number;
  readonly shape: 'LINEAR' | 'LINEAR_EXACT' | 'SIGMOID';
}

/** What a file says of its picture, for `mtunet data inspect` and `mtunet data check`. */
export interface FilmDetails {
  readonly kind: 'DICOM' | 'PNG' | 'JPEG';
  /** What the file says of its values: MONOCHROME1, RGB, grey, palette, ... */
  readonly photometric: string;
  readonly allocated: number;
  readonly highBit: number;
  readonly signed: boolean;
  readonly transferSyntax: { readonly uid: string; readonly name: string } | null;
  readonly rescale: { readonly slope: number; readonly intercept: number } | null;
  /** Stored values that are no picture: from the first to the second, both included. */
  readonly padding: readonly [number, number] | null;
  /** 1 at each pixel that is padding, height x width; null where none is. */
  readonly isPadding: Uint8Array | null;
  readonly window: VoiWindow | null;
  /** What the file asks of a display and this program leaves undone, a clause each. */
  readonly ignored: readonly string[];
  /** Modality values (rescale slope and intercept applied), row by row, before polarity; padding as it is stored. */
  readonly values: () => Float64Array;
}

/** Grey values and their polarity. */
export interface GreyPicture {
  readonly height: number;
  readonly width: number;
  /**
   * height x width, from 0: stored values where nothing is rescaled and none is below 0; else modality values in steps of the slope, moved
   * up by the least of them. Padding is what is black when the picture is shown.
   */
  readonly pixels: Uint16Array;
  /** Whether the smallest value is shown white (MONOCHROME1); the picture is then `range - pixels`. */
  readonly inverted: boolean;
  /** At least the largest of `pixels`. */
  readonly range: number;
}

export interface Film extends GreyPicture {
  /** Bits that are stored, 1 to 16. */
  readonly bits: number;
  /** Modality value = slope x pixel + intercept, away from padding. */
  readonly modality: { readonly slope: number; readonly intercept: number };
  readonly details: FilmDetails;
}

/** The least 2^k - 1 that is not below `value`, for k from 1 to 16. */
export const fullRange = (value: number): number => 2 ** Math.max(1, 32 - Math.clz32(value)) - 1;

export function largestOf(pixels: Uint16Array): number {
  let largest = 0;
  for (let i = 0; i < pixels.length; i++) if (pixels[i] > largest) largest = pixels[i];
  return largest;
}

/** With MONOCHROME1 turned over, so that air is black. */
export function upright<P extends GreyPicture>(picture: P): P {
  if (!picture.inverted) return picture;
  const { range } = picture;
  return { ...picture, pixels: picture.pixels.map((value) => range - value), inverted: false };
}

/** How `ignored` names the window. */
export const VOI_WINDOW = 'VOI window';

/** What of `ignored` stays so where windows are applied. */
export function ignoredOf({ details: { ignored, window } }: Film, voi: 'ignore' | 'apply'): readonly string[] {
  return voi === 'apply' && window ? ignored.filter((clause) => !clause.startsWith(VOI_WINDOW)) : ignored;
}

/** What a picture of 16 bits has where the window maps to 1. */
const WHITE = 65535;

/**
 * Through its VOI window, as 16 bits. A file without a window stays as it is.
 * PS3.3 C.11.2.1.2.1 (linear), C.11.2.1.3.2 (exact), C.11.2.1.3.1 (sigmoid), with the output from 0 to 1.
 */
export function windowedFilm(film: Film): Film {
  const { window } = film.details;
  if (!window) return film;
  const { center, width, shape } = window;
  const { slope, intercept } = film.modality;
  const share = (x: number): number => {
    if (shape === 'SIGMOID') return 1 / (1 + Math.exp((-4 * (x - center)) / width));
    if (shape === 'LINEAR_EXACT') return (x - center) / width + 0.5;
    return width === 1 ? (x <= center - 0.5 ? 0 : 1) : (x - (center - 0.5)) / (width - 1) + 0.5;
  };
  const table = Uint16Array.from({ length: film.range + 1 }, (_, pixel) =>
    Math.round(WHITE * Math.min(1, Math.max(0, share(slope * pixel + intercept)))),
  );
  const { isPadding } = film.details;
  const black = film.inverted ? WHITE : 0;
  return {
    ...film,
    pixels: film.pixels.map((pixel, i) => (isPadding?.[i] ? black : table[pixel])),
    range: WHITE,
    modality: { slope: 1 / WHITE, intercept: 0 },
    details: {
      ...film.details,
      window: null,
      ignored: ignoredOf(film, 'apply'),
    },
  };
}
