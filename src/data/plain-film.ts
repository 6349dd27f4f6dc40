/** A picture that is no DICOM: its values are what its file stores. */
import { type Film, type FilmDetails, fullRange, largestOf } from './film.ts';

/** What `ignored` says of a picture that is not grey. */
export const LUMINANCE = 'colour (turned to luminance, Rec. 709)';

export interface PlainPicture extends Pick<FilmDetails, 'kind' | 'photometric' | 'ignored'> {
  readonly height: number;
  readonly width: number;
  /** Bits of a value. */
  readonly bits: number;
  readonly pixels: Uint16Array<ArrayBuffer>;
}

export function plainFilm({ height, width, bits, pixels, ...about }: PlainPicture): Film {
  const details: FilmDetails = {
    ...about,
    allocated: bits > 8 ? 16 : 8,
    highBit: bits - 1,
    signed: false,
    transferSyntax: null,
    rescale: null,
    padding: null,
    isPadding: null,
    window: null,
    values: () => Float64Array.from(pixels),
  };
  const range = fullRange(largestOf(pixels));
  return { height, width, pixels, bits, inverted: false, range, modality: { slope: 1, intercept: 0 }, details };
}
