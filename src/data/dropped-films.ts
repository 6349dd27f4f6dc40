/**
 * Films and their gaze out of files that someone dropped on a page: the same reading as `mtunet data prepare`, nothing sent anywhere.
 *
 * A table of gaze is a CSV whose header has the columns of EGD-CXR or file, x and y. Films are DICOM, PNG or JPEG, known by their names'
 * endings or by their contents.
 */
import { readFilmFile } from './film-file.ts';
import { FILM_HEADER, filmKind } from './film-kind.ts';
import { egdColumns, GazeTable, type NumberList } from './gaze-table.ts';
import { heatMap } from './heat-map.ts';
import { canvasInput, canvasPicture, ownPictures } from './picture-input.ts';
import { outputSize, recipes } from './recipe.ts';
import { scaledFilm } from './scaled-film.ts';

export interface DroppedFile {
  /** Below the folder that was dropped, with "/". */
  readonly path: string;
  readonly file: File;
}

export interface DroppedFilm {
  readonly path: string;
  /** Of the original film. */
  readonly told: string;
  /** H x W in [0, 1], brought to the canvas of recipe `released`. */
  readonly height: number;
  readonly width: number;
  readonly image: Float32Array;
  /** In [0, 1]; null without gaze. */
  readonly gaze: Float32Array | null;
}

const FILM = /\.(dcm|dicom|png|jpe?g)$/i;
/** Of a DICOM directory (PS3.3, annex F), which lists images and holds none. */
const DIRECTORY = /(^|\/)dicomdir$/i;
const MASK = /(^|\/)(left_lung|right_lung|media?stan?i?num|aortic_knob)\.png$/i;
/** What a name ends with; a DICOM file is often named by its UID alone, whose last number is none. */
const ENDING = /\.(?!\d+$)\w+$/;
/** Enough of a file to hold its header. */
const HEADER = 4096;

async function gazeOf({ path, file }: DroppedFile): Promise<Map<string, NumberList> | null> {
  const header = (await file.slice(0, HEADER).text())
    .split(/\r?\n/)[0]
    .replace(/^\uFEFF/, '')
    .split(',');
  const has = (...names: string[]) => names.every((name) => header.includes(name));
  const columns = has(egdColumns.id, ...egdColumns.values)
    ? egdColumns
    : has('file', 'x', 'y')
      ? { id: 'file', values: ['x', 'y'] }
      : null;
  if (!columns) return null;
  const table = new GazeTable(path, columns);
  const reader = file.stream().getReader();
  for (let piece = await reader.read(); !piece.done; piece = await reader.read()) table.push(piece.value);
  table.end();
  return table.byId;
}

/** Tables name a film by its path below the folder, by its file, or by its DICOM id, which is the file without its ending. */
function pointsOf(tables: readonly Map<string, NumberList>[], path: string): Float64Array | null {
  const parts = path.split('/');
  const names = parts.map((_, i) => parts.slice(i).join('/'));
  for (const name of [...names, parts[parts.length - 1].replace(ENDING, '')])
    for (const table of tables) {
      const list = table.get(name);
      if (list) return list.values;
    }
  return null;
}

const recipe = recipes.released;

/** Every film, or the sentence that says why a file is none, one after the other. */
export async function* readDroppedFilms(files: readonly DroppedFile[]): AsyncGenerator<DroppedFilm | Error> {
  const tables: Map<string, NumberList>[] = [];
  for (const dropped of files.filter(({ path }) => /\.csv$/i.test(path))) {
    try {
      const table = await gazeOf(dropped);
      if (table) tables.push(table);
    } catch (error) {
      yield error as Error;
    }
  }
  const input = canvasInput(recipe, ownPictures);
  let count = 0;
  for (const { path, file } of files) {
    if (!(await isFilm(path, file))) continue;
    count++;
    try {
      const stored = await readFilmFile(file, path);
      const { height, width, bits, details } = stored;
      const { film, factor, kept } = canvasPicture(stored, input, input.geometry);
      const points = pointsOf(tables, path)?.map((value) => value * factor) ?? null;
      const gaze = points && heatMap([{ points }], film, recipe, 'released');
      yield {
        path,
        told: `${height} x ${width}, ${bits} bits, ${details.photometric}`,
        ...outputSize(recipe),
        image: scaledFilm(kept),
        gaze: gaze && Float32Array.from(gaze),
      };
    } catch (error) {
      yield error as Error;
    }
  }
  if (count === 0)
    yield new Error('None of the files is a film: drop DICOM, PNG or JPEG files (of any name), or their folder.');
}

/** By its name or, since DICOM files often have no ending, by its first bytes; files of other kinds are passed over. */
async function isFilm(path: string, file: File): Promise<boolean> {
  if (MASK.test(path) || DIRECTORY.test(path) || /\.csv$/i.test(path)) return false;
  if (FILM.test(path)) return true;
  try {
    return filmKind(new Uint8Array(await file.slice(0, FILM_HEADER).arrayBuffer())) !== null;
  } catch {
    return false; // it cannot be opened, and nothing says that it is a film
  }
}
