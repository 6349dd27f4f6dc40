/** Cases to shards: read, decode, place the gaze, write; what is whole already is kept. */
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Leakage, leakage, patientSplit, releasedSplit, type Split, type SplitRule } from '../data/case-splits.ts';
import { CLASS_NAMES } from '../data/dataset.ts';
import { type Ellipse, ellipseMap } from '../data/ellipse-map.ts';
import { ignoredOf, VOI_WINDOW } from '../data/film.ts';
import { readFilm } from '../data/film-file.ts';
import { fittedEllipse, fittedReading } from '../data/fit.ts';
import { toFloat16 } from '../data/float16.ts';
import { gazeExtent, gazeWarnings } from '../data/gaze-extent.ts';
import { type HeatMapName, heatMap, type Reading } from '../data/heat-map.ts';
import { labelWarnings } from '../data/labels.ts';
import { canvasInput, canvasPicture } from '../data/picture-input.ts';
import type { PreparedIndex } from '../data/prepared.ts';
import { outputSize, type Recipe } from '../data/recipe.ts';
import { Failure } from './failure.ts';
import {
  FILMS_PER_SHARD,
  finishedShard,
  type PreparedFilm,
  type ShardNote,
  sha256,
  shardFile,
  writeShard,
} from './prepared-folder.ts';
import { fileInside, readWhole } from './source-files.ts';
import { writeWhole } from './whole-file.ts';

export interface SourceCase {
  readonly id: string;
  readonly patient: string;
  readonly label: number;
  /** Below the folder of films. */
  readonly path: string;
  /** One or more readers' gaze. */
  readonly readings: readonly Reading[];
  /** Where the table of gaze has nothing for it: what it has instead, a clause with the remedy. */
  readonly missingGaze?: string;
  /** What each reader drew, as an extra target. */
  readonly ellipses?: readonly (readonly Ellipse[])[];
  /** What the table says of the film, where it does. */
  readonly size?: { readonly height: number; readonly width: number };
}

export interface PrepareOptions {
  readonly name: string;
  readonly films: string;
  readonly out: string;
  readonly recipe: Recipe;
  readonly heatMap: HeatMapName;
  readonly monochrome1: 'keep' | 'invert';
  /** fit: enlarge or reduce each film to the recipe's canvas first. */
  readonly scale: 'keep' | 'fit';
  /** Whether values go through the VOI window that a file holds. */
  readonly voi?: 'ignore' | 'apply';
  readonly split: SplitRule;
  /** More that the index shall tell of how the data were made. */
  readonly told?: Readonly<Record<string, unknown>>;
  readonly skipBad: boolean;
  readonly calibrationScreens: number;
  readonly classNames?: readonly string[];
  /** Cases that could not even be listed. */
  readonly bad?: readonly { readonly id: string; readonly reason: string }[];
  readonly signal: AbortSignal;
  readonly progress: (message: string) => void;
}

export interface Prepared {
  readonly index: PreparedIndex;
  readonly leak: Leakage;
}

/** Returns null when `signal` interrupted it between two films. @throws Failure for the first bad case unless skipBad */
export async function prepareData(cases: readonly SourceCase[], options: PrepareOptions): Promise<Prepared | null> {
  const { out, recipe, split, monochrome1, films, name, skipBad, signal, progress, calibrationScreens } = options;
  const size = outputSize(recipe);
  const input = canvasInput(recipe, options);
  // Without the default of an option that came later: data sets that do not use it keep their hash.
  const voi = options.voi === 'apply' ? { voi: options.voi } : {};
  const settings = {
    recipe,
    heatMap: options.heatMap,
    monochrome1,
    scale: options.scale,
    ...voi,
    split,
    ...options.told,
  };
  if (split === 'released' && options.bad?.length)
    progress('--split released deals films out by their places in the table; rows that are left out change it.');
  rmSync(join(out, 'index.json'), { force: true }); // no index while the shards change
  const notes: ShardNote[] = [];
  for (let shard = 0; shard * FILMS_PER_SHARD < cases.length; shard++) {
    const mine = cases.slice(shard * FILMS_PER_SHARD, (shard + 1) * FILMS_PER_SHARD);
    const key = sha256(
      JSON.stringify([
        settings,
        films,
        skipBad,
        mine.map(({ id, path, readings, ellipses }) => [id, path, readings.map(readingHash), ellipses]),
      ]),
    );
    const kept = finishedShard(out, shard, key);
    if (kept) {
      notes.push(kept);
      continue;
    }
    const done: (PreparedFilm & { id: string })[] = [];
    const skipped: { id: string; reason: string }[] = [];
    for (const one of mine) {
      if (signal.aborted) return null;
      try {
        done.push({ id: one.id, ...(await prepareFilm(one, options)) });
      } catch (error) {
        const reason = (error as Error).message;
        if (!skipBad) throw new Failure(`${reason} Or leave out bad cases with --skip-bad.`);
        skipped.push({ id: one.id, reason });
        progress(`left out ${one.id}: ${reason}`);
      }
    }
    notes.push(writeShard(out, shard, done, { key, skipped, ...size }));
    progress(`${Math.min(cases.length, (shard + 1) * FILMS_PER_SHARD)} of ${cases.length} films`);
  }
  const byId = new Map(cases.map((one) => [one.id, one]));
  const shards: { file: string; sha256: string }[] = [];
  // The released rule deals out all cases of the table, before any is left out.
  const splits = split === 'released' ? releasedSplit(cases) : patientSplit(cases);
  const splitOf = new Map<string, Split>(cases.map(({ id }, i) => [id, splits[i]]));
  const prepared = notes.flatMap((note, number) => {
    if (note.films.length === 0) return [];
    const shard = shards.push({ file: shardFile(number), sha256: note.sha256 }) - 1;
    return note.films.map(({ id, sourceHash, gazeSamples, readings }, place) => {
      const { patient, label, path } = byId.get(id)!;
      const film = { sourceHash, gazeSamples, readings };
      return { id, patient, label, split: splitOf.get(id)!, source: path, ...film, shard, place };
    });
  });
  const leak = leakage(
    prepared,
    prepared.map((one) => one.split),
  );
  const classNames = [...(options.classNames ?? CLASS_NAMES)];
  const index: PreparedIndex = {
    format: 'mtunet-data-1',
    name,
    ...size,
    ellipses: cases.some(({ ellipses }) => ellipses),
    classNames,
    settings,
    input,
    cases: prepared,
    shards,
    skipped: [...(options.bad ?? []), ...notes.flatMap(({ skipped }) => skipped)].map((one) => ({ ...one })),
    ignored: ignoredIn(notes),
    warnings: [...labelWarnings(classNames), ...gazeWarnings(extentsIn(notes))],
    calibrationScreens,
    leakage: leak,
  };
  if (prepared.length === 0)
    throw new Failure(`No case of ${films} could be prepared: ${index.skipped[0]?.reason ?? 'there are none'}`);
  writeWhole(join(out, 'index.json'), `${JSON.stringify(index, null, 2)}\n`);
  return { index, leak };
}

