/**
 * The folder of a prepared data set: index.json and shards/NNNN.safetensors with the tensors image (U16) and gaze (F16), N H W each,
 * and with REFLACX ellipses (F16).
 *
 * A shard is written whole or not at all, with a note of what it was made of beside it; preparing again goes on after the last whole one.
 */
import { createHash } from 'node:crypto';
import { closeSync, existsSync, openSync, readFileSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { ChestDataset } from '../data/dataset.ts';
import type { GazeExtent } from '../data/gaze-extent.ts';
import {
  type PreparedCase,
  type PreparedIndex,
  PreparedSample,
  preparedIndex,
  type TensorName,
} from '../data/prepared.ts';
import { readSafetensors, type TensorData, writeSafetensors } from '../engine/safetensors.ts';
import { Failure, UsageError } from './failure.ts';
import { writeWhole } from './whole-file.ts';

export const FILMS_PER_SHARD = 16;

export const sha256 = (bytes: Uint8Array | string): string => createHash('sha256').update(bytes).digest('hex');

export interface PreparedFilm {
  readonly sourceHash: string;
  readonly gazeSamples: number;
  readonly readings: number;
  /** Where its gaze lies on the original film. */
  readonly extent?: GazeExtent;
  /** What its file asks for and preparing left undone. */
  readonly ignored?: readonly string[];
  readonly image: Uint16Array;
  readonly gaze: Uint16Array;
  readonly ellipses?: Uint16Array;
}

/** What is kept of a shard beside its tensors. */
export interface ShardNote {
  /** Hash of everything that decides the shard's bytes. */
  readonly key: string;
  readonly sha256: string;
  readonly films: readonly {
    readonly id: string;
    readonly sourceHash: string;
    readonly gazeSamples: number;
    readonly readings: number;
    readonly extent?: GazeExtent;
    readonly ignored?: readonly string[];
  }[];
  readonly skipped: readonly { readonly id: string; readonly reason: string }[];
}

export const shardFile = (shard: number) => `shards/${String(shard).padStart(4, '0')}.safetensors`;
const noteFile = (shard: number) => `shards/${String(shard).padStart(4, '0')}.json`;

/** The note of a shard that was made with this key and is whole. */
export function finishedShard(folder: string, shard: number, key: string): ShardNote | null {
  const path = join(folder, noteFile(shard));
  if (!existsSync(path)) return null;
  const note = readNote(path);
  if (note?.key !== key) return null;
  if (note.films.length === 0) return note;
  const tensors = join(folder, shardFile(shard));
  return existsSync(tensors) && sha256(readFileSync(tensors)) === note.sha256 ? note : null;
}

const number = z.number();
const extentSchema = z.object({
  ...{ samples: number, inside: number, height: number, width: number },
  ...{ left: number, top: number, right: number, bottom: number },
});

const shardNote = z.object({
  key: z.string(),
  sha256: z.string(),
  films: z.array(
    z.object({
      ...{ id: z.string(), sourceHash: z.string(), gazeSamples: z.number(), readings: z.number() },
      extent: extentSchema.optional(),
      ignored: z.array(z.string()).optional(),
    }),
  ),
  skipped: z.array(z.object({ id: z.string(), reason: z.string() })),
});

/** A note that cannot be read is none: its shard is made again. */
function readNote(path: string): ShardNote | null {
  try {
    return shardNote.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch {
    return null;
  }
}

export function writeShard(
  folder: string,
  shard: number,
  films: readonly (PreparedFilm & { readonly id: string })[],
  { key, skipped, height, width }: Pick<ShardNote, 'key' | 'skipped'> & { height: number; width: number },
): ShardNote {
  const shape = [films.length, height, width];
  const stacked = (name: TensorName) => {
    const all = new Uint16Array(films.length * height * width);
    for (const [i, film] of films.entries()) all.set(film[name]!, i * height * width);
    return all;
  };
  const tensors: [string, TensorData][] = [
    ['image', { dtype: 'U16', shape, data: stacked('image') }],
    ['gaze', { dtype: 'F16', shape, data: stacked('gaze') }],
  ];
  if (films.some(({ ellipses }) => ellipses))
    tensors.push(['ellipses', { dtype: 'F16', shape, data: stacked('ellipses') }]);
  const bytes = writeSafetensors(new Map(tensors));
  if (films.length > 0) writeWhole(join(folder, shardFile(shard)), bytes);
  const told = films.map(({ id, sourceHash, gazeSamples, readings, extent, ignored = [] }) => ({
    ...{ id, sourceHash, gazeSamples, readings, extent },
    ...(ignored.length > 0 && { ignored }),
  }));
  const note: ShardNote = { key, sha256: sha256(bytes), films: told, skipped };
  writeWhole(join(folder, noteFile(shard)), `${JSON.stringify(note, null, 2)}\n`); // last: it marks the shard as whole
  return note;
}

export function readIndex(folder: string): PreparedIndex {
  const path = join(folder, 'index.json');
  if (!existsSync(path))
    throw new UsageError(
      `${folder} holds no prepared data: ${path} is missing; make it with: mtunet data prepare --out ${folder}`,
    );
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new Failure(`${path} cannot be read: ${(error as Error).message}; prepare the data again.`);
  }
  const parsed = preparedIndex.safeParse(value);
  if (parsed.success) return parsed.data;
  const [{ path: place, message }] = parsed.error.issues;
  throw new Failure(`${path}: ${place.join('.')}: ${message}; prepare the data again.`);
}

/** Header bytes and the shape are read once; a sample is read from its place in the file. */
export function openPrepared(folder: string): ChestDataset {
  const index = readIndex(folder);
  const { height, width, cases, shards, classNames, name } = index;
  const pixels = height * width;
  const names: TensorName[] = index.ellipses ? ['image', 'gaze', 'ellipses'] : ['image', 'gaze'];
  const counts = shards.map((_, shard) => cases.filter((one) => one.shard === shard).length);
  const starts = shards.map(({ file }, shard) => tensorStarts(join(folder, file), counts[shard] * pixels * 2, names));
  const sample = (one: PreparedCase) =>
    new PreparedSample(one, (tensor) =>
      readWords(join(folder, shards[one.shard].file), starts[one.shard][tensor] + one.place * pixels * 2, pixels),
    );
  const split = (wanted: PreparedCase['split']) => cases.filter((one) => one.split === wanted).map(sample);
  const hash = sha256(JSON.stringify([index.settings, cases, shards])).slice(0, 16);
  const { input } = index;
  return {
    name,
    height,
    width,
    classNames,
    ...(input && { input }),
    train: split('train'),
    valid: split('valid'),
    test: split('test'),
    hash,
  };
}

/** Where each tensor's bytes begin. Only the header of the file is read. */
function tensorStarts(path: string, bytesEach: number, names: readonly TensorName[]): Record<TensorName, number> {
  const length = Number(new DataView(readBytes(path, 0, 8).buffer).getBigUint64(0, true));
  if (length > 1e6) throw new Failure(`${path} is damaged; prepare the data again.`);
  const header = parsedHeader(path, new TextDecoder().decode(readBytes(path, 8, length)));
  const start = (tensor: TensorName) => {
    const [begin, end] = header[tensor]?.data_offsets ?? [0, 0];
    if (end - begin !== bytesEach)
      throw new Failure(
        `${path}: ${tensor} has ${end - begin} bytes, the index says ${bytesEach}; prepare the data again.`,
      );
    return 8 + length + begin;
  };
  return Object.fromEntries(names.map((name) => [name, start(name)])) as Record<TensorName, number>;
}

function parsedHeader(path: string, text: string): Record<string, { data_offsets?: [number, number] }> {
  try {
    return z.record(z.string(), z.looseObject({})).parse(JSON.parse(text));
  } catch {
    throw new Failure(`${path} is damaged; prepare the data again.`);
  }
}

function readWords(path: string, position: number, count: number): Uint16Array {
  return new Uint16Array(readBytes(path, position, 2 * count).buffer);
}

function readBytes(path: string, position: number, length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch (error) {
    throw new Failure(`${path} cannot be read (${(error as Error).message}); prepare the data again.`);
  }
  try {
    const read = readSync(file, bytes, 0, length, position);
    if (read !== length) throw new Failure(`${path} ends after ${position + read} bytes; prepare the data again.`);
    return bytes;
  } finally {
    closeSync(file);
  }
}

/** A whole shard, checked against the index; for `data check`. */
export function verifyShard(folder: string, { file, sha256: wanted }: PreparedIndex['shards'][number]): string | null {
  const path = join(folder, file);
  try {
    const bytes = readFileSync(path);
    if (sha256(bytes) !== wanted) return `${path}: the bytes are not those that were written; prepare the data again.`;
    readSafetensors(bytes);
    return null;
  } catch (error) {
    return `${path}: ${(error as Error).message}; prepare the data again.`;
  }
}
