/** Where films and gaze come from: the clinical sets in their formats, or anyone's own folder. */
import { join } from 'node:path';
import { calibrationScreens, readMasterSheet } from '../data/egd.ts';
import { egdColumns, GazeTable } from '../data/gaze-table.ts';
import type { HeatMapName } from '../data/heat-map.ts';
import { missingGaze } from '../data/near-match.ts';
import { type CanvasOptions, clinicalPictures, ownPictures } from '../data/picture-input.ts';
import type { RecipeName } from '../data/recipe.ts';
import { BadRows } from './bad-rows.ts';
import { UsageError } from './failure.ts';
import { readFolderCases } from './folder-cases.ts';
import { gazeNeeds, gazeValues, readingOf } from './gaze-readings.ts';
import { note } from './messages.ts';
import type { PrepareOptions, SourceCase } from './prepare-data.ts';
import { readReflacxCases } from './reflacx-cases.ts';
import { fileInside, readPieces, readWhole, sourceFolder } from './source-files.ts';

export interface SourceOptions {
  readonly egd?: string;
  readonly mimic?: string;
  readonly reflacx?: string;
  readonly phases?: readonly number[];
  readonly readings?: 'merged' | 'separate';
  readonly folder?: string;
  readonly labels?: string;
  readonly gaze?: string;
  readonly columns?: Readonly<Record<string, string>>;
  readonly recipe: RecipeName;
  readonly heatMap?: HeatMapName;
  readonly pixelsPerDegree?: number;
  readonly monochrome1?: 'keep' | 'invert';
  readonly scale?: 'keep' | 'fit';
  readonly voi?: 'ignore' | 'apply';
  readonly jpg?: boolean;
  readonly skipBad?: boolean;
}

export type Source = Pick<
  PrepareOptions,
  'name' | 'films' | 'monochrome1' | 'scale' | 'voi' | 'calibrationScreens' | 'classNames' | 'heatMap' | 'told' | 'bad'
> & { readonly cases: SourceCase[] };

export function openSource(options: SourceOptions): Promise<Source> {
  const { egd, reflacx, folder, mimic } = options;
  const given = Object.entries({ egd, reflacx, folder }).filter(([, value]) => value !== undefined);
  if (given.length !== 1)
    throw new UsageError(
      `Give one of --egd and --reflacx, each with --mimic, or --folder with films of your own; got ${given.map(([name]) => `--${name}`).join(' and ') || 'none'}.`,
    );
  const wants = {
    phases: 'reflacx',
    readings: 'reflacx',
    labels: 'folder',
    gaze: 'folder',
    columns: 'folder',
  } as const;
  for (const [option, source] of Object.entries(wants))
    if (options[option as keyof typeof wants] !== undefined && !options[source])
      throw new UsageError(`--${option} speaks of --${source}, which is missing.`);
  if (folder !== undefined) {
    for (const option of ['mimic', 'jpg'] as const)
      if (options[option]) throw new UsageError(`--${option} does not go with --folder, which holds its films itself.`);
    return ownFolder(options, folder);
  }
  if (mimic === undefined)
    throw new UsageError(`--mimic is missing: the folder of MIMIC-CXR's films, which --${given[0][0]} speaks of.`);
  if (options.jpg)
    note(
      '--jpg: 8-bit films after histogram equalization are not the signal that the paper trained on; its numbers need the DICOM files.',
    );
  return reflacx === undefined ? egdSource(options, egd!, mimic) : reflacxSource(options, reflacx, mimic);
}

const pictureOptions = ({ monochrome1, scale }: SourceOptions, otherwise: CanvasOptions): CanvasOptions => ({
  monochrome1: monochrome1 ?? otherwise.monochrome1,
  scale: scale ?? otherwise.scale,
});

const clinicalName = (name: string, jpg = false) => `${name} with MIMIC-CXR${jpg ? '-JPG' : ''}`;
const filmPath = (path: string, jpg = false) => (jpg ? path.replace(/\.dcm$/, '.jpg') : path);