const extentsIn = (notes: readonly ShardNote[]) =>
  new Map(notes.flatMap(({ films }) => films.flatMap(({ id, extent }) => (extent ? [[id, extent] as const] : []))));

/** Films by what was ignored in them; the windows of different films are one kind. */
function ignoredIn(notes: readonly ShardNote[]): PreparedIndex['ignored'] {
  const films = new Map<string, number>();
  for (const { ignored = [] } of notes.flatMap((note) => note.films))
    for (const what of new Set(ignored.map((clause) => (clause.startsWith(VOI_WINDOW) ? VOI_WINDOW : clause))))
      films.set(what, (films.get(what) ?? 0) + 1);
  return [...films].map(([what, count]) => ({ what, films: count }));
}

const readingHash = ({ points, fixations }: Reading) =>
  sha256(fixations ? JSON.stringify(fixations) : new Uint8Array(points.slice().buffer));

const pointsOf = (readings: readonly Reading[]) =>
  readings.flatMap(({ points, fixations }) => (fixations ? fixations.flatMap(({ x, y }) => [x, y]) : [...points]));

const gazeCount = ({ points, fixations }: Reading) => fixations?.length ?? points.length / 2;

async function prepareFilm(one: SourceCase, options: PrepareOptions): Promise<PreparedFilm> {
  const { films, recipe } = options;
  const path = filmPath(films, one.path);
  const gazeSamples = one.readings.reduce((sum, reading) => sum + gazeCount(reading), 0);
  if (gazeSamples === 0)
    throw new Error(
      `${path}: there is no gaze for ${one.id}: ${one.missingGaze ?? 'its table has no row; download it again, or leave the film out'}.`,
    );
  const bytes = readWhole(path);
  const stored = await readFilm(path, bytes);
  const { height, width } = stored;
  if (one.size && (one.size.height !== height || one.size.width !== width))
    throw new Error(
      `${path}: the film has ${height} x ${width} pixels, the table says ${one.size.height} x ${one.size.width}; download both again.`,
    );
  const input = canvasInput(recipe, options);
  const { film, factor, kept } = canvasPicture(stored, input, input.geometry);
  const readings = factor === 1 ? one.readings : one.readings.map((reading) => fittedReading(reading, factor));
  const ellipses = one.ellipses?.map((list) => list.map((ellipse) => fittedEllipse(ellipse, factor)));
  const gaze = heatMap(readings, film, recipe, options.heatMap);
  if (!gaze)
    throw new Error(
      `${path}: none of ${gazeSamples} gaze samples lies on its ${height} x ${width} pixels; are x and y pixels of this film?`,
    );
  return {
    sourceHash: sha256(bytes),
    gazeSamples,
    readings: one.readings.length,
    extent: gazeExtent(pointsOf(one.readings), stored),
    ignored: ignoredOf(stored, input.voi),
    image: kept,
    gaze: Uint16Array.from(gaze, toFloat16),
    ...(ellipses && { ellipses: Uint16Array.from(ellipseMap(ellipses, film, recipe), toFloat16) }),
  };
}

/** The table's path begins with files/; a copy may begin below it. */
function filmPath(root: string, path: string): string {
  const short = path.replace(/^files\//, '');
  return fileInside(root, !existsSync(join(root, path)) && existsSync(join(root, short)) ? short : path);
}
