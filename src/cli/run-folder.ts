/**
 * A run's folder: what is written there, atomically, and read back. mtunet/records.ts says what each file holds.
 *
 * Whole files are written beside their place, flushed and renamed, so a reader or a crash never meets half of one.
 */
import { randomBytes } from 'node:crypto';
import {
  appendFileSync,
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import type { StateDict } from '../engine/index.ts';
import { readSafetensors, type TensorData, writeSafetensors } from '../engine/safetensors.ts';
import { type Checkpoint, readCheckpoint, readWeights, writeCheckpoint, writeWeights } from '../mtunet/checkpoint.ts';
import { parseConfig, type TrainConfig } from '../mtunet/config.ts';
import type { ExampleMaps } from '../mtunet/evaluate.ts';
import type { EpochRecord, EvaluationRecord, Example, Provenance, StepRecord } from '../mtunet/records.ts';
import { Failure, UsageError } from './failure.ts';

export class RunFolder {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  /** A new folder for a run with this configuration; refuses one that already holds a run. */
  static create(path: string, config: TrainConfig): RunFolder {
    const folder = new RunFolder(path);
    if (existsSync(folder.file('config.json'))) {
      throw new UsageError(
        `${path} already holds a run; choose another --out, or go on with it by: mtunet resume ${path}`,
      );
    }
    folder.write('config.json', json(config));
    return folder;
  }

  static open(path: string): RunFolder {
    const folder = new RunFolder(path);
    if (!existsSync(folder.file('config.json'))) {
      throw new UsageError(
        `${path} holds no run: ${folder.file('config.json')} is missing; give the folder that "mtunet train --out" made.`,
      );
    }
    return folder;
  }

  static isRun(path: string): boolean {
    return existsSync(join(path, 'config.json'));
  }

  get config(): TrainConfig {
    return parseConfig(this.readJson('config.json'));
  }

  get hasCheckpoint(): boolean {
    return existsSync(this.file('checkpoint/latest.safetensors'));
  }

  /** Whether the run has ended and was evaluated. */
  get isFinished(): boolean {
    return existsSync(this.file('evaluation.json'));
  }

  saveCheckpoint(checkpoint: Checkpoint): void {
    const latest = this.file('checkpoint/latest.safetensors');
    if (existsSync(latest)) renameSync(latest, this.file('checkpoint/previous.safetensors'));
    this.write('checkpoint/latest.safetensors', writeCheckpoint(checkpoint));
  }

  /** The latest checkpoint; the one before it when the latest cannot be read. */
  loadCheckpoint(): { checkpoint: Checkpoint; warning: string | null } {
    const names = ['checkpoint/latest.safetensors', 'checkpoint/previous.safetensors'].filter((name) =>
      existsSync(this.file(name)),
    );
    let problem: string | null = null;
    for (const name of names) {
      try {
        return { checkpoint: readCheckpoint(readFileSync(this.file(name))), warning: problem };
      } catch (error) {
        problem ??= `${this.file(name)} cannot be read (${(error as Error).message}), so the run goes on from the checkpoint before it`;
      }
    }
    if (names.length === 0)
      throw new Failure(`${this.path} has no checkpoint yet; start the run again with mtunet train.`);
    throw new Failure(
      `No checkpoint of ${this.path} can be read: ${problem?.replace(/, so the run.*/, '')}; start the run again with mtunet train.`,
    );
  }

  appendStep(record: StepRecord): void {
    appendFileSync(this.file('steps.jsonl'), `${JSON.stringify(record)}\n`);
  }

  appendEpoch(record: EpochRecord): void {
    appendFileSync(this.file('epochs.jsonl'), `${JSON.stringify(record)}\n`);
  }

  /** Drops what was logged after the checkpoint that the run goes on from. */
  rewindLogs(steps: number, epoch: number): void {
    const keep = <T>(name: string, holds: (record: T) => boolean) => {
      if (!existsSync(this.file(name))) return;
      const lines = this.readLines<T>(name).filter(holds);
      this.write(name, lines.map((record) => `${JSON.stringify(record)}\n`).join(''));
    };
    keep<StepRecord>('steps.jsonl', (record) => record.step <= steps);
    keep<EpochRecord>('epochs.jsonl', (record) => record.epoch < epoch);
  }

  get steps(): StepRecord[] {
    return this.readLines('steps.jsonl');
  }

  get epochs(): EpochRecord[] {
    return this.readLines('epochs.jsonl');
  }

  get evaluation(): EvaluationRecord {
    if (!this.isFinished)
      throw new Failure(`${this.path} has not been evaluated; finish it with: mtunet resume ${this.path}`);
    return this.readJson('evaluation.json') as EvaluationRecord;
  }

  get provenance(): Provenance {
    return this.readJson('provenance.json') as Provenance;
  }

  saveExamples(maps: readonly ExampleMaps[], height: number, width: number): void {
    const tensors = new Map<string, TensorData>();
    maps.forEach((example, i) => {
      for (const [role, data] of Object.entries(example))
        tensors.set(`${role}.${i}`, { dtype: 'F32', shape: [height, width], data });
    });
    this.write('examples.safetensors', writeSafetensors(tensors));
  }

  get examples(): ExampleMaps[] {
    const { tensors } = readSafetensors(readFileSync(this.file('examples.safetensors')));
    const count = [...tensors.keys()].filter((name) => name.startsWith('image.')).length;
    const values = (name: string) => tensors.get(name)!.toFloat32();
    return Array.from({ length: count }, (_, i) => ({
      image: values(`image.${i}`),
      gaze: values(`gaze.${i}`),
      prediction: values(`prediction.${i}`),
    }));
  }

  saveImages(images: readonly Example[]): void {
    this.write('images.jsonl', images.map((image) => `${JSON.stringify(image)}\n`).join(''));
  }

  /** Every test image on its own; empty for runs of versions that did not keep them. */
  get images(): Example[] {
    return this.readLines('images.jsonl');
  }

  /** Writes a whole file under its name, or nothing. */
  write(name: string, content: string | Uint8Array): void {
    writeWhole(this.file(name), content);
  }

  writeJson(name: string, value: unknown): void {
    this.write(name, json(value));
  }

  file(name: string): string {
    return join(this.path, name);
  }

  /** The network of the best epoch. */
  loadWeights(): StateDict {
    const path = this.file('weights.safetensors');
    if (!existsSync(path)) throw new Failure(`${path} is missing; finish the run with: mtunet resume ${this.path}`);
    try {
      return readWeights(readFileSync(path));
    } catch (error) {
      throw new Failure(`${path} cannot be read: ${(error as Error).message}`);
    }
  }

  /** Weights that the run begins with, and where they are from. */
  saveInitial(state: StateDict, record: unknown): void {
    this.writeJson('init.json', record);
    this.write('init.safetensors', writeWeights(state));
  }

  /** Null when the run begins with values drawn from its seed. */
  loadInitial(): StateDict | null {
    const path = this.file('init.safetensors');
    return existsSync(path) ? readWeights(readFileSync(path)) : null;
  }

  private readJson(name: string): unknown {
    const path = this.file(name);
    try {
      return JSON.parse(readFileSync(path, 'utf8'));
    } catch (error) {
      throw new Failure(`${path} cannot be read: ${(error as Error).message}.`);
    }
  }

  private readLines<T>(name: string): T[] {
    if (!existsSync(this.file(name))) return [];
    const lines = readFileSync(this.file(name), 'utf8').split('\n');
    const last = lines.pop(); // '' after a complete line; half a line if the program was killed while writing it
    const records = lines.map((line) => JSON.parse(line) as T);
    if (last) {
      try {
        records.push(JSON.parse(last) as T);
      } catch {
        // The step of a half-written line is after the last checkpoint, so resuming writes it again.
      }
    }
    return records;
  }
}

const json = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`;

/** Temporary file, flush, rename. */
export function writeWhole(path: string, content: string | Uint8Array): void {
  mkdirSync(dirname(path), { recursive: true });
  const temporary = `${path}.${process.pid}.${randomBytes(4).toString('hex')}.part`;
  try {
    const file = openSync(temporary, 'w');
    try {
      const bytes = typeof content === 'string' ? Buffer.from(content) : content;
      for (let written = 0; written < bytes.length; ) written += writeSync(file, bytes, written);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw new Failure(
      `${path} could not be written (${(error as Error).message}); free some space or choose another folder.`,
    );
  }
}
