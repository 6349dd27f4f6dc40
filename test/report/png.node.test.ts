import { decode } from 'fast-png';
import { describe, expect, test } from 'vitest';
import { jet } from '../../src/data/colour-map.ts';
import { colourBarDataUri, filmDataUri, shrink } from '../../src/report/png.ts';

function read(uri: string) {
  expect(uri).toMatch(/^data:image\/png;base64,/);
  return decode(Buffer.from(uri.slice(uri.indexOf(',') + 1), 'base64'));
}

describe('pictures in the page', () => {
  test('a film is grey, its own size and without loss', () => {
    const values = Float32Array.of(0, 0.2, 0.4, 0.6, 0.8, 1);
    const { width, height, channels, data } = read(filmDataUri({ values, height: 2, width: 3 }));
    expect({ width, height, channels }).toEqual({ width: 3, height: 2, channels: 3 });
    expect([...data]).toEqual([0, 51, 102, 153, 204, 255].flatMap((grey) => [grey, grey, grey]));
  });

  test('the peak of a map takes the last colour, half over the film', () => {
    const film = { values: Float32Array.of(0, 0), height: 1, width: 2 };
    const { data } = read(filmDataUri(film, Float32Array.of(3, 7), jet));
    expect([...data]).toEqual([...jet.subarray(0, 3), ...jet.subarray(-3)].map((byte) => Math.floor(byte / 2 + 0.5)));
  });

  test('a colour bar holds every colour in order', () => {
    const { width, height, data } = read(colourBarDataUri(jet));
    expect({ width, height }).toEqual({ width: 256, height: 1 });
    expect([...data]).toEqual([...jet]);
  });

  test('large films are shrunk by box means, and a map with its film', () => {
    const small = shrink({ values: [1, 3, 9, 5, 7, 9], height: 2, width: 3 }, 2);
    expect({ ...small, values: [...small.values] }).toEqual({ values: [4], height: 1, width: 1 });
    const large = { values: new Float32Array(640 * 416), height: 640, width: 416 };
    const { width, height } = read(filmDataUri(large, large.values, jet));
    expect({ width, height }).toEqual({ width: 208, height: 320 });
  });
});
