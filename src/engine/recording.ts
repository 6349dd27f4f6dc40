/**
 * Steps that are done again without their JavaScript.
 *
 *     const recorder = new StepRecorder(gpu);
 *     await recorder.step('train', [images, labels], () => { ...; return { loss } });   // the first time: runs the body and keeps its commands
 *     await recorder.step('train', [next, nextLabels], body);                           // from then on: fills the uploads, submits the commands
 *
 * What may differ from one time to the next: the contents of the arrays that are given, what functions handed to upload() answer, and what
 * gpu.eachTime() does (an optimizer's settings, counters). Everything else belongs to the key: a step under another key, or with
 * arrays of other lengths, is recorded anew. Bits are those of the body run each time: the commands are the same, over the same buffers.
 *
 * A recording plans with the buffers that its step took. Other steps may use them in between, tensors that last do not; where one of them
 * is found taken or destroyed (gpu.trim), or a tensor that lasted is gone, the step is recorded anew.
 */
import type { Command, Contents, Gpu, Synchronous, Tape } from './gpu.ts';
import type { Storage } from './memory.ts';
import { collectTensors, type OnHost } from './results.ts';
import type { Tensor } from './tensor.ts';

type Given = Float32Array | Uint32Array;

/** Recordings that are kept; the one used least recently goes first. An epoch needs two: its last batch may be smaller. */
const MOST_RECORDINGS = 4;

export class StepRecorder {
  private readonly gpu: Gpu;
  private readonly recordings = new Map<string, Recording>();
  /** Steps that ran their body, and steps that did not. */
  readonly count = { recorded: 0, replayed: 0 };

  constructor(gpu: Gpu) {
    this.gpu = gpu;
  }

  /**
   * Does the step that `body` describes, with `given` as the arrays that it uploads. `key` names everything that decides which commands the
   * body makes, except the lengths of the arrays.
   */
  step<T>(key: string, given: readonly Given[], body: () => Synchronous<T>): Promise<OnHost<T>> {
    if (!this.gpu.recordsSteps || this.gpu.isObserved) return this.gpu.step(body);
    const name = `${key} ${given.map(({ length }) => length)}`;
    const known = this.recordings.get(name);
    this.recordings.delete(name);
    if (known?.isValid) {
      this.recordings.set(name, known);
      this.count.replayed++;
      return this.watched(name, known, known.replay(given) as Promise<OnHost<T>>);
    }
    known?.drop();
    const recording = new Recording(this.gpu, given);
    const arrived = this.gpu.step(body, recording);
    recording.plan();
    this.count.recorded++;
    this.recordings.set(name, recording);
    for (const [oldest, { drop }] of this.recordings) {
      if (this.recordings.size <= MOST_RECORDINGS) break;
      drop();
      this.recordings.delete(oldest);
    }
    return this.watched(name, recording, arrived);
  }

  /** A step that failed is not done again from its recording. */
  private watched<T>(name: string, recording: Recording, arrived: Promise<T>): Promise<T> {
    return arrived.catch((cause: unknown) => {
      recording.drop();
      if (this.recordings.get(name) === recording) this.recordings.delete(name);
      throw cause;
    });
  }

  /** Frees the buffers of all recordings for tensors that last. */
  dispose(): void {
    for (const { drop } of this.recordings.values()) drop();
    this.recordings.clear();
  }
}

class Recording implements Tape {
  private readonly gpu: Gpu;
  private given: readonly Given[];
  private readonly effects: (() => void)[] = [];
  private commands: readonly Command[] = [];
  private result: unknown;
  /** Storages that passed with the step. */
  private planned: Storage[] = [];
  /** Storages of parameters and the like, with the number of their taker. */
  private readonly lasting = new Map<Storage, number>();
  private trims = 0;
  private bytes = 0;

  constructor(gpu: Gpu, given: readonly Given[]) {
    this.gpu = gpu;
    this.given = given;
  }

  upload(data: Contents | (() => Contents), fill: (contents: Contents) => void, name: string): void {
    if (typeof data === 'function') {
      this.effects.push(() => fill(data()));
      return;
    }
    const index = this.given.indexOf(data as Given);
    if (index < 0) {
      throw new Error(
        `upload: "${name}" is none of the ${this.given.length} arrays that the recorded step was given; give it, or hand upload() a function.`,
      );
    }
    this.effects.push(() => fill(this.given[index]));
  }

  eachTime(effect: () => void): void {
    this.effects.push(effect);
  }

  end(commands: readonly Command[], result: unknown): void {
    this.commands = commands;
    this.result = result;
  }

  /** After the step, when what is still held are the tensors that last. */
  plan(): void {
    const results: Tensor[] = [];
    collectTensors(this.result, results);
    const bound = this.commands.flatMap(boundBy).map(({ storage }) => storage);
    const storages = new Set([...bound, ...results.map(({ place }) => place)]);
    for (const storage of storages) {
      if (storage.holders > 0) this.lasting.set(storage, storage.takers);
      else this.planned.push(storage);
    }
    for (const storage of this.planned) storage.plans++;
    this.trims = this.gpu.pool.trims;
    this.bytes = this.gpu.pool.stepBytes;
    this.given = [];
  }

  readonly drop = (): void => {
    for (const storage of this.planned) storage.plans--;
    this.planned = [];
  };

  get isValid(): boolean {
    if (this.trims !== this.gpu.pool.trims) return false;
    for (const [{ holders, takers }, taker] of this.lasting) if (holders === 0 || takers !== taker) return false;
    return this.planned.every(({ holders, broken }) => holders === 0 && !broken);
  }

  replay(given: readonly Given[]): Promise<unknown> {
    this.given = given;
    try {
      for (const effect of this.effects) effect();
    } finally {
      this.given = [];
    }
    this.gpu.pool.noteStep(this.bytes);
    return this.gpu.replay(this.commands, this.result);
  }
}

const boundBy = (command: Command) =>
  command.kind === 'dispatch' ? Object.values(command.bound) : [command.from, command.to];
