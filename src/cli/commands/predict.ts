/** mtunet predict: what a run's network says of films of one's own. */
import { createHash } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import { readFilm } from '../../data/film-file.ts';
import { type InputDescription, networkInput } from '../../data/picture-input.ts';
import { predictFilm } from '../../mtunet/grad-cam.ts';
import { exponential, logSoftmax } from '../../mtunet/metrics/index.ts';
import { buildNetwork } from '../../mtunet/networks.ts';
import { filmSheet } from '../../report/film-sheet.ts';
import { className } from '../../report/metrics.ts';
import { EXIT, sentence, UsageError } from '../failure.ts';
import { withGpu } from '../gpu-session.ts';
import { describeInput, inputHash, inputOfRun } from '../input-of.ts';
import { pinKernels } from '../kernel-choices.ts';
import { note } from '../messages.ts';
import { distinctNames, PredictionFolder } from '../prediction-folder.ts';
import { pngOf } from '../raster.ts';
import { RunFolder } from '../run-folder.ts';
import { readWhole } from '../source-files.ts';

interface PredictOptions {
  out: string;
  class?: number;
  input?: string;
  json?: boolean;
}

/** A picture as the network sees it, or the reason why it cannot be read. */
type Read = { readonly file: string } & (
  | { readonly name: string; readonly sha256: string; readonly image: Float32Array }
  | { readonly error: string }
);

export function register(program: Command): void {
  program
    .command('predict')
    .description("class probabilities, a saliency overlay and Grad-CAM for films of one's own: PNG, JPEG or DICOM")
    .argument('<run>', 'a finished run')
    .argument('<image...>', 'films; each becomes the input that the run was trained with')
    .option('--out <folder>', 'where the pictures go', 'runs/predictions')
    .option('--class <index>', 'class that Grad-CAM speaks for, from 0; the most probable one unless given', classIndex)
    .option(
      '--input <how>',
      'for runs of earlier versions, which do not say it: the folder of data prepared as theirs, or fit (scaled whole, air black)',
    )
    .option('--json', 'print JSON, an entry for each film')
    .addHelpText(
      'after',
      `
A result has the film's name; films of one name get their folder's, too, and a result of another film that lies in --out already is
kept: the new one gets a number. A film that cannot be read is told, the others are predicted, and the exit code is 1.

Example:
  mtunet predict runs/first chest.png --out runs/mine`,
    )
    .action(predict);
}

function classIndex(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('It must be a whole number from 0.');
  return Number(text);
}

async function predict(path: string, images: string[], options: PredictOptions): Promise<void> {
  const { out, json, class: target } = options;
  const folder = RunFolder.open(path);
  const { config, evaluation } = folder;
  const weights = folder.loadWeights();
  const classes = evaluation.classification?.confusion.length ?? 3;
  if (target !== undefined && target >= classes)
    throw new UsageError(`--class ${target}: the run knows classes 0 to ${classes - 1}.`);
  const input = inputOfRun(folder, options.input);
  const films = await readAll(images, input);
  for (const film of films) {
    if (!('error' in film)) continue;
    note(`mtunet: ${film.error}`);
    process.exitCode = EXIT.failure;
  }
  const told: object[] = [];
  if (films.some((film) => 'image' in film)) {
    mkdirSync(out, { recursive: true });
    await withGpu(async (gpu) => {
      told.length = 0; // a device that was lost begins anew
      const results = new PredictionFolder(out);
      pinKernels(gpu, folder);
      using model = buildNetwork(gpu, config.network, classes, null);
      model.loadStateDict(weights);
      for (const film of films) {
        if ('error' in film) {
          told.push({ image: null, ...film });
          continue;
        }
        const { height, width } = config;
        const { file, sha256, image } = film;
        const found = await predictFilm(gpu, model, image, { height, width, target });
        const probabilities = found.diagnosis && [...exponential(logSoftmax(found.diagnosis))];
        const entry = { file, sha256, run: resolve(path), probabilities, target: found.target };
        const name = results.claim(film.name, entry);
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
            `Run ${path}: ${config.network.name}, trained on ${folder.provenance.data.name}. Not for medical use.`,
            `Input ${describeInput(input)}.`,
          ],
        });
        const picture = results.write(name, await pngOf(svg), entry);
        const input_sha256 = inputHash(image);
        told.push({ image: name, file, input_sha256, probabilities, target: found.target, picture });
        if (!json) print(name, probabilities, picture);
      }
    });
  } else told.push(...films.map((film) => ({ image: null, ...film })));
  if (json) console.log(JSON.stringify(told, null, 2));
}

/** A path that is given twice is read once. */
async function readAll(images: readonly string[], input: InputDescription): Promise<Read[]> {
  const files = [...new Map(images.map((image) => [resolve(image), image])).values()];
  const names = distinctNames(files);
  return Promise.all(
    files.map(async (file, i) => {
      try {
        const bytes = readWhole(file);
        const sha256 = createHash('sha256').update(bytes).digest('hex');
        return { file, name: names[i], sha256, image: networkInput(await readFilm(file, bytes), input) };
      } catch (error) {
        return { file, error: sentence(error) };
      }
    }),
  );
}

function print(name: string, probabilities: readonly number[] | null, picture: string): void {
  const answers = probabilities?.map((p, i) => `${className(i, probabilities.length)} ${p.toFixed(3)}`).join('  ');
  console.log(`${name}: ${answers ?? 'no class head'}  ${picture}`);
}
