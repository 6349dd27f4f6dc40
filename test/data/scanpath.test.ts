/** The simulated reader: how long it looks, and that it looks where the finding is. */
import { describe, expect, it } from 'vitest';
import { heartRadius } from '../../src/data/anatomy.ts';
import { randomStream } from '../../src/data/counter-random.ts';
import { drawFinding, type Finding } from '../../src/data/finding.ts';
import { drawPerson } from '../../src/data/person.ts';
import { drawPositioning } from '../../src/data/positioning.ts';
import { SAMPLE_RATE, scanpath } from '../../src/data/scanpath.ts';

const size = { height: 96, width: 64 };

function read(label: number, index: number) {
  const random = randomStream(5, `reading/${label}/${index}`);
  const finding = drawFinding(random, drawPerson(random), label);
  const positioning = drawPositioning(random, size);
  return { finding, positioning, points: scanpath(finding, positioning, { height: size.height, random }) };
}

/** Part of the samples for which `test` holds, given the place in body units. */
function part(reading: ReturnType<typeof read>, test: (x: number, y: number, finding: Finding) => boolean): number {
  const { points, positioning, finding } = reading;
  let hits = 0;
  for (let i = 0; i < points.length; i += 2) {
    const { x, y } = positioning.toBody(points[i], points[i + 1]);
    if (test(x, y, finding)) hits++;
  }
  return hits / (points.length / 2);
}

const indices = Array.from({ length: 30 }, (_, i) => i);
const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

describe('scanpath', () => {
  it('lasts 10 to 25 seconds at 60 samples a second', () => {
    const seconds = indices.map((i) => read(i % 3, i).points.length / 2 / SAMPLE_RATE);
    expect(Math.min(...seconds)).toBeGreaterThanOrEqual(9.9);
    expect(Math.max(...seconds)).toBeLessThanOrEqual(25);
    expect(Math.max(...seconds) - Math.min(...seconds)).toBeGreaterThan(8);
  });

  it('rests: most steps between samples are tracker noise, few are saccades', () => {
    const { points } = read(0, 1);
    const steps = Array.from({ length: points.length / 2 - 1 }, (_, i) => {
      const [dx, dy] = [points[2 * i + 2] - points[2 * i], points[2 * i + 3] - points[2 * i + 1]];
      return Math.sqrt(dx * dx + dy * dy);
    });
    const jumps = steps.filter((step) => step > 7).length / steps.length; // two degrees
    expect(jumps).toBeGreaterThan(0.01);
    expect(jumps).toBeLessThan(0.2);
  });

  it('keeps its eyes on the film', () => {
    const onFilm = indices.map((i) => {
      const { points } = read(i % 3, i);
      let inside = 0;
      for (let k = 0; k < points.length; k += 2) {
        if (points[k] >= 0 && points[k] < size.width && points[k + 1] >= 0 && points[k + 1] < size.height) inside++;
      }
      return inside / (points.length / 2);
    });
    expect(mean(onFilm)).toBeGreaterThan(0.95);
  });

  it('dwells on shadows: more than a reader of another chest does in the same places', () => {
    const nearShadow = (of: Finding) => (x: number, y: number) =>
      of.opacities.some((o) => ((x - o.x) / o.across) ** 2 + ((y - o.y) / o.down) ** 2 < 4);
    const own = indices.map((i) => part(read(2, i), nearShadow(read(2, i).finding)));
    const foreign = indices.map((i) => part(read(0, i), nearShadow(read(2, i).finding)));
    expect(mean(own)).toBeGreaterThan(2.5 * mean(foreign));
    expect(mean(own)).toBeGreaterThan(0.4);
  });

  it('traces the border of an enlarged heart, not of a normal one', () => {
    const atBorder = (x: number, y: number, { anatomy }: Finding) => {
      const radius = heartRadius(anatomy.heart, x, y);
      return radius > 0.7 && radius < 1.35;
    };
    const enlarged = mean(indices.map((i) => part(read(1, i), atBorder)));
    const normal = mean(indices.map((i) => part(read(0, i), atBorder)));
    expect(enlarged).toBeGreaterThan(0.5);
    expect(enlarged).toBeGreaterThan(1.6 * normal);
  });
});
