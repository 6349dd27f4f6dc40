/** mtunet data prepare: EGD-CXR's tables and MIMIC-CXR's films, or a folder of films, to shards for --data. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { type SplitRule, splitNames } from '../../data/case-splits.ts';
import { heatMapNames } from '../../data/heat-map.ts';
import { recipes } from '../../data/recipe.ts';
import { openSource, peakMemory, type SourceOptions } from '../data-sources.ts';
import { EXIT } from '../failure.ts';
import { interruptSignal } from '../interrupt.ts';
import { note } from '../messages.ts';
import { prepareData } from '../prepare-data.ts';

interface Options extends SourceOptions {
  out: string;
  split: SplitRule;
  json?: boolean;
}

export function registerPrepare(data: Command): void {
  data
    .command('prepare')
    .description('films and gaze to a folder that "train --data" reads; goes on where an earlier call stopped')
    .requiredOption('--out <folder>', 'of the prepared data')
    .option('--egd <folder>', 'of EGD-CXR, with master_sheet.csv and eye_gaze.csv')
    .option('--mimic <folder>', 'of MIMIC-CXR, which holds files/p10 ...')
    .option('--reflacx <folder>', 'of REFLACX, with main_data, instead of --egd')
    .option('--phases <list>', 'with --reflacx: which of its phases (default: 1,2,3)', parsePhases)
    .addOption(
      new Option(
        '--readings <rule>',
        'with --reflacx: merged (default): one case a film, the mean of its readers; separate: one case a reading',
      ).choices(['merged', 'separate']),
    )
    .option('--folder <folder>', 'of your own PNG, JPEG or DICOM films, instead of the clinical sets')
    .option('--labels <csv>', 'with --folder: table of file, label and patient (default: labels.csv in it)')
    .option('--gaze <csv>', 'with --folder: table of file, x, y in pixels of the film (default: gaze.csv in it)')
    .option(
      '--columns <names>',
      'with --folder: names such as file=image,label=diagnosis,patient=person,x=gx,y=gy,duration=t',
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
        '--heat-map <name>',
        "paper: 60 Hz samples, sigma 75.5; released: the same in 8 bits; fixations: EGD-CXR's own, sigma 150; degrees: REFLACX's, one degree, by duration (default: as the recipe, with --reflacx degrees)",
      ).choices(heatMapNames),
    )
    .option('--pixels-per-degree <pixels>', 'with --heat-map degrees: of the original film', positive)
    .addOption(
      new Option(
        '--monochrome1 <how>',
        'films stored with white as 0: keep (default with --egd and --reflacx, as released) or invert (default with --folder)',
      ).choices(['keep', 'invert']),
    )
    .addOption(
      new Option(
        '--scale <how>',
        'keep: the pixels of the clinical films are what the recipes expect (default with --egd and --reflacx); fit: bring each film to the size of one first (default with --folder)',
      ).choices(['keep', 'fit']),
    )
    .addOption(
      new Option(
        '--voi <how>',
        'a window of gray values that a DICOM file proposes for display: ignore (default, as the paper) or apply',
      ).choices(['ignore', 'apply']),
    )
    .option('--jpg', 'the films are MIMIC-CXR-JPG: 8 bits after histogram equalization, not the same signal')
    .option('--skip-bad', 'leave out cases that cannot be read, and list them')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  mtunet data prepare --egd egd-cxr/1.0.0 --mimic mimic-cxr/2.0.0 --out data/egd\n  mtunet data prepare --reflacx reflacx/1.0.0 --mimic mimic-cxr/2.0.0 --out data/reflacx\n  mtunet data prepare --folder films --out data/own\n  mtunet train --preset paper --data data/egd',
    )
    .action(prepare);
}

async function prepare(options: Options): Promise<void> {
  const { out, recipe, split, skipBad = false, json } = options;
  const source = await openSource(options);
  const { signal, dispose } = interruptSignal(note);
  const started = performance.now();
  try {
    const prepared = await prepareData(source.cases, {
      ...source,
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
    for (const warning of index.warnings) note(`warning: ${warning}`);
    const summary = {
      out,
      films: index.cases.length,
      train: counts('train'),
      valid: counts('valid'),
      test: counts('test'),
      skipped: index.skipped,
      warnings: index.warnings,
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

const ROLES = ['file', 'label', 'patient', 'x', 'y', 'duration'];

function parseColumns(text: string): Record<string, string> {
  return Object.fromEntries(
    text.split(',').map((pair) => {
      const [role, name] = pair.split('=');
      if (!ROLES.includes(role) || !name)
        throw new InvalidArgumentError(`"${pair}" is not role=name, where role is one of ${ROLES.join(', ')}.`);
      return [role, name];
    }),
  );
}

function parsePhases(text: string): number[] {
  const phases = [...new Set(text.split(',').map(Number))].sort();
  if (phases.some((phase) => ![1, 2, 3].includes(phase)))
    throw new InvalidArgumentError('Give phases among 1, 2 and 3, such as 2,3.');
  return phases;
}

function positive(text: string): number {
  const value = Number(text);
  if (!(value > 0) || !Number.isFinite(value)) throw new InvalidArgumentError('It must be a positive number.');
  return value;
}
