/**
 * A run for TensorBoard: one event file in its folder. A run that goes on writes it anew from its JSON lines, which were cut back to the
 * checkpoint, so that no step is there twice.
 */
import { appendFileSync } from 'node:fs';
import { encode } from 'fast-png';
import { jet } from '../../data/colour-map.ts';
import { overlay } from '../../data/overlay.ts';
import type { EpochRecord, EvaluationRecord, StepRecord } from '../../mtunet/records.ts';
import type { RunFolder } from '../run-folder.ts';
import { notWritten } from '../whole-file.ts';
import { type EventImage, summaryEvent, versionEvent } from './events.ts';
import { epochScalars, stepScalars, type Tracker, testScalars } from './scalars.ts';

/** TensorBoard knows its files by "tfevents"; a number of seconds comes after it. */
const FILE = 'events.out.tfevents.0000000000.mtunet';

const now = () => Date.now() / 1000;

export class TensorBoardTracker implements Tracker {
  private readonly folder: RunFolder;

  constructor(folder: RunFolder) {
    this.folder = folder;
    folder.write(FILE, Buffer.concat([versionEvent(now()), ...eventsOf(folder)]));
  }

  step(record: StepRecord): void {
    this.append(summaryEvent(now(), record.step, stepScalars(record)));
  }

  epoch(record: EpochRecord, steps: number): void {
    this.append(summaryEvent(now(), steps, epochScalars(record)));
  }

  async end(evaluation: EvaluationRecord | null, steps: number): Promise<void> {
    if (evaluation) this.append(summaryEvent(now(), steps, testScalars(evaluation), this.pictures(evaluation)));
  }

  /** The example films with gaze and prediction. */
  private pictures({ examples, height, width, saliency }: EvaluationRecord): EventImage[] {
    const maps = this.folder.examples;
    return examples.flatMap(({ id }, i) => {
      const { image, gaze, prediction } = maps[i];
      const shown = { gaze, ...(saliency && { prediction }) };
      return Object.entries(shown).map(([what, map]) => {
        const { pixels } = overlay({ image, map, height, width, colours: jet });
        const data = new Uint8Array(height * width * 3);
        for (let p = 0; p < height * width; p++) data.set(pixels.subarray(4 * p, 4 * p + 3), 3 * p);
        return {
          tag: `examples/${id}/${what}`,
          height,
          width,
          png: encode({ width, height, data, channels: 3, depth: 8 }),
        };
      });
    });
  }

  private append(event: Uint8Array): void {
    try {
      appendFileSync(this.folder.file(FILE), event);
    } catch (error) {
      throw notWritten(this.folder.file(FILE), error);
    }
  }
}

/** What the logs hold, in order. */
function eventsOf({ steps, epochs }: RunFolder): Uint8Array[] {
  const wallTime = now();
  const lastStep = new Map(steps.map(({ epoch, step }) => [epoch, step]));
  return [
    ...steps.map((record) => summaryEvent(wallTime, record.step, stepScalars(record))),
    ...epochs.map((record) => summaryEvent(wallTime, lastStep.get(record.epoch) ?? 0, epochScalars(record))),
  ];
}
