/**
 * What is wrong with a chest, if anything: the heart's size and the shadows in the lungs.
 */
import { type Anatomy, heartRadius, lungDepth, placeHeart } from './anatomy.ts';
import type { RandomStream } from './counter-random.ts';
import { cos, sin } from './exact-math.ts';
import type { Person } from './person.ts';

/** Indices of CLASS_NAMES. */
export const ENLARGED_HEART = 1;
export const PNEUMONIA = 2;

/** Cardiothoracic ratios; the ranges overlap a little, as the border of 0.5 does in practice. */
export const NORMAL_RATIO: readonly [number, number] = [0.4, 0.51];
export const ENLARGED_RATIO: readonly [number, number] = [0.49, 0.64];

/** A soft shadow; the density falls off as a Gaussian. */
export interface Opacity {
  readonly x: number;
  readonly y: number;
  /** Standard deviations along x and y, body units. */
  readonly across: number;
  readonly down: number;
  readonly density: number;
}

export interface Finding {
  readonly label: number;
  readonly cardiothoracicRatio: number;
  readonly anatomy: Anatomy;
  /** Pneumonia: one to three. */
  readonly opacities: readonly Opacity[];
  /** Small faint shadows that mean nothing, in any class. */
  readonly distractors: readonly Opacity[];
}

/** A place well inside a lung and beside the heart. */
function placeInLung(random: RandomStream, anatomy: Anatomy, margin: number): { x: number; y: number } {
  const { person } = anatomy;
  const low = person.dome + anatomy.breath;
  for (let attempt = 0; attempt < 200; attempt++) {
    const x = random.uniform(-person.thorax, person.thorax);
    const y = random.uniform(person.apex + 0.25, low);
    if (lungDepth(anatomy, x, y) > margin && heartRadius(anatomy.heart, x, y) > 1.1 + margin) return { x, y };
  }
  return { x: -0.5 * person.thorax, y: 0.1 };
}

function drawOpacities(random: RandomStream, anatomy: Anatomy): Opacity[] {
  const count = 1 + (random.chance(0.5) ? 1 : 0) + (random.chance(0.2) ? 1 : 0);
  return Array.from({ length: count }, (_, i) => {
    const size = random.uniform(0.14, 0.24);
    const stretch = random.uniform(0.8, 1.25);
    // The first one carries the diagnosis; the others may be subtle.
    const density = i === 0 ? random.uniform(0.25, 0.42) : random.uniform(0.14, 0.34);
    return { ...placeInLung(random, anatomy, 0.1), across: size * stretch, down: size / stretch, density };
  });
}

function drawDistractors(random: RandomStream, anatomy: Anatomy): Opacity[] {
  if (!random.chance(0.4)) return [];
  const size = random.uniform(0.04, 0.09);
  return [{ ...placeInLung(random, anatomy, 0.06), across: size, down: size, density: random.uniform(0.03, 0.09) }];
}

export function drawFinding(random: RandomStream, person: Person, label: number): Finding {
  const breath = random.uniform(-0.07, 0.07);
  const [low, high] = label === ENLARGED_HEART ? ENLARGED_RATIO : NORMAL_RATIO;
  const wobble = random.uniform(-0.03, 0.03); // heart beat and breath change the size from film to film
  const rank = Math.min(1, Math.max(0, person.heartRank + wobble));
  const cardiothoracicRatio = low + (high - low) * rank;
  const anatomy = { person, breath, heart: placeHeart(person, breath, cardiothoracicRatio) };
  const opacities = label === PNEUMONIA ? drawOpacities(random, anatomy) : [];
  return { label, cardiothoracicRatio, anatomy, opacities, distractors: drawDistractors(random, anatomy) };
}

/** Point of the heart's border at an angle from the person's left (image right), clockwise, radians. */
export function heartBorder({ anatomy: { heart } }: Finding, angle: number): { x: number; y: number } {
  const v = sin(angle) * heart.down;
  return { x: heart.x + cos(angle) * heart.across + heart.slant * v, y: heart.y + v };
}
