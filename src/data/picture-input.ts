/**
 * From a decoded picture to the network's input: the one way that preparing, predicting, inspecting and the page take.
 *
 * A description says it all: VOI window, polarity, how the picture is brought to the input's size, and the normalization. It is written into a
 * prepared folder (index.json) and into a run (provenance.json), so that a picture of one's own is seen as the training pictures were.
 */
import { type Film, type GreyPicture, upright, windowedFilm } from './film.ts';
import { fitFactor, fittedFilm } from './fit.ts';
import { fitFilm } from './fit-film.ts';
import { decimate, outputSize, type Recipe } from './recipe.ts';
import { scaledFilm } from './scaled-film.ts';

/** Padded or cropped to a canvas, then every stride-th pixel; see recipe.ts. */
export interface CanvasGeometry {
  readonly kind: 'canvas';
  /** fit: enlarged or reduced by the nearest pixel until the picture just fits the canvas; keep: pixel by pixel. */
  readonly scale: 'keep' | 'fit';
  readonly recipe: Recipe;
}

/** Scaled by the mean over areas until the picture just fits, its shape kept, black around it. */
export interface AreaGeometry {
  readonly kind: 'area';
  readonly height: number;
  readonly width: number;
}

/** As it stands in files; picture-input-schema.ts checks it. */
export interface InputDescription {
  readonly format: 'mtunet-input-1';
  /** apply: through the file's VOI window, where it has one. */
  readonly voi: 'ignore' | 'apply';
  /** What becomes of MONOCHROME1, where the least value is white: keep the values, or invert them. */
  readonly monochrome1: 'keep' | 'invert';
  readonly geometry: CanvasGeometry | AreaGeometry;
  /** maximum: divided by the largest value, so that the input lies in [0, 1]. */
  readonly normalization: 'maximum';
}

const common = { format: 'mtunet-input-1', voi: 'ignore', normalization: 'maximum' } as const;

export interface CanvasOptions {
  readonly monochrome1: 'keep' | 'invert';
  readonly scale: 'keep' | 'fit';
  readonly voi?: 'ignore' | 'apply';
}

/** As `mtunet data prepare` does it. */
export const canvasInput = (recipe: Recipe, { monochrome1, scale, voi = 'ignore' }: CanvasOptions) =>
  ({
    ...common,
    voi,
    monochrome1,
    geometry: { kind: 'canvas', scale, recipe: { ...recipe } },
  }) satisfies InputDescription;

/** What `mtunet data prepare --folder` and the page do with pictures of one's own unless asked otherwise. */
export const ownPictures = { monochrome1: 'invert', scale: 'fit' } as const satisfies CanvasOptions;
/** What it does with the clinical sets: the pixels as they are, as the released code has them. */
export const clinicalPictures = { monochrome1: 'keep', scale: 'keep' } as const satisfies CanvasOptions;

/** For networks that learnt from generated pictures: a real one is fitted whole, air black. */
export const areaInput = (height: number, width: number): InputDescription => ({
  ...common,
  monochrome1: 'invert',
  geometry: { kind: 'area', height, width },
});

export function inputSize({ geometry }: InputDescription): { height: number; width: number } {
  if (geometry.kind === 'canvas') return outputSize(geometry.recipe);
  return { height: geometry.height, width: geometry.width };
}

/** Height x width of the description, row by row, in [0, 1]. */
export function networkInput(film: Film, description: InputDescription): Float32Array {
  const { geometry } = description;
  if (geometry.kind === 'canvas') return scaledFilm(canvasPicture(film, description, geometry).kept);
  return fitFilm(shownFilm(film, description), geometry).image;
}

/** Values as the network is shown them: window and polarity. */
function shownFilm(film: Film, { voi, monochrome1 }: InputDescription): GreyPicture {
  const windowed = voi === 'apply' ? windowedFilm(film) : film;
  return monochrome1 === 'invert' ? upright(windowed) : { ...windowed, inverted: false };
}

export interface CanvasPicture {
  /** The picture that lies on the canvas, and its size against the file's. */
  readonly film: GreyPicture;
  readonly factor: number;
  /** What is left of the canvas: height/stride x width/stride values, not yet normalized. */
  readonly kept: Uint16Array<ArrayBuffer>;
}

export function canvasPicture(film: Film, description: InputDescription, geometry: CanvasGeometry): CanvasPicture {
  const { recipe, scale } = geometry;
  const shown = shownFilm(film, description);
  const factor = scale === 'fit' ? fitFactor(shown, recipe) : 1;
  const placed = factor === 1 ? shown : fittedFilm(shown, factor);
  return { film: placed, factor, kept: decimate(placed.pixels, placed, recipe) };
}
