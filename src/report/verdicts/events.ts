/** What a training can show or not show, for claims that something is present or absent. */
import type { RunRecords } from '../input.ts';
import { onset, type Task } from '../vicious-circle.ts';

export interface Event {
  readonly label: string;
  readonly seen: (run: RunRecords) => boolean;
}

const overfits = (task: Task) => (run: RunRecords) => onset(run.epochs, task) !== null;
const circles = (task: Task) => (run: RunRecords) => onset(run.epochs, task)?.circle === true;

/** By the keys that stand in a claim's `measures`. */
export const EVENTS: Readonly<Record<string, Event>> = {
  saliencyOverfits: { label: 'overfitting of the saliency', seen: overfits('saliency') },
  classOverfits: { label: 'overfitting of the diagnosis', seen: overfits('class') },
  overfits: { label: 'overfitting of a task', seen: (run) => overfits('saliency')(run) || overfits('class')(run) },
  saliencyCircle: { label: 'a vicious circle in the saliency', seen: circles('saliency') },
  classCircle: { label: 'a vicious circle in the diagnosis', seen: circles('class') },
  circle: { label: 'a vicious circle', seen: (run) => circles('saliency')(run) || circles('class')(run) },
};
