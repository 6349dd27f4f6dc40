/** What the film shows: dark lungs, a bright heart, and a shadow exactly where one was drawn. */
import { describe, expect, it } from 'vitest';
import { randomStream } from '../../src/data/counter-random.ts';
import { drawFinding, type Finding } from '../../src/data/finding.ts';
import { drawPerson } from '../../src/data/person.ts';
import { drawPositioning } from '../../src/data/positioning.ts';
import { radiograph } from '../../src/data/radiograph.ts';

const size = { height: 96, width: 64 };

function film(finding: Finding, index: number) {
  const positioning = drawPositioning(randomStream(index, 'positioning'), size);
  const image = radiograph(finding, positioning, { ...size, random: randomStream(index, 'exposure') });
  /** Mean of 3 x 3 pixels around a place in body units. */
  const at = (x: number, y: number): number => {
    const { column, row } = positioning.toFilm(x, y);
    let sum = 0;
    for (let dy = -1; dy <= 1; dy++) {
      for (let dx = -1; dx <= 1; dx++) sum += image[(Math.floor(row) + dy) * size.width + Math.floor(column) + dx];
    }
    return sum / 9;
  };
  return { image, at };
}

function finding(label: number, index: number): Finding {
  const random = randomStream(index, 'finding');
  return drawFinding(random, drawPerson(random), label);
}

describe('radiograph', () => {
  it('has values in [0, 1], and the lungs are much darker than the heart and the abdomen', () => {
    for (let i = 0; i < 10; i++) {
      const one = finding(0, i);
      const { image, at } = film(one, i);
      expect(Math.min(...image)).toBeGreaterThanOrEqual(0);
      expect(Math.max(...image)).toBeLessThanOrEqual(1);
      const { person, heart } = one.anatomy;
      const lungs = (at(-0.55 * person.thorax, 0.05) + at(0.6 * person.thorax, -0.1)) / 2;
      expect(at(heart.x, heart.y) - lungs).toBeGreaterThan(0.25);
      expect(at(-0.4, person.dome + 0.3) - lungs).toBeGreaterThan(0.25);
    }
  });

  it('brightens where an opacity lies and nowhere else', () => {
    for (let i = 0; i < 10; i++) {
      const sick = finding(2, i);
      const opacity = sick.opacities[0];
      const [with_, without] = [film({ ...sick, opacities: [opacity] }, i), film({ ...sick, opacities: [] }, i)];
      expect(with_.at(opacity.x, opacity.y) - without.at(opacity.x, opacity.y)).toBeGreaterThan(0.08);
      const otherSide = -Math.sign(opacity.x) * 0.5;
      expect(Math.abs(with_.at(otherSide, 0) - without.at(otherSide, 0))).toBeLessThan(0.005);
    }
  });

  it('shows a larger heart as a wider bright shadow', () => {
    const beside = (ratioLabel: number, i: number): number => {
      const one = finding(ratioLabel, i);
      const wide = finding(1, i).anatomy.heart; // the same person's heart, had it been enlarged
      return film(one, i).at(0.85 * wide.leftBorder, wide.y + 0.3 * wide.down);
    };
    const gains = Array.from({ length: 10 }, (_, i) => beside(1, i) - beside(0, i));
    expect(gains.reduce((sum, gain) => sum + gain, 0) / gains.length).toBeGreaterThan(0.1);
  });
});
