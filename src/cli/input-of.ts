/** How a run, or data that were prepared for one, turn a picture into the network's input. */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { areaInput, type InputDescription, inputSize } from '../data/picture-input.ts';
import { Failure, UsageError } from './failure.ts';
import { readIndex } from './prepared-folder.ts';
import { RunFolder } from './run-folder.ts';

/** path: of a finished run, or of a folder that `data prepare` made. */
export function inputOf(path: string): InputDescription {
  if (RunFolder.isRun(path)) return inputOfRun(RunFolder.open(path));
  if (existsSync(join(path, 'index.json'))) return inputOfPrepared(path);
  throw new UsageError(
    `${path} is neither a run (it has no config.json) nor prepared data (it has no index.json); give the folder of "train --out" or of "data prepare --out".`,
  );
}

/** choice: --input of `predict`; undefined: what the run says. */
export function inputOfRun(run: RunFolder, choice?: string): InputDescription {
  const { height, width } = run.config;
  const described = run.provenance.input;
  const input =
    choice === undefined ? described : choice === 'fit' ? areaInput(height, width) : inputOfPrepared(choice);
  if (!input)
    throw new Failure(
      `${run.path} does not say how a picture becomes its input: an earlier version trained it, or prepared its data. Name the data it was trained on, prepared anew, with --input <folder>; or --input fit for a run on synthetic data.`,
    );
  const size = inputSize(input);
  if (size.height !== height || size.width !== width)
    throw new UsageError(
      `${choice === undefined ? run.path : `--input ${choice}`} makes inputs of ${size.height} x ${size.width}, the run's network was trained at ${height} x ${width}; name the data that it was trained on.`,
    );
  return input;
}

function inputOfPrepared(folder: string): InputDescription {
  const { input } = readIndex(folder);
  if (input) return input;
  throw new Failure(
    `${folder} does not say how a picture becomes an input: an earlier version prepared it; prepare it again with mtunet data prepare.`,
  );
}

/** SHA-256 of the float32 values, little endian, row by row. */
export function inputHash(image: Float32Array): string {
  const bytes = new Uint8Array(4 * image.length);
  const view = new DataView(bytes.buffer);
  image.forEach((value, i) => {
    view.setFloat32(4 * i, value, true);
  });
  return createHash('sha256').update(bytes).digest('hex');
}

/** In words, for people. */
export function describeInput(input: InputDescription): string {
  const { geometry, voi, monochrome1 } = input;
  const { height, width } = inputSize(input);
  const how =
    geometry.kind === 'area'
      ? 'fitted by area, black around it'
      : `${geometry.scale === 'fit' ? 'fitted to' : 'padded or cropped to'} ${geometry.recipe.height} x ${geometry.recipe.width}, every ${geometry.recipe.stride}th pixel`;
  const polarity = monochrome1 === 'invert' ? 'MONOCHROME1 inverted' : 'MONOCHROME1 kept';
  return `${height} x ${width}: ${how}; ${polarity}; VOI window ${voi === 'apply' ? 'applied' : 'ignored'}; divided by the largest value`;
}
