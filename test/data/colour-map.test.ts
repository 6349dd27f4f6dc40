import { describe, expect, it } from 'vitest';
import { type ColourMap, cividisLike, jet, viridisLike } from '../../src/data/colour-map.ts';

const colour = (map: ColourMap, index: number) => [...map.subarray(3 * index, 3 * index + 3)];

/** CIE lightness L*, 0 to 100, of an sRGB colour. */
function lightness([red, green, blue]: number[]): number {
  const linear = (byte: number) => (byte <= 10 ? byte / 255 / 12.92 : ((byte / 255 + 0.055) / 1.055) ** 2.4);
  const y = 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue);
  return 116 * Math.cbrt(y) - 16;
}

describe('jet', () => {
  it('runs from dark blue over cyan, green and yellow to dark red', () => {
    expect(colour(jet, 0)).toEqual([0, 0, 128]);
    expect(colour(jet, 255)).toEqual([128, 0, 0]);
    const [cyan, green, yellow] = [96, 128, 160].map((index) => colour(jet, index));
    expect(cyan[2]).toBeGreaterThan(250);
    expect(cyan[0]).toBeLessThan(5);
    expect(green[1]).toBe(255);
    expect(yellow[0]).toBeGreaterThan(250);
    expect(yellow[2]).toBeLessThan(5);
  });
});

describe.each([
  ['viridisLike', viridisLike],
  ['cividisLike', cividisLike],
])('%s', (_, map) => {
  it('grows evenly lighter from end to end, so that it reads in grey', () => {
    const values = Array.from({ length: 256 }, (_, i) => lightness(colour(map, i)));
    expect(values[0]).toBeLessThan(20);
    expect(values[255]).toBeGreaterThan(80);
    const even = (values[255] - values[0]) / 16;
    for (let i = 16; i < 256; i += 16) {
      const step = values[i] - values[i - 16];
      expect(step).toBeGreaterThan(0.6 * even);
      expect(step).toBeLessThan(1.5 * even);
    }
  });

  it('starts blue or violet and ends yellow', () => {
    const [red, green, blue] = colour(map, 255);
    expect(Math.min(red, green)).toBeGreaterThan(blue + 80);
    const first = colour(map, 0);
    expect(first[2]).toBe(Math.max(...first));
  });
});
