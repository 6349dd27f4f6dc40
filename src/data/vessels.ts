/**
 * The tree of pulmonary vessels that fans out from each hilum: tapering line segments.
 */
import type { RandomStream } from './counter-random.ts';
import { cos, sin } from './exact-math.ts';
import { smoothStep } from './texture.ts';

interface Segment {
  readonly x: number;
  readonly y: number;
  readonly towardX: number;
  readonly towardY: number;
  readonly startWidth: number;
  readonly endWidth: number;
}

/** Centre of the hilum on one side (-1: the person's right). */
export function hilum(side: number): { x: number; y: number } {
  return { x: side * 0.21, y: side > 0 ? -0.06 : -0.02 };
}

/** Density of the vessels at a point, 0 to about 1, for the lungs of one film. */
export function drawVessels(random: RandomStream): (x: number, y: number) => number {
  const segments: Segment[] = [];
  for (const side of [-1, 1]) {
    for (let branch = 0; branch < 6; branch++) {
      const angle = -1.15 + branch * 0.46 + random.uniform(-0.15, 0.15);
      const length = random.uniform(0.22, 0.34);
      const start = hilum(side);
      const bend = { x: start.x + side * length * cos(angle), y: start.y + length * sin(angle) };
      const fork = random.uniform(0.15, 0.4);
      segments.push({
        ...start,
        towardX: bend.x - start.x,
        towardY: bend.y - start.y,
        startWidth: 0.04,
        endWidth: 0.022,
      });
      for (const turn of [-fork, fork]) {
        const reach = random.uniform(0.14, 0.24);
        segments.push({
          ...bend,
          towardX: side * reach * cos(angle + turn),
          towardY: reach * sin(angle + turn),
          startWidth: 0.02,
          endWidth: 0.008,
        });
      }
    }
  }
  return (x, y) => {
    let density = 0;
    for (const segment of segments) {
      if (segment.x > 0 !== x > 0) continue;
      const { towardX, towardY } = segment;
      const along = ((x - segment.x) * towardX + (y - segment.y) * towardY) / (towardX * towardX + towardY * towardY);
      const t = Math.min(1, Math.max(0, along));
      const dx = x - segment.x - t * towardX;
      const dy = y - segment.y - t * towardY;
      const width = segment.startWidth + t * (segment.endWidth - segment.startWidth);
      const squared = dx * dx + dy * dy;
      if (squared >= 4 * width * width) continue;
      density = Math.max(density, (width / 0.04) * (1 - smoothStep(0, 2 * width, Math.sqrt(squared))));
    }
    return density;
  };
}
