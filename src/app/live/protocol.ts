/** What the page and its worker tell each other. */
import type { Settings, Size } from './settings.ts';

export type TaskName = 'saliency' | 'diagnosis';
export type OfTasks = { readonly [T in TaskName]: number | null };

/** Raw losses in nats; sigma and weight as they entered the step. */
export interface StepRow {
  readonly step: number;
  readonly epoch: number;
  readonly loss: number;
  readonly raw: OfTasks;
  readonly sigma: OfTasks;
  readonly weight: OfTasks;
  readonly rate: number;
}

/** Means over a split, after the epoch that ended with `step`. */
export interface EpochRow {
  readonly epoch: number;
  readonly step: number;
  readonly train: OfTasks;
  readonly valid: OfTasks;
  readonly validLoss: number;
  readonly accuracy: number | null;
}

/** A network's answer to one film: probabilities over classes, and over H W pixels. */
export interface Picture {
  readonly classes: Float32Array | null;
  readonly saliency: Float32Array | null;
}

export interface Film {
  readonly image: Float32Array;
  readonly gaze: Float32Array | null;
  readonly label: number | null;
}

/** One frame of the timeline: what both networks answered at a step. */
export interface Frame {
  readonly step: number;
  readonly pictures: readonly [readonly Picture[], readonly Picture[]];
}

export interface Adapter {
  readonly name: string;
  readonly software: boolean;
}

/** A part of the network, under its state_dict name. */
export interface Stage {
  readonly name: string;
  readonly parameters: number;
}

export interface Operation {
  readonly index: number;
  readonly name: string;
  /** State_dict name of the layer that called it; empty for what the network does between its layers. */
  readonly layer: string;
  /** Parameters of that layer, told at its first operation. */
  /** C H W */
  readonly shape: readonly number[];
  readonly parameters: number;
  /** "conv2d.forward" and the like, in the order in which they ran, with milliseconds. */
  readonly kernels: readonly { readonly name: string; readonly code: string; readonly ms: number }[];
  /** C H W of the first channels. */
  readonly maps: Float32Array;
}

export interface GradientCheck {
  readonly operation: string;
  readonly analytic: number;
  readonly numeric: number;
  readonly step: number;
}

export type ToWorker =
  | { readonly kind: 'open'; readonly settings: Settings; readonly size: Size | null }
  | { readonly kind: 'reset'; readonly settings: Settings }
  | { readonly kind: 'play' }
  | { readonly kind: 'pause' }
  | { readonly kind: 'step'; readonly follow: 'both' | TaskName }
  | { readonly kind: 'speed'; readonly pauseMs: number }
  | { readonly kind: 'rate'; readonly run: 0 | 1; readonly rate: number }
  | { readonly kind: 'hold'; readonly run: 0 | 1; readonly task: TaskName; readonly sigma: number | null }
  | { readonly kind: 'return'; readonly step: number }
  | { readonly kind: 'break'; readonly run: 0 | 1 }
  | { readonly kind: 'inspect'; readonly run: 0 | 1; readonly film: number }
  | { readonly kind: 'gradient'; readonly operation: string }
  | { readonly kind: 'film'; readonly film: Film }
  | { readonly kind: 'weights'; readonly bytes: ArrayBuffer }
  | { readonly kind: 'lose' };

export type FailureKind =
  | 'no-webgpu'
  | 'insecure'
  | 'no-adapter'
  | 'lost'
  | 'memory'
  | 'numbers'
  | 'input'
  | 'picture'
  | 'other';

export type FromWorker =
  | {
      readonly kind: 'ready';
      readonly settings: Settings;
      readonly adapter: Adapter;
      readonly films: readonly Film[];
      readonly height: number;
      readonly width: number;
      readonly classNames: readonly string[];
      readonly stepsPerEpoch: number;
      /** Of run A. */
      readonly stages: readonly Stage[];
    }
  | {
      readonly kind: 'progress';
      readonly rows: readonly [readonly StepRow[], readonly StepRow[]];
      readonly epochs: readonly [readonly EpochRow[], readonly EpochRow[]];
      readonly frame: Frame | null;
      /** Steps to which the timeline can go back. */
      readonly moments: readonly number[];
      readonly playing: boolean;
      readonly stepsPerSecond: number;
    }
  /** Everything after `step` is taken back. */
  | { readonly kind: 'returned'; readonly step: number; readonly run: 0 | 1 | 'both'; readonly note: string }
  | { readonly kind: 'films'; readonly films: readonly Film[] }
  | { readonly kind: 'operations'; readonly operations: readonly Operation[] }
  | { readonly kind: 'gradient'; readonly check: GradientCheck }
  | { readonly kind: 'failure'; readonly failure: FailureKind; readonly message: string };
