/** The diagnoses as drawn: what makes the classes differ, and what does not. */
import { describe, expect, it } from 'vitest';
import { heartRadius, lungDepth } from '../../src/data/anatomy.ts';
import { randomStream } from '../../src/data/counter-random.ts';
import { drawFinding, type Finding, heartBorder } from '../../src/data/finding.ts';
import { drawPerson } from '../../src/data/person.ts';

function draw(label: number, count = 200): Finding[] {
  return Array.from({ length: count }, (_, i) => {
    const random = randomStream(11, `finding/${label}/${i}`);
    return drawFinding(random, drawPerson(random), label);
  });
}

const [normal, enlarged, pneumonia] = [0, 1, 2].map((label) => draw(label));
const ratios = (findings: Finding[]) => findings.map((finding) => finding.cardiothoracicRatio).sort((a, b) => a - b);

describe('the heart', () => {
  it('is larger in its class, and the ranges overlap a little', () => {
    const large = ratios(enlarged);
    for (const others of [ratios(normal), ratios(pneumonia)]) {
      expect(others[180]).toBeLessThan(large[20]); // nine tenths apart
      expect(others[199]).toBeGreaterThan(large[0]);
    }
  });

  it('has the width that its ratio says', () => {
    for (const finding of [...normal.slice(0, 40), ...enlarged.slice(0, 40)]) {
      const { heart, person } = finding.anatomy;
      const border = Array.from({ length: 1000 }, (_, i) => heartBorder(finding, (i * Math.PI) / 500));
      const width = Math.max(...border.map(({ x }) => x)) - Math.min(...border.map(({ x }) => x));
      expect(width / (2 * person.thorax)).toBeCloseTo(finding.cardiothoracicRatio, 4);
      expect(heart.leftBorder - heart.rightBorder).toBeCloseTo(width, 4);
      expect(-heart.rightBorder).toBeLessThan(heart.leftBorder); // more of it lies on the person's left
      const offBorder = Math.max(...border.map(({ x, y }) => Math.abs(heartRadius(heart, x, y) - 1)));
      expect(offBorder).toBeLessThan(1e-9);
    }
  });
});

describe('the lungs', () => {
  it('carry one to three shadows in pneumonia only, at least one of them dense', () => {
    const counts = new Set(pneumonia.map(({ opacities }) => opacities.length));
    expect([...counts].sort()).toEqual([1, 2, 3]);
    for (const { opacities } of pneumonia) expect(Math.max(...opacities.map((o) => o.density))).toBeGreaterThan(0.2);
    for (const { opacities } of [...normal, ...enlarged]) expect(opacities).toEqual([]);
  });

  it('hold every shadow, beside the heart', () => {
    for (const { anatomy, opacities, distractors } of [...normal, ...enlarged, ...pneumonia]) {
      for (const { x, y } of [...opacities, ...distractors]) {
        expect(lungDepth(anatomy, x, y)).toBeGreaterThan(0);
        expect(heartRadius(anatomy.heart, x, y)).toBeGreaterThan(1);
      }
    }
  });

  it('carry faint distractors equally often in every class', () => {
    for (const findings of [normal, enlarged, pneumonia]) {
      const part = findings.filter(({ distractors }) => distractors.length > 0).length / findings.length;
      expect(Math.abs(part - 0.4)).toBeLessThan(0.14); // standard error 0.035
      for (const { density } of findings.flatMap((finding) => finding.distractors)) expect(density).toBeLessThan(0.1);
    }
  });
});
