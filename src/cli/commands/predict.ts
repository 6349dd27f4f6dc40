/** mtunet predict: what a run's network says of films of one's own. */
import { mkdirSync, readFileSync } from 'node:fs';
import { basename, extname, join } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import { readFilm } from '../../data/film-file.ts';
import { type FittedFilm, fitFilm } from '../../data/fit-film.ts';
import { predictFilm } from '../../mtunet/grad-cam.ts';
import { exponential, logSoftmax } from '../../mtunet/metrics/index.ts';
import { buildNetwork } from '../../mtunet/networks.ts';
import { filmSheet } from '../../report/film-sheet.ts';
import { className } from '../../report/metrics.ts';
import { UsageError } from '../failure.ts';
import { withGpu } from '../gpu-session.ts';
import { pinKernels } from '../kernel-choices.ts';
import { pngOf } from '../raster.ts';
import { RunFolder, writeWhole } from '../run-folder.ts';

interface PredictOptions {
  out: string;
  class?: number;
  json?: boolean;
}

interface Film extends FittedFilm {
  readonly name: string;
}

export function register(program: Command): void {
  program
    .command('predict')
    .description("class probabilities, a saliency overlay and Grad-CAM for films of one's own: PNG, JPEG or DICOM")
    .argument('<run>', 'a finished run')
    .argument('<image...>', 'films; each is scaled to the size of the run, its shape kept')
    .option('--out <folder>', 'where the pictures go', 'runs/predictions')
    .option('--class <index>', 'class that Grad-CAM speaks for, from 0; the most probable one unless given', classIndex)
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  mtunet predict runs/first chest.png --out runs/mine')
    .action(predict);
}

function classIndex(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('It must be a whole number from 0.');
  return Number(text);
}

async function predict(path: string, images: string[], { out, json, class: target }: PredictOptions): Promise<void> {
  const folder = RunFolder.open(path);
  const { config, evaluation } = folder;
  const weights = folder.loadWeights();
  const classes = evaluation.classification?.confusion.length ?? 3;
  if (target !== undefined && target >= classes)
    throw new UsageError(`--class ${target}: the run knows classes 0 to ${classes - 1}.`);
  const films = await Promise.all(images.map((image) => readFitted(image, config)));
  mkdirSync(out, { recursive: true });
  const told: object[] = [];
  await withGpu(async (gpu) => {
    pinKernels(gpu, folder);
    using model = buildNetwork(gpu, config.network, classes, null);
    model.loadStateDict(weights);
    for (const { name, image } of films) {
      const { height, width } = config;
      const found = await predictFilm(gpu, model, image, { height, width, target });
      const probabilities = found.diagnosis && [...exponential(logSoftmax(found.diagnosis))];
      const svg = filmSheet({
        name,
        film: { values: image, height, width },
        saliency: found.saliency && exponential(logSoftmax(found.saliency)),
        classMaps: found.classMaps.map(({ mapHeight, mapWidth, values }) => ({
          label: `Grad-CAM, ${mapHeight} x ${mapWidth}`,
          values,
        })),
        probabilities,
        target: found.target,
        notes: [
          `Run ${path}: ${config.network.name} at ${height} x ${width}, trained on ${folder.provenance.data.name}. Not for medical use.`,
        ],
      });
      const picture = join(out, `${name}.png`);
      writeWhole(picture, await pngOf(svg));
      told.push({ image: name, probabilities, target: found.target, picture });
      if (!json) print(name, probabilities, picture);
    }
  });
  if (json) console.log(JSON.stringify(told, null, 2));
}

async function readFitted(path: string, size: { height: number; width: number }): Promise<Film> {
  const name = basename(path, extname(path));
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    throw new UsageError(`${path} cannot be read: ${(error as Error).message}.`);
  }
  return { name, ...fitFilm(await readFilm(path, bytes), size) };
}

function print(name: string, probabilities: readonly number[] | null, picture: string): void {
  const answers = probabilities?.map((p, i) => `${className(i, probabilities.length)} ${p.toFixed(3)}`).join('  ');
  console.log(`${name}: ${answers ?? 'no class head'}  ${picture}`);
}
