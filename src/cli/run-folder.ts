/**
 * A run's folder: what is written there, atomically, and read back. mtunet/records.ts says what each file holds.
 */
import { appendFileSync, existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { ChestDataset } from '../data/dataset.ts';
import type { StateDict } from '../engine/index.ts';
import { readSafetensors, type SafetensorsFile, type TensorData, writeSafetensors } from '../engine/safetensors.ts';
import { type Checkpoint, readCheckpoint, readWeights, writeCheckpoint, writeWeights } from '../mtunet/checkpoint.ts';
import { parseConfig, type TrainConfig } from '../mtunet/config.ts';
import type { ExampleMaps, Predictions } from '../mtunet/evaluate.ts';
import type { EpochRecord, EvaluationRecord, Example, Origin, Provenance, StepRecord } from '../mtunet/records.ts';
import { Failure, UsageError } from './failure.ts';
import { makeManifest } from './manifest.ts';
import { readBytes, sha256 } from './pieces.ts';
import { type Checked, records } from './run-schemas.ts';
import { checkSeal, seal, unsealed } from './seal.ts';
import { flush, notWritten, removeParts, writeWhole } from './whole-file.ts';

export { writeWhole };

/** The newest first. */
export const CHECKPOINTS = ['checkpoint/latest.safetensors', 'checkpoint/previous.safetensors'] as const;

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
    return CHECKPOINTS.some((name) => existsSync(this.file(name)));
  }

  /** Whether the run has ended and was evaluated. */
  get isFinished(): boolean {
    return existsSync(this.file('evaluation.json'));
  }

  saveCheckpoint(checkpoint: Checkpoint): void {
    // The logs first: a checkpoint must not outlive the lines that lead to it.
    for (const name of ['steps.jsonl', 'epochs.jsonl']) flush(this.file(name));
    const [latest, previous] = CHECKPOINTS.map((name) => this.file(name));
    writeWhole(latest, seal(writeCheckpoint(checkpoint, unsealed)), { previous });
  }

  /** Removes what a writer that was killed has left; only for the holder of the folder's lock. */
  tidy(): void {
    removeParts(this.path);
  }

  /** The latest checkpoint; the one before it when the latest cannot be read. */
  loadCheckpoint(): { checkpoint: Checkpoint; warning: string | null } {
    const names = CHECKPOINTS.filter((name) => existsSync(this.file(name)));
    let problem: string | null = null;
    for (const name of names) {
      try {
        const bytes = readBytes(this.file(name));
        checkSeal(bytes);
        return {
          checkpoint: readCheckpoint(bytes),
          warning: problem && `${problem}, so the run goes on from the checkpoint before it`,
        };
      } catch (error) {
        problem ??= `${this.file(name)} cannot be read (${(error as Error).message.replace(/\.$/, '')})`;
      }
    }
    if (names.length === 0)
      throw new Failure(`${this.path} has no checkpoint yet; start the run again with mtunet train.`);
    throw new Failure(
      `No checkpoint of ${this.path} can be used: ${problem}; restore one from a copy, or start the run again with mtunet train.`,
    );
  }

  appendStep(record: StepRecord): void {
    this.append('steps.jsonl', record);
  }

  appendEpoch(record: EpochRecord): void {
    this.append('epochs.jsonl', record);
  }

  /** Drops what was logged after the checkpoint that the run goes on from. */
  rewindLogs(steps: number, epoch: number): void {
    const keep = <T>(name: string, checked: Checked<T>, holds: (record: T) => boolean) => {
      if (!existsSync(this.file(name))) return;
      const lines = this.readLines(name, checked).filter(holds);
      this.write(name, lines.map((record) => `${JSON.stringify(record)}\n`).join(''));
    };
    keep('steps.jsonl', records.step, (record) => record.step <= steps);
    keep('epochs.jsonl', records.epoch, (record) => record.epoch < epoch);
  }

  get steps(): StepRecord[] {
    return this.readLines('steps.jsonl', records.step);
  }

  get epochs(): EpochRecord[] {
    return this.readLines('epochs.jsonl', records.epoch);
  }

  get evaluation(): EvaluationRecord {
    if (!this.isFinished)
      throw new Failure(`${this.path} has not been evaluated; finish it with: mtunet resume ${this.path}`);
    return this.readRecord('evaluation.json', records.evaluation);
  }

  get provenance(): Provenance {
    return this.readRecord('provenance.json', records.provenance);
  }

  /** SHA-256 of config.json. */
  get configHash(): string {
    return sha256(readFileSync(this.file('config.json')));
  }

  /** Raw logits of every test image. */
  savePredictions({ saliency, diagnosis }: Predictions, { height, width, classNames }: Size, origin: Origin): void {
    const tensors = new Map<string, TensorData>();
    const stack = (name: string, rows: readonly Float32Array[], shape: readonly number[]) => {
      if (rows.length === 0) return;
      const data = new Float32Array(rows.length * rows[0].length);
      for (const [i, row] of rows.entries()) data.set(row, i * row.length);
      tensors.set(name, { dtype: 'F32', shape: [rows.length, ...shape], data });
    };
    stack('saliency', saliency, [height, width]);
    stack('diagnosis', diagnosis, [classNames.length]);
    this.write('predictions.safetensors', writeSafetensors(tensors, { origin: JSON.stringify(origin) }));
  }

  get predictions(): Predictions {
    const { tensors } = this.readTensors('predictions.safetensors');
    const rows = (name: string) => {
      const tensor = tensors.get(name);
      if (!tensor) return [];
      const values = tensor.toFloat32();
      const [count = 0] = tensor.shape;
      const length = values.length / count;
      if (values.length === 0)
        throw new Failure(`${this.file('predictions.safetensors')}: ${name} is empty; evaluate the run again.`);
      return Array.from({ length: count }, (_, i) => values.subarray(i * length, (i + 1) * length));
    };
    return { saliency: rows('saliency'), diagnosis: rows('diagnosis') };
  }

  /** What a safetensors file says of itself, each entry read as JSON. */
  metadata(name: string): Record<string, unknown> {
    const { metadata } = this.readTensors(name);
    try {
      return Object.fromEntries([...metadata].map(([key, text]) => [key, JSON.parse(text)]));
    } catch (error) {
      throw new Failure(`${this.file(name)}: its metadata cannot be read: ${(error as Error).message}.`);
    }
  }

  /** Marks the run as finished: the manifest of all its files, then the evaluation. The last but one checkpoint has then no use left. */
  async finish(evaluation: EvaluationRecord, origin: Origin): Promise<void> {
    const text = json(evaluation);
    this.writeJson('manifest.json', await makeManifest(this, origin, text));
    this.write('evaluation.json', text);
    const [latest, previous] = CHECKPOINTS.map((name) => this.file(name));
    if (existsSync(latest)) rmSync(previous, { force: true });
  }

  saveExamples(maps: readonly ExampleMaps[], { height, width }: Size, origin: Origin): void {
    const tensors = new Map<string, TensorData>();
    maps.forEach((example, i) => {
      for (const [role, data] of Object.entries(example))
        tensors.set(`${role}.${i}`, { dtype: 'F32', shape: [height, width], data });
    });
    this.write('examples.safetensors', writeSafetensors(tensors, { origin: JSON.stringify(origin) }));
  }

  get examples(): ExampleMaps[] {
    const { tensors } = this.readTensors('examples.safetensors');
    const count = [...tensors.keys()].filter((name) => name.startsWith('image.')).length;
    const values = (name: string) => {
      const tensor = tensors.get(name);
      if (!tensor)
        throw new Failure(`${this.file('examples.safetensors')}: ${name} is missing; restore the file from a copy.`);
      return tensor.toFloat32();
    };
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
    return this.readLines('images.jsonl', records.example);
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
      return readWeights(readBytes(path));
    } catch (error) {
      throw new Failure(`${path} cannot be read: ${(error as Error).message}`);
    }
  }

  private append(name: string, record: object): void {
    try {
      appendFileSync(this.file(name), `${JSON.stringify(record)}\n`);
    } catch (error) {
      throw notWritten(this.file(name), error);
    }
  }

  /** Values that the run begins with, of the network and of its scheme, and where they are from. */
  saveInitial(parts: readonly StateDict[], record: unknown): void {
    this.writeJson('init.json', record);
    const tensors = new Map(parts.flatMap((part) => [...part.tensors]));
    const counters = new Map(parts.flatMap((part) => [...part.counters]));
    this.write('init.safetensors', writeWeights({ tensors, counters }));
  }

  /** Null when the run begins with values drawn from its seed. */
  loadInitial(): StateDict | null {
    const path = this.file('init.safetensors');
    try {
      return existsSync(path) ? readWeights(readBytes(path)) : null;
    } catch (error) {
      throw new Failure(`${path} cannot be read: ${(error as Error).message}`);
    }
  }

  readJson(name: string): unknown {
    const path = this.file(name);
    try {
      return JSON.parse(readFileSync(path, 'utf8'));
    } catch (error) {
      throw new Failure(`${path} cannot be read: ${(error as Error).message}.`);
    }
  }

  private readRecord<T>(name: string, checked: Checked<T>): T {
    const found = checked(this.readJson(name));
    if ('value' in found) return found.value;
    throw new Failure(`${this.file(name)} is damaged (${found.problem}); restore it from a copy.`);
  }

  private readTensors(name: string): SafetensorsFile {
    const path = this.file(name);
    try {
      return readSafetensors(readBytes(path));
    } catch (error) {
      throw new Failure(`${path} cannot be read: ${(error as Error).message}`);
    }
  }

  private readLines<T>(name: string, checked: Checked<T>): T[] {
    if (!existsSync(this.file(name))) return [];
    const lines = readFileSync(this.file(name), 'utf8').split('\n');
    const last = lines.pop(); // '' after a complete line; half a line if the program was killed while writing it
    const read = (line: string) => {
      const found = checked(JSON.parse(line));
      if ('value' in found) return found.value;
      throw new Error(found.problem);
    };
    const all = lines.map((line, i) => {
      try {
        return read(line);
      } catch {
        throw new Failure(
          `Line ${i + 1} of ${this.file(name)} is damaged; restore the file from a copy, or start the run again with mtunet train.`,
        );
      }
    });
    if (last) {
      try {
        all.push(read(last));
      } catch {
        // The step of a half-written line is after the last checkpoint, so resuming writes it again.
      }
    }
    return all;
  }
}

/** Of the data set's. */
type Size = Pick<ChestDataset, 'height' | 'width' | 'classNames'>;

const json = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`;
