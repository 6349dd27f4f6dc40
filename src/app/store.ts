/** What the page knows about the two runs, and how it hears of it. Charts read the rows; nothing here knows the document. */
import type {
  Adapter,
  EpochRow,
  Film,
  Frame,
  FromWorker,
  GradientCheck,
  Operation,
  Stage,
  StepRow,
  ToWorker,
} from './live/protocol.ts';
import type { Settings } from './live/settings.ts';
import type { MapName } from './pictures.ts';

export interface Failure {
  readonly failure: Extract<FromWorker, { kind: 'failure' }>['failure'];
  readonly message: string;
}

export interface State {
  settings: Settings;
  /** live: a worker trains; recorded: a run from the folder is played back. */
  mode: 'starting' | 'live' | 'recorded';
  adapter: Adapter | null;
  films: readonly Film[];
  height: number;
  width: number;
  classNames: readonly string[];
  stepsPerEpoch: number;
  stages: readonly Stage[];
  rows: [StepRow[], StepRow[]];
  epochs: [EpochRow[], EpochRow[]];
  frames: Frame[];
  moments: readonly number[];
  /** The step that is shown; null: the newest. */
  shown: number | null;
  playing: boolean;
  stepsPerSecond: number;
  note: string;
  failure: Failure | null;
  operations: readonly Operation[] | null;
  gradient: GradientCheck | null;
  colours: MapName;
}

const FRAMES = 240;

export class Store {
  state: State;
  /** How often both runs began anew. */
  resets = 0;
  /** How often anything was changed. */
  changes = 0;
  private worker: Worker | null = null;
  private readonly listeners = new Set<() => void>();

  constructor(settings: Settings) {
    this.state = {
      settings,
      mode: 'starting',
      adapter: null,
      films: [],
      height: 48,
      width: 32,
      classNames: ['normal', 'enlarged heart', 'pneumonia'],
      stepsPerEpoch: 1,
      stages: [],
      rows: [[], []],
      epochs: [[], []],
      frames: [],
      moments: [],
      shown: null,
      playing: false,
      stepsPerSecond: 0,
      note: '',
      failure: null,
      operations: null,
      gradient: null,
      colours: 'viridis',
    };
  }

  start(worker: Worker, size: Settings['size'] | null): void {
    this.worker = worker;
    worker.onmessage = ({ data }: MessageEvent<FromWorker>) => this.hear(data);
    worker.onerror = ({ message }) => this.change({ failure: { failure: 'other', message } });
    this.send({ kind: 'open', settings: this.state.settings, size });
  }

  /** What is transferred need not be copied. */
  send(message: ToWorker, transfer: Transferable[] = []): void {
    this.worker?.postMessage(message, transfer);
  }

  change(part: Partial<State>): void {
    Object.assign(this.state, part);
    this.changes++;
    for (const listener of this.listeners) listener();
  }

  subscribe(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  reset(settings: Settings = this.state.settings): void {
    if (this.state.mode === 'recorded') {
      this.change({ playing: false, shown: 0 });
      return;
    }
    this.resets++;
    this.change({ settings, playing: false, failure: null });
    this.send({ kind: 'reset', settings });
  }

  toggle(): void {
    const { playing, mode } = this.state;
    if (mode !== 'recorded') {
      this.change({ playing: !playing, shown: null });
      this.send({ kind: playing ? 'pause' : 'play' });
      return;
    }
    // From its end a recorded run begins anew.
    const shown = this.state.shown ?? this.step;
    this.change({ playing: !playing, shown: !playing && shown >= this.step ? 0 : shown });
  }

  /** One step of both runs; of a recorded run, the next one. */
  advance(): void {
    if (this.state.mode === 'recorded') {
      this.change({ playing: false, shown: Math.min(this.step, (this.state.shown ?? this.step) + 1) });
    } else this.send({ kind: 'step', follow: 'both' });
  }

  /** The frame for the step that is shown: the newest at or before it. */
  get frame(): Frame | null {
    const { frames, shown } = this.state;
    if (shown === null) return frames.at(-1) ?? null;
    return frames.findLast(({ step }) => step <= shown) ?? frames[0] ?? null;
  }

  get step(): number {
    return this.state.rows[0].at(-1)?.step ?? 0;
  }

  private hear(message: FromWorker): void {
    const { state } = this;
    switch (message.kind) {
      case 'ready': {
        const { kind: _, ...rest } = message;
        const empty = {
          rows: [[], []],
          epochs: [[], []],
          frames: [],
          moments: [],
          shown: null,
          playing: false,
        } as Partial<State>;
        this.change({ ...rest, ...empty, mode: 'live', operations: null, note: '', failure: null });
        break;
      }
      case 'progress': {
        for (const run of [0, 1] as const) {
          state.rows[run].push(...message.rows[run]);
          state.epochs[run].push(...message.epochs[run]);
        }
        if (message.frame) {
          if (state.frames.at(-1)?.step === message.frame.step) state.frames.pop();
          state.frames.push(message.frame);
          if (state.frames.length > FRAMES) state.frames = state.frames.filter((_, i) => i % 2 === 0);
        }
        const { moments, playing, stepsPerSecond } = message;
        this.change({ moments, playing, stepsPerSecond });
        break;
      }
      case 'returned': {
        const { step, note } = message;
        if (message.run === 'both') {
          state.rows = state.rows.map((rows) => rows.filter((row) => row.step <= step)) as State['rows'];
          state.epochs = state.epochs.map((rows) => rows.filter((row) => row.step <= step)) as State['epochs'];
          state.frames = state.frames.filter((frame) => frame.step <= step);
        }
        this.change({ note, shown: null });
        break;
      }
      case 'films':
        this.change({ films: message.films });
        break;
      case 'operations':
        this.change({ operations: message.operations });
        break;
      case 'gradient':
        this.change({ gradient: message.check });
        break;
      case 'failure':
        this.change({ failure: message, playing: false });
        break;
    }
  }
}
