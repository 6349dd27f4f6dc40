import { describe, expect, it } from 'vitest';
import { jet } from '../../src/data/colour-map.ts';
import { contactSheet } from '../../src/data/contact-sheet.ts';
import type { ChestSample } from '../../src/data/dataset.ts';
import { overlay } from '../../src/data/overlay.ts';
import type { Picture } from '../../src/data/picture.ts';

const size = { height: 2, width: 3 };
const image = Float32Array.from([0, 0.2, 0.4, 0.6, 0.8, 1]);
const map = Float32Array.from([5, 7, 9, 9, 7, 5]);

const pixel = ({ pixels, width }: Picture, row: number, column: number) => [
  ...pixels.subarray(4 * (row * width + column), 4 * (row * width + column) + 4),
];

describe('overlay', () => {
  it('is the film in opaque grey without a map, and where the map is transparent', () => {
    const grey = [0, 51, 102, 153, 204, 255].flatMap((value) => [value, value, value, 255]);
    expect([...overlay({ image, ...size }).pixels]).toEqual(grey);
    expect([...overlay({ image, map, colours: jet, opacity: 0, ...size }).pixels]).toEqual(grey);
  });

  it('spans the colours from the lowest to the highest value of any map', () => {
    const picture = overlay({ image, map, colours: jet, opacity: 1, ...size });
    expect(pixel(picture, 0, 0)).toEqual([0, 0, 128, 255]);
    expect(pixel(picture, 0, 2)).toEqual([128, 0, 0, 255]);
    expect(pixel(picture, 1, 0)).toEqual([128, 0, 0, 255]);
  });

  it('blends by the opacity', () => {
    const picture = overlay({ image, map, colours: jet, opacity: 0.25, ...size });
    expect(pixel(picture, 0, 2)).toEqual([102 + 6.5, 102 - 25.5, 102 - 25.5, 255].map((v) => Math.floor(v + 0.5)));
  });

  it('repeats pixels to scale up', () => {
    const plain = overlay({ image, map, colours: jet, ...size });
    const large = overlay({ image, map, colours: jet, scale: 3, ...size });
    expect([large.height, large.width, large.pixels.length]).toEqual([6, 9, 6 * 9 * 4]);
    for (let row = 0; row < 6; row++) {
      for (let column = 0; column < 9; column++) {
        expect(pixel(large, row, column)).toEqual(pixel(plain, Math.floor(row / 3), Math.floor(column / 3)));
      }
    }
  });

  it('takes a constant map', () => {
    const picture = overlay({ image, map: new Float32Array(6).fill(2), colours: jet, opacity: 1, ...size });
    expect(pixel(picture, 1, 1)).toEqual([0, 0, 128, 255]);
  });

  it('refuses what does not fit, by its value', () => {
    expect(() => overlay({ image, height: 3, width: 3 })).toThrow(/image has 6 values.*3 x 3/);
    expect(() => overlay({ image, map: [1], colours: jet, ...size })).toThrow(/map has 1 values.*2 x 3/);
    expect(() => overlay({ image, map, ...size })).toThrow('needs colours');
    expect(() => overlay({ image, opacity: 1.5, ...size })).toThrow('got 1.5');
    expect(() => overlay({ image, scale: 0.5, ...size })).toThrow('got 0.5');
  });
});

describe('contactSheet', () => {
  const sample: ChestSample = { id: 'a', patient: 'p', label: 0, image, gaze: map };

  it('puts each film beside its overlay, row after row, on white', () => {
    const options = { ...size, columns: 2, scale: 2, gap: 1, colours: jet, opacity: 1 };
    const sheet = contactSheet([sample, sample, sample], options);
    expect([sheet.width, sheet.height]).toEqual([4 * 7 + 1, 2 * 5 + 1]);
    expect(sheet.pixels.length).toBe(sheet.width * sheet.height * 4);
    expect(pixel(sheet, 0, 0)).toEqual([255, 255, 255, 255]);
    expect(pixel(sheet, 1, 1)).toEqual([0, 0, 0, 255]); // first film, first pixel
    expect(pixel(sheet, 4, 6)).toEqual([255, 255, 255, 255]); // its last pixel
    expect(pixel(sheet, 1, 8)).toEqual([0, 0, 128, 255]); // its overlay
    expect(pixel(sheet, 6, 1)).toEqual([0, 0, 0, 255]); // third film
    expect(pixel(sheet, 6, 15)).toEqual([255, 255, 255, 255]); // a cell left over
  });

  it('can leave the gaze out', () => {
    const sheet = contactSheet([sample, sample], { ...size, columns: 1, gap: 0, withGaze: false });
    expect([sheet.width, sheet.height]).toEqual([3, 4]);
    expect([...sheet.pixels.subarray(0, 24)]).toEqual([...overlay({ image, ...size }).pixels]);
  });

  it('refuses no columns', () => {
    expect(() => contactSheet([sample], { ...size, columns: 0 })).toThrow('got 0');
  });
});
