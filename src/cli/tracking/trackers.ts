/**
 * Where a run's numbers go beside its JSON lines, which stay the record: TensorBoard's event files, an MLflow server.
 *
 * Trackers come from --track or MTUNET_TRACK, so that the workers of a sweep inherit them; they are no part of the configuration, because
 * they change no number.
 */
import { UsageError } from '../failure.ts';
import type { RunFolder } from '../run-folder.ts';
import { MlflowTracker } from './mlflow.ts';
import type { Tracker } from './scalars.ts';
import { TensorBoardTracker } from './tensorboard.ts';

export const TRACKERS = ['tensorboard', 'mlflow'] as const;
export type TrackerName = (typeof TRACKERS)[number];

/** The names in MTUNET_TRACK, separated by commas. */
export function trackerNames(env: NodeJS.ProcessEnv = process.env): TrackerName[] {
  const names = (env.MTUNET_TRACK ?? '').split(',').filter(Boolean);
  const unknown = names.find((name) => !TRACKERS.includes(name as TrackerName));
  if (unknown) throw new UsageError(`MTUNET_TRACK names "${unknown}"; there are ${TRACKERS.join(', ')}.`);
  return names as TrackerName[];
}

/** Of a run that is about to begin or go on; its logs hold what was done before. */
export async function openTrackers(folder: RunFolder, tell: (line: string) => void): Promise<Tracker[]> {
  const names = trackerNames();
  const trackers: Tracker[] = [];
  if (names.includes('tensorboard')) trackers.push(new TensorBoardTracker(folder));
  if (names.includes('mlflow')) trackers.push(await MlflowTracker.open(folder, process.env, tell));
  return trackers;
}
