import { describe, expect, it } from 'vitest';
import { randomStream } from '../../src/data/counter-random.ts';
import { drawPositioning } from '../../src/data/positioning.ts';

describe('drawPositioning', () => {
  it.each([
    [96, 64],
    [64, 64],
    [32, 200],
  ])('toBody undoes toFilm, and the chest fits a film of %i x %i', (height, width) => {
    for (let i = 0; i < 20; i++) {
      const positioning = drawPositioning(randomStream(i, 'positioning'), { height, width });
      const { column, row } = positioning.toFilm(0.3, -0.6);
      const { x, y } = positioning.toBody(column, row);
      expect(x).toBeCloseTo(0.3, 12);
      expect(y).toBeCloseTo(-0.6, 12);
      for (const [bodyX, bodyY] of [
        [-0.7, 0.3],
        [0.7, 0.3],
        [0, -0.7],
        [0, 0.6],
      ]) {
        const place = positioning.toFilm(bodyX, bodyY);
        expect(place.column).toBeGreaterThan(0);
        expect(place.column).toBeLessThan(width);
        expect(place.row).toBeGreaterThan(0);
        expect(place.row).toBeLessThan(height);
      }
    }
  });
});
