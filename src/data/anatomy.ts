/**
 * Where the organs of one film end: borders of the lungs, the diaphragm and the heart, in body units.
 */
import type { Person } from './person.ts';

export interface Heart {
  readonly x: number;
  readonly y: number;
  /** Half-widths along x and y of an ellipse before it is slanted. */
  readonly across: number;
  readonly down: number;
  readonly slant: number;
  /** x of the outermost points. */
  readonly rightBorder: number;
  readonly leftBorder: number;
}

export interface Anatomy {
  readonly person: Person;
  readonly heart: Heart;
  /** How far the diaphragm moved down with the breath. */
  readonly breath: number;
}

/** y at which the rib cage is widest, and how far below it would close. */
const WIDEST = 0.3;

/** Half-width of the inside of the rib cage at height y. */
export function thoraxHalfWidth({ person }: { person: Person }, y: number): number {
  const t = (y - WIDEST) / (WIDEST - person.apex);
  if (t <= -1) return 0;
  return person.thorax * (t < 0 ? Math.sqrt(1 + t * t * t) : 1 - 0.06 * t * t);
}

/** y of the diaphragm at x: a dome in each half, lowest at the ribs. */
export function diaphragm({ person, breath }: Pick<Anatomy, 'person' | 'breath'>, x: number): number {
  const fromTop = (Math.abs(x) - 0.5 * person.thorax) / (0.5 * person.thorax);
  const top = person.dome + breath + (x > 0 ? person.domeDrop : 0);
  return top + (fromTop > 0 ? 0.2 : 0.05) * fromTop * fromTop;
}

/** Half-width of the middle shadow at height y. */
export function mediastinumHalfWidth({ person }: { person: Person }, y: number): number {
  const below = Math.min(1, Math.max(0, (y + 0.5) / 0.6));
  return person.mediastinum * (0.75 + 0.35 * below * below);
}

/** Distance into the lung field, about body units; negative outside. */
export function lungDepth(anatomy: Anatomy, x: number, y: number): number {
  const side = Math.abs(x);
  return Math.min(
    thoraxHalfWidth(anatomy, y) - side,
    side - mediastinumHalfWidth(anatomy, y),
    0.8 * (diaphragm(anatomy, x) - y),
  );
}

/** Radius in units of the heart's border: below 1 inside. */
export function heartRadius(heart: Heart, x: number, y: number): number {
  const v = (y - heart.y) / heart.down;
  const u = (x - heart.x - heart.slant * (y - heart.y)) / heart.across;
  return Math.sqrt(u * u + v * v);
}

/** A heart that takes the part `ratio` (the cardiothoracic ratio) of the thorax's inner width, resting on the diaphragm. */
export function placeHeart(person: Person, breath: number, ratio: number): Heart {
  const width = ratio * 2 * person.thorax;
  const down = 0.18 + 0.26 * width;
  const rightBorder = -person.heartShare * width;
  const slant = person.heartSlant * Math.min(1, (0.35 * width) / down);
  return {
    x: rightBorder + width / 2,
    y: person.dome + breath + 0.1 - 0.8 * down,
    across: Math.sqrt((width * width) / 4 - slant * slant * down * down),
    down,
    slant,
    rightBorder,
    leftBorder: rightBorder + width,
  };
}
