/**
 * The places where a reader of chest films looks, found on the anatomy of one film, in body units.
 */
import { diaphragm, thoraxHalfWidth } from './anatomy.ts';
import { type Finding, heartBorder } from './finding.ts';
import { hilum } from './vessels.ts';

export interface Landmark {
  readonly x: number;
  readonly y: number;
  /** Typical time that the eyes rest there in one visit, seconds. */
  readonly dwell: number;
}

/** Stops of a systematic search, from the top down, the person's right (image left) before the left. */
export function searchStops(finding: Finding): Landmark[] {
  const { anatomy } = finding;
  const { person } = anatomy;
  const inLung = (side: number, y: number, dwell: number): Landmark => ({
    x: side * 0.58 * thoraxHalfWidth(anatomy, y),
    y,
    dwell,
  });
  const costophrenicAngle = (side: number): Landmark => {
    const x = side * 0.86 * person.thorax;
    return { x, y: diaphragm(anatomy, x) - 0.05, dwell: 0.3 };
  };
  return [
    inLung(-1, person.apex + 0.22, 0.25),
    inLung(1, person.apex + 0.22, 0.25),
    { x: 0.1, y: person.apex + 0.36, dwell: 0.35 }, // aortic knob
    { ...hilum(-1), dwell: 0.45 },
    { ...hilum(1), dwell: 0.45 },
    inLung(-1, 0.12, 0.35),
    inLung(1, 0.0, 0.35),
    inLung(-1, person.dome - 0.12, 0.4),
    { ...heartBorder(finding, 0.2), dwell: 0.35 },
    costophrenicAngle(-1),
    costophrenicAngle(1),
  ];
}

/** Stops along the heart: down its left border to the apex, then up the right one. */
export function heartTrace(finding: Finding): Landmark[] {
  const left = [-0.9, -0.35, 0.2, 0.7];
  const right = [Math.PI - 0.3, Math.PI + 0.35];
  return [...left, ...right].map((angle, i) => ({
    ...heartBorder(finding, angle),
    dwell: i < left.length ? 0.55 : 0.4,
  }));
}

/** The denser a shadow, the longer the eyes rest on it. */
export function shadowStops(finding: Finding): Landmark[] {
  return finding.opacities.flatMap(({ x, y, across, down, density }) => {
    const dwell = 0.3 + 0.8 * density;
    // Once over the middle, then along both ends: the extent of a shadow matters as much as its presence.
    return [0, -0.9, 0.9].map((part) => ({ x: x + part * across, y: y + 0.6 * part * down, dwell }));
  });
}

/** Faint shadows that are looked at once and dismissed. */
export function distractorStops(finding: Finding): Landmark[] {
  return finding.distractors.map(({ x, y }) => ({ x, y, dwell: 0.4 }));
}
