/**
 * A simulated reader: fixations on landmarks with saccades between them, as an eye tracker samples them 60 times a second.
 *
 * The reading opens near the middle of the film, goes over the chest from the top down, and then turns to what it found:
 * an enlarged heart is traced, a shadow is dwelt upon, a normal chest is gone over again.
 */
import type { RandomStream } from './counter-random.ts';
import { ENLARGED_HEART, type Finding, PNEUMONIA } from './finding.ts';
import { distractorStops, heartTrace, type Landmark, searchStops, shadowStops } from './landmarks.ts';
import type { Positioning } from './positioning.ts';

/** Samples per second of the tracker. */
export const SAMPLE_RATE = 60;
/** One degree of visual angle as a part of the film's height: about 1.1 cm on a 30 cm high screen seen from 63 cm. */
const DEGREE = 0.036;
/**
 * Standard deviations in degrees: of the calibration for the whole reading, of each landing of the eyes, and of each sample.
 * Together about 0.9 degrees, the accuracy that makers of desktop trackers state.
 */
const CALIBRATION_ERROR = 0.35;
const LANDING_ERROR = 0.7;
const SAMPLE_ERROR = 0.35;
/** Seconds that a reading lasts. */
const SHORTEST = 10;
const LONGEST = 25;

/** The order of stops without end; a reading takes as many as its time allows. */
function* itinerary(finding: Finding, random: RandomStream): Generator<Landmark, never, undefined> {
  const search = searchStops(finding);
  const middle = { x: random.uniform(-0.15, 0.15), y: random.uniform(-0.1, 0.2), dwell: 0.25 };
  yield middle;
  // The first impression: what is wrong is often seen before the search begins.
  if (finding.label === PNEUMONIA && random.chance(0.6)) yield shadowStops(finding)[0];
  for (const stop of search) if (random.chance(0.85)) yield stop;
  yield* distractorStops(finding);
  for (;;) {
    if (finding.label === ENLARGED_HEART && random.chance(0.5)) yield* heartTrace(finding);
    else if (finding.label === PNEUMONIA && random.chance(0.4)) yield* shadowStops(finding);
    else yield search[random.integer(search.length)];
  }
}

/** Points x0 y0 x1 y1 ... in pixels, one every 1/60 s; the top left corner of the film is (0, 0). */
export function scanpath(
  finding: Finding,
  positioning: Positioning,
  { height, random }: { height: number; random: RandomStream },
): Float64Array {
  const degree = DEGREE * height;
  const samples = Math.floor(SAMPLE_RATE * random.uniform(SHORTEST, LONGEST));
  const points = new Float64Array(2 * samples);
  const drift = {
    column: CALIBRATION_ERROR * degree * random.normal(),
    row: CALIBRATION_ERROR * degree * random.normal(),
  };
  let taken = 0;
  const record = (column: number, row: number): void => {
    if (taken === samples) return;
    points[2 * taken] = column + drift.column + SAMPLE_ERROR * degree * random.normal();
    points[2 * taken + 1] = row + drift.row + SAMPLE_ERROR * degree * random.normal();
    taken++;
  };
  let eyes: { column: number; row: number } | undefined;
  for (const stop of itinerary(finding, random)) {
    const aim = positioning.toFilm(stop.x, stop.y);
    const landing = {
      column: aim.column + LANDING_ERROR * degree * random.normal(),
      row: aim.row + LANDING_ERROR * degree * random.normal(),
    };
    if (eyes) {
      const jump = 2 + random.integer(2); // a saccade takes about 40 ms
      for (let i = 1; i < jump; i++) {
        const part = i / jump;
        record(eyes.column + part * (landing.column - eyes.column), eyes.row + part * (landing.row - eyes.row));
      }
    }
    const dwell = stop.dwell * random.uniform(0.6, 1.5);
    for (let i = 0; i < dwell * SAMPLE_RATE; i++) record(landing.column, landing.row);
    eyes = landing;
    if (taken === samples) break;
  }
  return points;
}
