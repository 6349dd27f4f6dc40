/**
 * Lines over epochs, taken from a run's records: losses, sigmas, learning rates, and what happened when.
 *
 * x = 3 is the end of epoch 3, where its means belong; a step lies between its epoch's beginning and end.
 */
import type { EpochRecord, SplitLosses, StepRecord } from '../mtunet/records.ts';
import type { RunRecords } from './input.ts';
import { isNumber, median, type Value } from './numbers.ts';

export interface Point {
  readonly x: number;
  /** NaN where nothing is known: the line has a gap there. */
  readonly y: number;
}

export type Line = readonly Point[];

export type LossName = 'saliencyLoss' | 'classLoss';

const value = (y: Value): number => (isNumber(y) ? y : Number.NaN);

export function lossLine({ epochs }: RunRecords, split: 'train' | 'valid', name: LossName): Line {
  return epochs.map((epoch) => ({ x: epoch.epoch, y: value((epoch[split] as SplitLosses | null)?.[name]) }));
}

/** What a run learns by: its sigmas, its rate, and the rate that each task feels. */
export interface Rates {
  readonly saliencySigma: Line;
  readonly classSigma: Line;
  readonly learningRate: Line;
  readonly saliencyRate: Line;
  readonly classRate: Line;
}

const MOST_POINTS = 300;

/** At most `most` items at even distances, the first and the last among them. */
export function thin<T>(items: readonly T[], most = MOST_POINTS): T[] {
  if (items.length <= most) return [...items];
  return Array.from({ length: most }, (_, i) => items[Math.round((i * (items.length - 1)) / (most - 1))]);
}

/** Steps with their place on the axis of epochs. After a resumed or reset run an epoch's steps are still in order. */
function placeSteps(steps: readonly StepRecord[]): { x: number; step: StepRecord }[] {
  const perEpoch = new Map<number, number>();
  for (const { epoch } of steps) perEpoch.set(epoch, (perEpoch.get(epoch) ?? 0) + 1);
  const seen = new Map<number, number>();
  return steps.map((step) => {
    const place = (seen.get(step.epoch) ?? 0) + 1;
    seen.set(step.epoch, place);
    return { x: step.epoch - 1 + place / perEpoch.get(step.epoch)!, step };
  });
}

/** A scheme without sigmas tells its mean rate instead. */
function rate(learningRate: number, sigma: number | null, mean?: number | null): number {
  return isNumber(sigma) ? learningRate / sigma ** 2 : value(mean);
}

function ratesFromEpochs(epochs: readonly EpochRecord[]): Rates {
  const line = (read: (epoch: EpochRecord) => Value) =>
    epochs.map((epoch) => ({ x: epoch.epoch, y: value(read(epoch)) }));
  return {
    saliencySigma: line((epoch) => epoch.saliencySigma),
    classSigma: line((epoch) => epoch.classSigma),
    learningRate: line((epoch) => epoch.learningRate),
    saliencyRate: line((epoch) => rate(epoch.learningRate, epoch.saliencySigma, epoch.effectiveSaliencyRate)),
    classRate: line((epoch) => rate(epoch.learningRate, epoch.classSigma, epoch.effectiveClassRate)),
  };
}

/**
 * Step by step, thinned; or, where lines of several runs must share their x, at the end of each epoch; or from the
 * epochs' records when the steps were not kept.
 */
export function rates({ steps, epochs }: RunRecords, every: 'step' | 'epoch'): Rates {
  if (steps.length === 0 || (every === 'epoch' && epochs.length > 0)) return ratesFromEpochs(epochs);
  const placed = thin(placeSteps(steps));
  const line = (read: (step: StepRecord) => Value) => placed.map(({ x, step }) => ({ x, y: value(read(step)) }));
  return {
    saliencySigma: line((step) => step.saliencySigma),
    classSigma: line((step) => step.classSigma),
    learningRate: line((step) => step.learningRate),
    saliencyRate: line((step) => step.effectiveSaliencyRate),
    classRate: line((step) => step.effectiveClassRate),
  };
}

/** At every x that all lines have a value for: beyond the shortest run a median would jump. */
export function medianLine(lines: readonly Line[]): Line {
  const at = lines.map((line) => new Map(line.filter(({ y }) => isNumber(y)).map(({ x, y }) => [x, y])));
  const shared = [...(at[0]?.keys() ?? [])].filter((x) => at.every((line) => line.has(x))).sort((a, b) => a - b);
  return shared.map((x) => ({ x, y: median(at.map((line) => line.get(x)))! }));
}

export function hasValues(lines: readonly Line[]): boolean {
  return lines.some((line) => line.some(({ y }) => isNumber(y)));
}

/** Lowest and highest finite value; null without one. */
export function extent(lines: readonly Line[]): [number, number] | null {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const { y } of lines.flat()) {
    if (!isNumber(y)) continue;
    low = Math.min(low, y);
    high = Math.max(high, y);
  }
  return low <= high ? [low, high] : null;
}

/** The last epoch that was the best one so far, which is the one that is kept. */
export function bestEpoch({ epochs }: RunRecords): number | null {
  return epochs.findLast(({ best }) => best)?.epoch ?? null;
}

export function resetEpochs({ epochs }: RunRecords): number[] {
  return epochs.filter(({ reset }) => reset).map(({ epoch }) => epoch);
}

export function lastEpoch(runs: readonly RunRecords[]): number {
  return Math.max(0, ...runs.flatMap(({ epochs, steps }) => [epochs.at(-1)?.epoch ?? 0, steps.at(-1)?.epoch ?? 0]));
}
