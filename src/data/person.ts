/**
 * The body of one person: what stays the same from film to film.
 *
 * Lengths are in body units: x runs from the person's right (image left, negative) to the left, y downwards, the origin lies
 * on the spine at the level of the hila, and half the width of an average chest film is 1.
 */
import type { RandomStream } from './counter-random.ts';

export interface Person {
  /** Largest half-width of the inside of the rib cage. */
  readonly thorax: number;
  /** y of the lung tops. */
  readonly apex: number;
  /** y of the top of the right dome of the diaphragm, before breathing in. */
  readonly dome: number;
  /** How much lower the left dome stands. */
  readonly domeDrop: number;
  /** Half-width of the mediastinum above the heart. */
  readonly mediastinum: number;
  readonly knobRadius: number;
  /** Part of the heart's width that lies right of the midline. */
  readonly heartShare: number;
  /** Slant of the heart's axis, horizontal units per vertical unit. */
  readonly heartSlant: number;
  /** Place of the heart's size within the range of the class, 0 to 1. */
  readonly heartRank: number;
  readonly ribSpacing: number;
  readonly ribSlope: number;
  readonly ribDensity: number;
  /** Sideways bend of the spine. */
  readonly spineBend: number;
  /** Density of soft tissue outside the lungs, and of the air-filled lung. */
  readonly tissue: number;
  readonly lung: number;
  /** Density of the shadow of the breasts over the lower lungs, 0 for none. */
  readonly breast: number;
  readonly vessels: number;
}

export function drawPerson(random: RandomStream): Person {
  return {
    thorax: random.uniform(0.7, 0.86),
    apex: random.uniform(-0.92, -0.78),
    dome: random.uniform(0.48, 0.64),
    domeDrop: random.uniform(0.02, 0.09),
    mediastinum: random.uniform(0.11, 0.16),
    knobRadius: random.uniform(0.07, 0.11),
    heartShare: random.uniform(0.29, 0.37),
    heartSlant: random.uniform(0.15, 0.5),
    heartRank: random.next(),
    ribSpacing: random.uniform(0.16, 0.2),
    ribSlope: random.uniform(0.25, 0.45),
    ribDensity: random.uniform(0.05, 0.1),
    spineBend: random.uniform(-0.04, 0.04),
    tissue: random.uniform(0.58, 0.7),
    lung: random.uniform(0.15, 0.21),
    breast: random.chance(0.4) ? random.uniform(0.02, 0.07) : 0,
    vessels: random.uniform(0.7, 1.3),
  };
}
