/** Weights from a file or a run's folder, fitted to a network, with a list of what does not fit as it is. */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { dryGpu } from '../engine/dry.ts';
import type { Choice } from '../engine/index.ts';
import type { TrainConfig } from '../mtunet/config.ts';
import { buildNetwork, type NetworkName, type NetworkOptions } from '../mtunet/networks.ts';
import { makeScheme } from '../mtunet/schemes/index.ts';
import { readWeightFile, type WeightFile } from '../mtunet/weight-file.ts';
import { deviations, fitWeights, type WeightFit } from '../mtunet/weight-fit.ts';
import { fittingDict } from '../mtunet/weight-prefix.ts';
import { Failure, UsageError } from './failure.ts';
import { note } from './messages.ts';
import { readBytes, sha256 } from './pieces.ts';
import { RunFolder } from './run-folder.ts';

export interface NamedWeightFile extends WeightFile {
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
}

/** Which of a file's dicts of tensors is wanted: the one of this key, or the one that fits this network. */
export interface Wanted {
  readonly key?: string;
  readonly target?: FitTarget;
}

/** @param path a file of weights, or the folder of a run, whose best network is meant */
export function openWeights(path: string, wanted: Wanted = {}): NamedWeightFile {
  const file = RunFolder.isRun(path) ? join(path, 'weights.safetensors') : path;
  if (!statSync(file, { throwIfNoEntry: false })?.isFile()) throw new UsageError(`${file} is no file of weights.`);
  try {
    const bytes = readBytes(file);
    return { ...readWeightFile(bytes, choiceOf(wanted)), path: file, bytes: bytes.length, sha256: sha256(bytes) };
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new Failure(`${file} cannot be read: ${(error as Error).message}`);
  }
}

function choiceOf({ key, target }: Wanted): Choice | undefined {
  if (key !== undefined)
    return (dicts) => {
      const found = dicts.find((one) => one.key === key);
      if (found) return found;
      const keys = dicts.slice(0, 8).map((one) => `"${one.key}"`);
      throw new UsageError(`--key ${key}: the file has tensors under ${keys.join(', ')}; choose one of them.`);
    };
  if (!target) return undefined;
  using gpu = dryGpu();
  using model = buildNetwork(gpu, target.network, target.classes, null);
  return fittingDict(target.network.name, new Set([...model.entries()].map(({ name }) => name)));
}

/** Where the weights were found, in words; empty where they are all that the file holds. */
export function whereFound({ key, others = [] }: WeightFile, { prefix }: Pick<WeightFit, 'prefix'>): string {
  const parts = [
    key && `from "${key}"`,
    prefix && `without the prefix "${prefix}"`,
    others.length > 0 &&
      `not from ${others
        .slice(0, 3)
        .map((other) => (other === '' ? 'the tensors beside it' : `"${other}"`))
        .join(', ')}${others.length > 3 ? ` and ${others.length - 3} more` : ''}`,
  ];
  return parts.filter(Boolean).join(', ');
}

/** What a file is fitted to. */
export interface FitTarget {
  readonly network: NetworkOptions & { readonly name: NetworkName };
  readonly classes: number;
  /** Its sigmas may come from the file. */
  readonly scheme?: TrainConfig['scheme'];
}

/** Fits without an adapter. @throws Failure when the file does not fit, or with `strict` not exactly */
export function fitted(file: NamedWeightFile, { network, classes, scheme }: FitTarget, strict: boolean): WeightFit {
  using gpu = dryGpu();
  using model = buildNetwork(gpu, network, classes, null);
  using ownScheme = scheme ? makeScheme(gpu, scheme, 0) : null;
  let fit: WeightFit;
  try {
    fit = fitWeights(network.name, model, file, ownScheme);
  } catch (error) {
    throw new Failure(`${file.path} does not fit ${network.name}: ${(error as Error).message}`);
  }
  const where = whereFound(file, fit);
  if (where) note(`weights ${where}`);
  const list = deviations(fit);
  for (const line of list) note(line);
  if (strict && list.length > 0) {
    throw new Failure(
      `${file.path} fits ${network.name} with ${counted(list.length, 'deviation')}, listed above; leave out --strict to accept ${list.length === 1 ? 'it' : 'them'}.`,
    );
  }
  return fit;
}

/** What was taken and what was not, for a record of the run. */
export function fitRecord({ path, sha256, format, key }: NamedWeightFile, fit: WeightFit) {
  const { state, scheme, ...lists } = fit;
  const sigmas = Object.fromEntries([...scheme.tensors].map(([name, { values }]) => [name, values[0]]));
  return { file: path, sha256, format, ...(key && { key }), taken: state.tensors.size, sigmas, ...lists };
}

export const counted = (count: number, what: string) => `${count} ${what}${count === 1 ? '' : 's'}`;