async function egdSource(options: SourceOptions, egd: string, mimic: string): Promise<Source> {
  const { jpg, recipe, heatMap = recipe } = options;
  const { monochrome1, scale } = pictureOptions(options, clinicalPictures);
  const needs = gazeNeeds(heatMap, options.pixelsPerDegree);
  const [tables, films] = [sourceFolder('--egd', egd), sourceFolder('--mimic', mimic)];
  const sheet = fileInside(tables, 'master_sheet.csv');
  const badRows = BadRows.listed(options.skipBad);
  const rows = readMasterSheet(sheet, readWhole(sheet), badRows?.of(sheet));
  const samples = heatMap === 'paper' || heatMap === 'released';
  const columns = { ...egdColumns, values: gazeValues(egdColumns.values, 'FPOGD', needs) };
  const gazeFile = samples ? 'eye_gaze.csv' : 'fixations.csv';
  const table = await readGaze(fileInside(tables, gazeFile), columns, badRows);
  const screens = calibrationScreens(table.byId.keys()).length;
  if (screens > 0) note(`${screens} calibration screens among the gaze are left out.`);
  const cases = rows.map(({ path, ...row }) => ({
    ...row,
    path: filmPath(path, jpg),
    readings: [readingOf(table.byId.get(row.id), needs)],
    ...(!table.byId.has(row.id) && { missingGaze: missingGaze(row.id, gazeFile, table.byId.keys()) }),
  }));
  const told = { pixelsPerDegree: needs.pixelsPerDegree };
  return {
    name: clinicalName('EGD-CXR', jpg),
    films,
    monochrome1,
    scale,
    voi: options.voi,
    calibrationScreens: screens,
    heatMap,
    told,
    bad: badRows?.list,
    cases,
  };
}

async function readGaze(path: string, columns: typeof egdColumns, badRows: BadRows | null): Promise<GazeTable> {
  const started = performance.now();
  const table = new GazeTable(path, columns, badRows?.of(path, 'a row of'));
  const bytes = await readPieces(path, (piece) => table.push(piece));
  table.end();
  const [megabytes, seconds] = [bytes / 1e6, (performance.now() - started) / 1000];
  note(
    `${path}: ${table.rows} samples, ${megabytes.toFixed(1)} MB in ${seconds.toFixed(1)} s (${(megabytes / seconds).toFixed(0)} MB/s), peak memory ${peakMemory()} MB`,
  );
  return table;
}

async function reflacxSource(options: SourceOptions, reflacx: string, mimic: string): Promise<Source> {
  const { heatMap = 'degrees', phases = [1, 2, 3], readings = 'merged', jpg } = options;
  const { monochrome1, scale } = pictureOptions(options, clinicalPictures);
  if (heatMap === 'paper' || heatMap === 'released')
    throw new UsageError(
      `--heat-map ${heatMap} counts samples, REFLACX's tables hold fixations; choose degrees or fixations.`,
    );
  if (options.pixelsPerDegree !== undefined)
    throw new UsageError("--pixels-per-degree is not wanted: REFLACX's tables tell it for every fixation.");
  const [root, films] = [sourceFolder('--reflacx', reflacx), sourceFolder('--mimic', mimic)];
  const found = readReflacxCases(root, { phases, readings, skipBad: options.skipBad ?? false });
  note(
    `${found.discarded} readings whose tracking was discarded and ${found.otherFindings} ${readings === 'merged' ? 'films' : 'readings'} with findings outside the three classes are left out.`,
  );
  return {
    name: clinicalName('REFLACX', jpg),
    films,
    monochrome1,
    scale,
    voi: options.voi,
    calibrationScreens: 0,
    heatMap,
    told: { phases, readings },
    bad: found.bad,
    cases: found.cases.map((one) => ({ ...one, path: filmPath(one.path, jpg) })),
  };
}

async function ownFolder(options: SourceOptions, folder: string): Promise<Source> {
  const { recipe, heatMap = recipe, labels, gaze, columns = {} } = options;
  const { monochrome1, scale } = pictureOptions(options, ownPictures);
  const needs = gazeNeeds(heatMap, options.pixelsPerDegree);
  const films = sourceFolder('--folder', folder);
  const badRows = BadRows.listed(options.skipBad);
  const own = await readFolderCases(films, {
    labels: labels ?? join(films, 'labels.csv'),
    gaze: gaze ?? join(films, 'gaze.csv'),
    columns,
    needs,
    badRows,
  });
  const told = { pixelsPerDegree: needs.pixelsPerDegree };
  return {
    name: `own films of ${folder}`,
    films,
    monochrome1,
    scale,
    voi: options.voi,
    calibrationScreens: 0,
    heatMap,
    told,
    bad: badRows?.list,
    ...own,
  };
}

/** Peak resident memory of this process, MB. */
export const peakMemory = () => Math.round((process.resourceUsage().maxRSS * 1024) / 1e6);
