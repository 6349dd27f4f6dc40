/**
 * The film itself: densities of all that the beam passes, added up at each pixel, then exposed with noise.
 *
 * A sketch for learning machines, not a simulation of X-rays: dense is bright, and every edge is softened.
 */
import { type Anatomy, diaphragm, heartRadius, lungDepth, mediastinumHalfWidth, thoraxHalfWidth } from './anatomy.ts';
import type { RandomStream } from './counter-random.ts';
import { exp, power, sin } from './exact-math.ts';
import type { Finding, Opacity } from './finding.ts';
import type { Positioning } from './positioning.ts';
import { drawTexture, smoothStep } from './texture.ts';
import { drawVessels, hilum } from './vessels.ts';

const AIR = 0.03;
const HEART = 0.72;
const ABDOMEN = 0.74;

function mix(from: number, to: number, part: number): number {
  return from + part * (to - from);
}

/** Distance into the body from its outline: neck, shoulders, trunk. */
function bodyDepth({ person }: Anatomy, x: number, y: number): number {
  const shoulder = smoothStep(person.apex - 0.4, person.apex + 0.12, y);
  const trunk = person.thorax + 0.16 + 0.32 * (1 - smoothStep(person.apex + 0.25, 0.3, y));
  return mix(0.25, trunk, shoulder) - Math.abs(x);
}

function boneDensity({ person }: Anatomy, x: number, y: number): number {
  const side = Math.abs(x);
  const inside = thoraxHalfWidth({ person }, y) + 0.03;
  // Posterior ribs leave the spine, bow upwards and fall towards the side.
  const line = y - person.ribSlope * side * side + 0.1 * side;
  const phase = (line - person.apex) / person.ribSpacing;
  const fromRib = Math.abs(phase - Math.floor(phase) - 0.5) * person.ribSpacing;
  const ribs = side < inside && side > 0.08 && phase > 0.2 ? 1 - smoothStep(0.015, 0.045, fromRib) : 0;

  const clavicleY = person.apex + 0.2 - 0.16 * (side - 0.1) + 0.06 * sin(5 * side);
  const clavicle = side > 0.09 && side < 0.95 ? 1 - smoothStep(0.02, 0.055, Math.abs(y - clavicleY)) : 0;

  const spineX = person.spineBend * sin(2.2 * y);
  const vertebra = 0.75 + 0.25 * sin((2 * Math.PI * y) / (0.85 * person.ribSpacing));
  const spine = (1 - smoothStep(0.06, 0.13, Math.abs(x - spineX))) * vertebra;
  // The upper ribs show best; below the diaphragm, little of them is left.
  const shown = 1 - 0.75 * smoothStep(person.dome - 0.05, person.dome + 0.25, y);
  return person.ribDensity * shown * ribs + 0.13 * clavicle + 0.1 * spine;
}

function opacityDensity({ x, y, across, down, density }: Opacity, atX: number, atY: number, roughness: number): number {
  const u = (atX - x) / across;
  const v = (atY - y) / down;
  const squared = u * u + v * v;
  return squared > 12 ? 0 : density * exp(-0.5 * squared) * (1 + 0.45 * roughness);
}

/** Density at a point in body units, about 0 (air) to 1 (bone over heart). */
function densityField(finding: Finding, random: RandomStream): (x: number, y: number) => number {
  const { anatomy, opacities, distractors } = finding;
  const { person, heart, breath } = anatomy;
  const vessels = drawVessels(random);
  const texture = drawTexture(random);
  const knob = { x: 0.11, y: person.apex + 0.36 };
  const bubble = {
    x: 0.42 + random.uniform(-0.08, 0.08),
    y: person.dome + breath + person.domeDrop + 0.2,
    air: random.uniform(0, 0.3),
  };
  const trachea = random.uniform(0.06, 0.14);
  const hilumDensity = random.uniform(0.06, 0.14) * person.vessels;

  const lungDensity = (x: number, y: number): number => {
    let density = person.lung + 0.12 * person.vessels * vessels(x, y) + 0.025 * texture(9 * x, 9 * y);
    const root = hilum(x < 0 ? -1 : 1);
    const near = ((x - root.x) * (x - root.x)) / 0.012 + ((y - root.y) * (y - root.y)) / 0.03;
    density += hilumDensity / (1 + near * near);
    const fall = (y - 0.32) / 0.2;
    const aside = (Math.abs(x) - 0.5) / 0.28;
    density += person.breast * exp(-0.5 * (fall * fall + aside * aside));
    const roughness = texture(6 * x + 3, 6 * y + 5);
    for (const opacity of opacities) density += opacityDensity(opacity, x, y, roughness);
    for (const distractor of distractors) density += opacityDensity(distractor, x, y, 0);
    return density;
  };

  return (x, y) => {
    const body = smoothStep(-0.02, 0.08, bodyDepth(anatomy, x, y));
    if (body === 0) return AIR;
    let density = person.tissue + 0.03 * texture(2 * x + 7, 2 * y + 7);
    const belowDome = smoothStep(-0.02, 0.06, y - diaphragm(anatomy, x));
    density = mix(density, ABDOMEN, belowDome);
    const bubbleX = (x - bubble.x) / 0.15;
    const bubbleY = (y - bubble.y) / 0.08;
    density -= bubble.air * belowDome * (1 - smoothStep(0.2, 1.4, bubbleX * bubbleX + bubbleY * bubbleY));
    const lung = smoothStep(-0.025, 0.045, lungDepth(anatomy, x, y));
    if (lung > 0) density = mix(density, lungDensity(x, y), lung);
    const middle = Math.abs(x) - mediastinumHalfWidth(anatomy, y);
    if (y > person.apex - 0.3) density = mix(density, HEART - 0.04, 0.8 * (1 - smoothStep(-0.03, 0.05, middle)));
    const knobDistance = Math.sqrt((x - knob.x) * (x - knob.x) + (y - knob.y) * (y - knob.y));
    density = mix(
      density,
      HEART,
      0.8 * (1 - smoothStep(person.knobRadius - 0.02, person.knobRadius + 0.04, knobDistance)),
    );
    density = mix(density, HEART, 0.95 * (1 - smoothStep(0.9, 1.1, heartRadius(heart, x, y))));
    const air = (1 - smoothStep(0.03, 0.07, Math.abs(x))) * (1 - smoothStep(-0.35, -0.2, y));
    density += boneDensity(anatomy, x, y) - trachea * air;
    return mix(AIR, density, body);
  };
}

/** H x W in [0, 1], row-major. */
export function radiograph(
  finding: Finding,
  positioning: Positioning,
  { height, width, random }: { height: number; width: number; random: RandomStream },
): Float32Array {
  const density = densityField(finding, random);
  const black = random.uniform(0, 0.06);
  const white = random.uniform(0.94, 1.08);
  const gamma = random.uniform(0.9, 1.15);
  const noise = random.uniform(0.006, 0.022);
  const slope = { x: random.uniform(-0.05, 0.05), y: random.uniform(-0.06, 0.06) }; // uneven beam
  const image = new Float32Array(height * width);
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const { x, y } = positioning.toBody(column + 0.5, row + 0.5);
      const exposed = (density(x, y) * (1 + slope.x * x + slope.y * y) - black) / (white - black);
      const clean = power(Math.min(1, Math.max(0, exposed)), gamma);
      // Fewer photons pass dense parts, so those are noisier.
      const value = clean + noise * (0.6 + 0.8 * clean) * random.normal();
      image[row * width + column] = Math.min(1, Math.max(0, value));
    }
  }
  return image;
}
