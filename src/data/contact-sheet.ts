/**
 * Many films on one picture, each beside its gaze overlay: to see at a glance what a data set holds.
 */
import { type ColourMap, viridisLike } from './colour-map.ts';
import type { ChestSample } from './dataset.ts';
import { overlay } from './overlay.ts';
import type { Picture } from './picture.ts';

export interface ContactSheetOptions {
  readonly height: number;
  readonly width: number;
  /** Samples in one row. */
  readonly columns: number;
  /** Whether each film is followed by its overlay. */
  readonly withGaze?: boolean;
  readonly colours?: ColourMap;
  readonly opacity?: number;
  readonly scale?: number;
  /** White pixels around every film. */
  readonly gap?: number;
}

/** Samples in reading order; cells that are left over stay white. */
export function contactSheet(samples: readonly ChestSample[], options: ContactSheetOptions): Picture {
  const { height, width, columns, withGaze = true, colours = viridisLike, opacity = 0.5, scale = 1, gap = 4 } = options;
  if (!Number.isInteger(columns) || columns < 1) {
    throw new RangeError(`contactSheet: columns must be a positive integer, got ${columns}.`);
  }
  if (!Number.isInteger(gap) || gap < 0)
    throw new RangeError(`contactSheet: gap must be an integer from 0, got ${gap}.`);
  const views = samples.flatMap(({ image, gaze }) => {
    const film = { image, height, width, scale };
    return withGaze ? [overlay(film), overlay({ ...film, map: gaze, colours, opacity })] : [overlay(film)];
  });
  const across = columns * (withGaze ? 2 : 1);
  const sheet = {
    width: across * (width * scale + gap) + gap,
    height: Math.ceil(views.length / across) * (height * scale + gap) + gap,
  };
  const pixels = new Uint8Array(sheet.width * sheet.height * 4).fill(255);
  for (const [i, view] of views.entries()) {
    const left = gap + (i % across) * (view.width + gap);
    const top = gap + Math.floor(i / across) * (view.height + gap);
    for (let row = 0; row < view.height; row++) {
      const line = view.pixels.subarray(4 * row * view.width, 4 * (row + 1) * view.width);
      pixels.set(line, 4 * ((top + row) * sheet.width + left));
    }
  }
  return { ...sheet, pixels };
}
