/**
 * What the rest of the project knows about data: images, gaze maps and labels as typed arrays, split three ways.
 */
import type { Batch, BatchOptions } from './batches.ts';
import type { InputDescription } from './picture-input.ts';

/** Class order of the paper (AUC-Y1, AUC-Y2, AUC-Y3) and of the released code. */
export const CLASS_NAMES = ['normal', 'enlarged heart', 'pneumonia'] as const;

/** One chest film with its diagnosis and the map of where a reader looked. */
export interface ChestSample {
  /** Unique within the data set. */
  readonly id: string;
  /** Samples that share it show the same person. */
  readonly patient: string;
  /** Index into CLASS_NAMES. */
  readonly label: number;
  /** H x W intensities in [0, 1], row-major. */
  readonly image: Float32Array;
  /** H x W gaze density, min-max scaled to [0, 1], row-major; divide by its sum for a probability map. */
  readonly gaze: Float32Array;
  /** Pixels (row W + column) of the gaze samples that lie on the film, in order of time, for data sets that keep them. */
  readonly fixations?: Uint32Array;
}

export interface ChestDataset {
  readonly name: string;
  readonly height: number;
  readonly width: number;
  readonly classNames: readonly string[];
  readonly train: readonly ChestSample[];
  readonly valid: readonly ChestSample[];
  readonly test: readonly ChestSample[];
  /** How a picture of one's own becomes an input like these; folders that an earlier version prepared lack it. */
  readonly input?: InputDescription;
  /** Hash of every byte of every sample in order, as 16 hex digits: equal data sets have equal hashes on every platform. */
  readonly hash: string;
  /** Batches of a split that another thread makes ahead: the same bits as `batches` of the split. Left out: make them when they are wanted. */
  load?(split: 'train' | 'valid' | 'test', options: BatchOptions): AsyncGenerator<Batch, void, undefined>;
}

/** A sentence for each split that lacks one of the classes: nothing about it can be learnt, chosen or measured there. */
export function missingClasses({ name, classNames, ...splits }: ChestDataset): string[] {
  const use = { train: 'learn', valid: 'choose the best epoch by', test: 'measure' } as const;
  return (['train', 'valid', 'test'] as const).flatMap((split) => {
    const present = new Set(splits[split].map(({ label }) => label));
    const missing = classNames.filter((_, label) => !present.has(label));
    if (missing.length === 0) return [];
    return `the ${split} split of ${name} has no image of ${missing.map((one) => `"${one}"`).join(' and ')}, so there is nothing of it to ${use[split]}; add images or choose another split.`;
  });
}
