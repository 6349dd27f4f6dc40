/**
 * From a film to the pixels that the network sees, as the released preprocessing does it: pad or crop centred, keep every fifth pixel.
 */
export interface Recipe {
  /** Pixels of the original film, padded or cropped to. */
  readonly height: number;
  readonly width: number;
  readonly stride: number;
  /** A film that exceeds both sides is cut at its top left corner, not centred, as the released code does. */
  readonly keepCorner: boolean;
}

const common = { height: 3200, stride: 5 };

export const recipes = {
  /** 640 x 416, the paper's size. */
  paper: { ...common, width: 2080, keepCorner: false },
  /** 640 x 512. */
  released: { ...common, width: 2560, keepCorner: true },
} as const satisfies Record<string, Recipe>;

export type RecipeName = keyof typeof recipes;

export interface FilmSize {
  readonly height: number;
  readonly width: number;
}

export function outputSize({ height, width, stride }: Recipe): FilmSize {
  return { height: height / stride, width: width / stride };
}

/** Rows and columns of the film under each kept pixel; -1 where the padding is. */
export function keptPixels(film: FilmSize, recipe: Recipe): { rows: Int32Array; columns: Int32Array } {
  const corner = recipe.keepCorner && film.height > recipe.height && film.width > recipe.width;
  const along = (side: 'height' | 'width') => {
    const before = corner ? 0 : Math.floor((recipe[side] - film[side]) / 2);
    return Int32Array.from({ length: recipe[side] / recipe.stride }, (_, i) => {
      const place = i * recipe.stride - before;
      return place >= 0 && place < film[side] ? place : -1;
    });
  };
  return { rows: along('height'), columns: along('width') };
}

/** H x W of the recipe, 0 in the padding; pixels: of the film, row-major. */
export function decimate(pixels: Uint16Array, film: FilmSize, recipe: Recipe): Uint16Array<ArrayBuffer> {
  const { rows, columns } = keptPixels(film, recipe);
  const kept = new Uint16Array(rows.length * columns.length);
  for (const [i, row] of rows.entries()) {
    if (row < 0) continue;
    for (const [j, column] of columns.entries())
      if (column >= 0) kept[i * columns.length + j] = pixels[row * film.width + column];
  }
  return kept;
}
