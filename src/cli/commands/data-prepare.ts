/** mtunet data prepare: EGD-CXR's tables and MIMIC-CXR's films, or a folder of films, to shards for --data. */
import { join } from 'node:path';
import { type Command, Option } from 'commander';
import { splitNames } from '../../data/case-splits.ts';
import { calibrationScreens, readMasterSheet } from '../../data/egd.ts';
import { GazeTable } from '../../data/gaze-table.ts';
import { type RecipeName, recipes } from '../../data/recipe.ts';
import { EXIT, UsageError } from '../failure.ts';
import { readFolderCases } from '../folder-cases.ts';
import { interruptSignal } from '../interrupt.ts';
import { note } from '../messages.ts';
import { type PrepareOptions, prepareData, type SourceCase } from '../prepare-data.ts';
import { fileInside, readPieces, readWhole, sourceFolder } from '../source-files.ts';

interface Options {
  egd?: string;
  mimic?: string;
  folder?: string;
  labels?: string;
  gaze?: string;
  columns?: Record<string, string>;
  out: string;
  recipe: RecipeName;
  split: 'released' | 'patient';
  monochrome1?: 'keep' | 'invert';
  jpg?: boolean;
  skipBad?: boolean;
  json?: boolean;
}

export function registerPrepare(data: Command): void {
  data
    .command('prepare')
    .description('films and gaze to a folder that "train --data" reads; goes on where an earlier call stopped')
    .requiredOption('--out <folder>', 'of the prepared data')
    .option('--egd <folder>', 'of EGD-CXR, with master_sheet.csv and eye_gaze.csv')
    .option('--mimic <folder>', 'of MIMIC-CXR, which holds files/p10 ...')
    .option('--folder <folder>', 'of your own PNG, JPEG or DICOM films, instead of --egd and --mimic')
    .option('--labels <csv>', 'with --folder: table of file, label and patient (default: labels.csv in it)')
    .option('--gaze <csv>', 'with --folder: table of file, x, y in pixels of the film (default: gaze.csv in it)')
    .option(
      '--columns <names>',
      'with --folder: names such as file=image,label=diagnosis,patient=person,x=gx,y=gy',
      parseColumns,
    )
    .addOption(
      new Option('--recipe <name>', 'paper: 640 x 416; released: 640 x 512')
        .choices(Object.keys(recipes))
        .default('paper'),
    )
    .addOption(
      new Option(
        '--split <rule>',
        'patient: no patient in two splits (recommended); released: the code of the paper, image by image',
      )
        .choices(splitNames)
        .default('patient'),
    )
    .addOption(
      new Option(
        '--monochrome1 <how>',
        'films stored with white as 0: keep (default with --egd, as released) or invert (default with --folder)',
      ).choices(['keep', 'invert']),
    )
    .option('--jpg', 'the films are MIMIC-CXR-JPG: 8 bits after histogram equalization, not the same signal')
    .option('--skip-bad', 'leave out cases that cannot be read, and list them')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  mtunet data prepare --egd egd-cxr/1.0.0 --mimic mimic-cxr/2.0.0 --out data/egd\n  mtunet data prepare --folder films --out data/own\n  mtunet train --preset paper --data data/egd',
    )
    .action(prepare);
}

