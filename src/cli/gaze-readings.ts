/** From rows of a gaze table to what a heat map is made of. */
import type { NumberList } from '../data/gaze-table.ts';
import type { HeatMapName, Reading } from '../data/heat-map.ts';
import { UsageError } from './failure.ts';

/** What the heat map takes beside x and y; a degree in pixels of the film, for the map that needs it. */
export interface GazeNeeds {
  readonly pixelsPerDegree: number | null;
}

export function gazeNeeds(heatMap: HeatMapName, pixelsPerDegree: number | undefined): GazeNeeds {
  if (heatMap === 'degrees' && pixelsPerDegree === undefined)
    throw new UsageError(
      '--heat-map degrees needs --pixels-per-degree here: how many pixels of the original film one degree of visual angle covered.',
    );
  if (heatMap !== 'degrees' && pixelsPerDegree !== undefined)
    throw new UsageError(`--pixels-per-degree speaks of --heat-map degrees, but the heat map is ${heatMap}.`);
  return { pixelsPerDegree: pixelsPerDegree ?? null };
}

/** The columns to read: two of places, and the duration where it is needed. */
export function gazeValues(places: readonly string[], duration: string, { pixelsPerDegree }: GazeNeeds): string[] {
  return pixelsPerDegree === null ? [...places] : [...places, duration];
}

export function readingOf(list: NumberList | undefined, { pixelsPerDegree }: GazeNeeds): Reading {
  const values = list?.values ?? new Float64Array();
  if (pixelsPerDegree === null) return { points: values };
  const fixations = Array.from({ length: values.length / 3 }, (_, i) => ({
    x: values[3 * i],
    y: values[3 * i + 1],
    duration: values[3 * i + 2],
    degreeX: pixelsPerDegree,
    degreeY: pixelsPerDegree,
  }));
  return { points: new Float64Array(), fixations };
}
