/** mtunet data check: what a prepared folder holds, whether its bytes are those that were written, and a picture of it. */
import { join } from 'node:path';
import type { Command } from 'commander';
import { encode } from 'fast-png';
import { leakage } from '../../data/case-splits.ts';
import { contactSheet } from '../../data/contact-sheet.ts';
import type { ChestSample } from '../../data/dataset.ts';
import { type DataReport, dataPage, ignoredText, type Shown, SPLITS } from '../../report/data-report.ts';
import { shrink } from '../../report/png.ts';
import { EXIT } from '../failure.ts';
import { openPrepared, readIndex, verifyShard } from '../prepared-folder.ts';
import { writeWhole } from '../whole-file.ts';

interface Options {
  sheet?: string | false;
  report?: string | false;
  json?: boolean;
}

export function registerCheck(data: Command): void {
  data
    .command('check')
    .argument('<folder>', 'that "data prepare" made')
    .description('counts, gaze, duplicates, checksums and leakage; writes a page and draws a contact sheet')
    .option('--sheet <png>', 'where the picture goes (default: contact-sheet.png in the folder)')
    .option('--no-sheet', 'draw none')
    .option('--report <html>', 'where the page goes (default: report.html in the folder)')
    .option('--no-report', 'write none')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  mtunet data check data/egd')
    .action((folder: string, { sheet, report: page, json }: Options) => {
      const report = checkPrepared(folder);
      if (json) console.log(JSON.stringify(report, null, 2));
      else print(report);
      if (report.problems.length > 0) process.exitCode = EXIT.failure;
      const shown = report.readable && (sheet !== false || page !== false) ? spread(folder) : null;
      const write = (what: string, path: string, content: string | Uint8Array) => {
        writeWhole(path, content);
        if (!json) console.log(`${what.padEnd(15)}${path}`);
      };
      if (page !== false)
        write('page', page ?? join(folder, 'report.html'), dataPage(report, readIndex(folder).classNames, shown));
      if (sheet !== false && shown) write('picture', sheet ?? join(folder, 'contact-sheet.png'), picture(shown));
    });
}

export function checkPrepared(folder: string): DataReport {
  const { name, height, width, cases, shards, skipped, ignored, warnings, calibrationScreens, classNames, settings } =
    readIndex(folder);
  const broken = shards.map((shard) => verifyShard(folder, shard)).filter((problem) => problem !== null);
  const problems: string[] = [];
  const seen = new Map<string, string>();
  for (const { id, sourceHash, gazeSamples } of cases) {
    if (seen.has(id)) problems.push(`${id} occurs twice; prepare the data again.`);
    seen.set(id, id);
    const twin = seen.get(sourceHash);
    if (twin && settings.readings !== 'separate')
      problems.push(`${id} and ${twin} are the same file; correct the table and prepare the data again.`);
    seen.set(sourceHash, id);
    if (gazeSamples === 0) problems.push(`${id} has no gaze; prepare the data again.`);
  }
  if (broken.length === 0) {
    const { train, valid, test } = openPrepared(folder);
    for (const sample of [...train, ...valid, ...test]) broken.push(...valueProblems(sample));
  }
  problems.push(...warnings, ...broken);
  const counts = Object.fromEntries(
    SPLITS.map((split) => [
      split,
      Object.fromEntries(
        classNames.map((className, label) => [
          className,
          cases.filter((one) => one.split === split && one.label === label).length,
        ]),
      ),
    ]),
  ) as DataReport['counts'];
  for (const split of SPLITS) {
    const empty = Object.entries(counts[split]).find(([, count]) => count === 0);
    if (empty) problems.push(`${split} has no film of class "${empty[0]}"; add films or choose another split.`);
  }
  const totals = classNames.map((_, label) => cases.filter((one) => one.label === label).length);
  const splits = cases.map(({ split }) => split);
  return {
    name,
    height,
    width,
    counts,
    imbalance: Math.max(...totals) / Math.min(...totals),
    leakage: leakage(cases, splits),
    calibrationScreens,
    ignored,
    skipped,
    problems,
    readable: broken.length === 0,
  };
}

function valueProblems({ id, image, gaze }: ChestSample): string[] {
  const outside = (values: Float32Array) => values.some((value) => !(value >= 0 && value <= 1));
  const flat = (values: Float32Array) => values.every((value) => value === values[0]);
  return Object.entries({ image, gaze }).flatMap(([what, values]) =>
    outside(values) || flat(values)
      ? [`${id}: the ${what} is ${flat(values) ? 'the same everywhere' : 'not in [0, 1]'}; look at its source.`]
      : [],
  );
}

const SHOWN = 18;
const LONGEST_SIDE = 200;

/** Films spread over the data set, reduced. */
function spread(folder: string): Shown {
  const dataset = openPrepared(folder);
  const all = [...dataset.train, ...dataset.valid, ...dataset.test];
  const count = Math.min(SHOWN, all.length);
  const factor = Math.ceil(Math.max(dataset.height, dataset.width) / LONGEST_SIDE);
  const samples = Array.from({ length: count }, (_, i) => all[Math.floor((i * all.length) / count)]).map(
    ({ id, patient, label, image, gaze }) => {
      const reduced = (values: Float32Array) =>
        shrink({ values, height: dataset.height, width: dataset.width }, factor);
      return { id, patient, label, image: reduced(image).values, gaze: reduced(gaze).values };
    },
  );
  const [height, width] = [dataset.height, dataset.width].map((side) => Math.floor(side / factor));
  return { samples, height, width };
}

function picture({ samples, ...size }: Shown): Uint8Array {
  const sheet = contactSheet(samples, { ...size, columns: 6 });
  return encode({ width: sheet.width, height: sheet.height, data: sheet.pixels, channels: 4, depth: 8 });
}

function print({
  name,
  height,
  width,
  counts,
  imbalance,
  leakage: leak,
  calibrationScreens,
  ignored,
  skipped,
  problems,
}: DataReport): void {
  const classes = Object.keys(counts.train);
  console.log(`${name}, ${height} x ${width}`);
  console.log(`${''.padEnd(15)}${classes.map((one) => one.padStart(16)).join('')}`);
  for (const split of SPLITS)
    console.log(`${split.padEnd(15)}${classes.map((one) => String(counts[split][one]).padStart(16)).join('')}`);
  console.log(`balance        the largest class has ${imbalance.toFixed(2)} times the films of the smallest`);
  console.log(
    `leakage        ${leak.patients} patient(s) in more than one split; ${leak.films} film(s) of valid and test show a patient of train`,
  );
  console.log(`ignored        ${ignoredText(ignored)}`);
  console.log(`calibration    ${calibrationScreens} screens among the gaze, left out`);
  console.log(`left out       ${skipped.length}`);
  for (const { id, reason } of skipped) console.log(`               ${id}: ${reason}`);
  console.log(problems.length === 0 ? 'problems       none' : `problems       ${problems.length}`);
  for (const problem of problems) console.log(`               ${problem}`);
}