async function prepare(options: Options): Promise<void> {
  const { out, recipe, split, skipBad = false, json } = options;
  const source = options.folder ? ownFolder(options) : await egd(options);
  const { signal, dispose } = interruptSignal(note);
  const started = performance.now();
  try {
    const prepared = await prepareData((await source).cases, {
      ...(await source),
      out,
      recipe: recipes[recipe],
      split,
      skipBad,
      signal,
      progress: note,
    });
    if (!prepared) {
      note('Stopped; whole shards are kept. Go on with the same command.');
      process.exitCode = EXIT.interrupted;
      return;
    }
    const { index, leak } = prepared;
    const counts = (name: string) => index.cases.filter((one) => one.split === name).length;
    const summary = {
      out,
      films: index.cases.length,
      train: counts('train'),
      valid: counts('valid'),
      test: counts('test'),
      skipped: index.skipped,
      calibrationScreens: index.calibrationScreens,
      leakage: leak,
      seconds: Math.round((performance.now() - started) / 100) / 10,
      peakMemoryMB: peakMemory(),
    };
    if (json) return console.log(JSON.stringify(summary, null, 2));
    console.log(
      `${out}: ${summary.films} films of ${index.height} x ${index.width} (train ${summary.train}, valid ${summary.valid}, test ${summary.test}) in ${summary.seconds} s, ${index.skipped.length} left out`,
    );
    console.log(
      leak.patients > 0
        ? `split ${split}: ${leak.patients} patient(s) lie in more than one split, ${leak.films} film(s) of valid and test show a patient of train; --split patient avoids this.`
        : `split ${split}: no patient lies in two splits.`,
    );
  } finally {
    dispose();
  }
}

type Source = Pick<PrepareOptions, 'name' | 'films' | 'monochrome1' | 'calibrationScreens' | 'classNames'> & {
  cases: SourceCase[];
};

async function egd({ egd, mimic, jpg, monochrome1 = 'keep' }: Options): Promise<Source> {
  if (!egd || !mimic)
    throw new UsageError('Give --egd and --mimic, the two folders from PhysioNet, or --folder with films of your own.');
  const [tables, films] = [sourceFolder('--egd', egd), sourceFolder('--mimic', mimic)];
  if (jpg)
    note(
      '--jpg: 8-bit films after histogram equalization are not the signal that the paper trained on; its numbers need the DICOM files.',
    );
  const sheet = fileInside(tables, 'master_sheet.csv');
  const rows = readMasterSheet(sheet, readWhole(sheet));
  const table = await readGaze(fileInside(tables, 'eye_gaze.csv'));
  const screens = calibrationScreens(table.byId.keys()).length;
  if (screens > 0) note(`${screens} calibration screens among the gaze are left out.`);
  const cases = rows.map(({ path, ...row }) => ({
    ...row,
    path: jpg ? path.replace(/\.dcm$/, '.jpg') : path,
    points: table.byId.get(row.id)?.points ?? new Float64Array(),
  }));
  return { name: `EGD-CXR with MIMIC-CXR${jpg ? '-JPG' : ''}`, films, monochrome1, calibrationScreens: screens, cases };
}

async function readGaze(path: string): Promise<GazeTable> {
  const started = performance.now();
  const table = new GazeTable(path);
  const bytes = await readPieces(path, (piece) => table.push(piece));
  table.end();
  const [megabytes, seconds] = [bytes / 1e6, (performance.now() - started) / 1000];
  note(
    `eye_gaze.csv: ${table.rows} samples, ${megabytes.toFixed(1)} MB in ${seconds.toFixed(1)} s (${(megabytes / seconds).toFixed(0)} MB/s), peak memory ${peakMemory()} MB`,
  );
  return table;
}

async function ownFolder({ folder, labels, gaze, columns, monochrome1 = 'invert' }: Options): Promise<Source> {
  const films = sourceFolder('--folder', folder!);
  const own = await readFolderCases(films, {
    labels: labels ?? join(films, 'labels.csv'),
    gaze: gaze ?? join(films, 'gaze.csv'),
    columns: columns ?? {},
  });
  return { name: `own films of ${folder}`, films, monochrome1, calibrationScreens: 0, ...own };
}

/** Peak resident memory of this process, MB. */
const peakMemory = () => Math.round((process.resourceUsage().maxRSS * 1024) / 1e6);

function parseColumns(text: string): Record<string, string> {
  return Object.fromEntries(
    text.split(',').map((pair) => {
      const [role, name] = pair.split('=');
      if (!['file', 'label', 'patient', 'x', 'y'].includes(role) || !name)
        throw new UsageError(`--columns ${pair}: give role=name, where role is file, label, patient, x or y.`);
      return [role, name];
    }),
  );
}
