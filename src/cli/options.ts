/** Parsers of option values for commander. */
import { InvalidArgumentError, Option } from 'commander';
import { TRACKERS } from './tracking/trackers.ts';

export function whole(smallest: number) {
  return (text: string): number => {
    const value = Number(text);
    if (!Number.isInteger(value) || value < smallest)
      throw new InvalidArgumentError(`It must be a whole number from ${smallest}.`);
    return value;
  };
}

export function oneOrThree(text: string): 1 | 3 {
  if (text !== '1' && text !== '3') throw new InvalidArgumentError('It must be 1 or 3.');
  return text === '1' ? 1 : 3;
}

/** --jobs: of the main job. */
export function jobsOption(): Option {
  return new Option(
    '--jobs <count>',
    'trainings at a time, in a process each (default: one on a GPU, one more than cores on a software adapter)',
  ).argParser(whole(1));
}

/** --track: for this program and the workers that it starts. */
export function trackOption(): Option {
  return new Option(
    '--track <name...>',
    'also tell TensorBoard (an event file in the run) or MLflow (MLFLOW_TRACKING_URI)',
  ).choices(TRACKERS);
}

export function applyTrack(names: readonly string[] | undefined): void {
  if (names) process.env.MTUNET_TRACK = names.join(',');
}
