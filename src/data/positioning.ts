/**
 * How the person stood before the film: rotation, shift and scale between body units and pixels.
 */
import type { RandomStream } from './counter-random.ts';
import { cos, sin } from './exact-math.ts';

export interface Positioning {
  /** Pixels of a point given in body units; the top left corner of the film is (0, 0), the first pixel's centre (0.5, 0.5). */
  toFilm(x: number, y: number): { column: number; row: number };
  /** Body units of a point given in pixels. */
  toBody(column: number, row: number): { x: number; y: number };
}

/** Vertical half-extent of the body that a film shows, body units. */
const HALF_HEIGHT = 1.15;
/** A chest may be drawn this much narrower or taller than it is to fill the film. */
const MOST_STRETCH = 1.2;
const MOST_SQUEEZE = 0.85;

export function drawPositioning(
  random: RandomStream,
  { height, width }: { height: number; width: number },
): Positioning {
  const zoom = random.uniform(0.88, 1.08);
  const angle = random.uniform(-0.09, 0.09); // radians, about 5 degrees
  const shiftX = random.uniform(-0.11, 0.11);
  const shiftY = random.uniform(-0.14, 0.14);
  const horizontal = zoom * Math.min(width / 2, height / 2 / HALF_HEIGHT / MOST_SQUEEZE); // pixels per body unit
  const vertical = zoom * Math.min(height / 2 / HALF_HEIGHT, (width / 2) * MOST_STRETCH);
  const c = cos(angle);
  const s = sin(angle);
  return {
    toFilm: (x, y) => ({
      column: width / 2 + horizontal * (c * x - s * y + shiftX),
      row: height / 2 + vertical * (s * x + c * y + shiftY),
    }),
    toBody: (column, row) => {
      const across = (column - width / 2) / horizontal - shiftX;
      const down = (row - height / 2) / vertical - shiftY;
      return { x: c * across + s * down, y: c * down - s * across };
    },
  };
}
