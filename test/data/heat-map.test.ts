/**
 * The gaze maps: kept pixels against the blur of the whole film, and against SciPy (fixtures/heat_maps.py), in Node and in Chromium.
 */
import { expect, it } from 'vitest';
import { type BlurredCounts, blurredCounts, reflectEdge } from '../../src/data/blurred-counts.ts';
import { ellipseMap } from '../../src/data/ellipse-map.ts';
import { fixationMap } from '../../src/data/fixation-map.ts';
import { gaussianBlur, reflect101 } from '../../src/data/gaussian-blur.ts';
import { heatMap } from '../../src/data/heat-map.ts';
import type { Recipe } from '../../src/data/recipe.ts';
import recorded from './fixtures/heat-maps.json' with { type: 'json' };

const small: Recipe = { height: 40, width: 30, stride: 5, keepCorner: false };
const opencv: BlurredCounts = {
  taps: 21,
  sigma: 0,
  border: 'without-edge',
  wrapCounts: false,
  firstRow: 0,
  evenSides: false,
};

it('blurs the kept pixels to the bits of the whole film', () => {
  const film = { height: 36, width: 34 };
  const points = Float64Array.of(3, 0, 3, 0, 17, 20, 33, 35, 34, 2, -1, 4, 8, 36, 12, 20);
  const dots = new Float64Array(film.height * film.width);
  for (const [x, y] of [
    [3, 0],
    [3, 0],
    [17, 20],
    [33, 35],
    [12, 20],
  ])
    dots[y * film.width + x]++;
  const whole = gaussianBlur(dots, { ...film, size: 21, sigma: 0 });
  const map = blurredCounts(points, film, small, opencv)!;
  expect(map.length).toBe(8 * 6);
  for (let i = 0; i < 8; i++)
    for (let j = 0; j < 6; j++) {
      const [row, column] = [5 * i - 2, 5 * j + 2];
      expect(map[6 * i + j]).toBe(row < 0 ? 0 : whole[row * film.width + column]);
    }
  const scaled = heatMap([{ points }], film, small, 'paper')!;
  expect([Math.min(...scaled), Math.max(...scaled)]).toEqual([0, 1]);
  expect(heatMap([{ points: Float64Array.of(-3, -3, 40, 40) }], film, small, 'paper')).toBe(null);
});

it('counts in 8 bits with a sign where the released code does', () => {
  const points = new Float64Array(2 * 128).fill(20);
  const film = { height: 40, width: 30 };
  expect(Math.min(...blurredCounts(points, film, small, { ...opencv, wrapCounts: true })!)).toBeLessThan(0);
  expect(Math.min(...blurredCounts(points, film, small, opencv)!)).toBe(0);
});

it('mirrors the border with its edge or without', () => {
  const at = (reflect: typeof reflectEdge) => [-5, -4, -3, -2, -1, 0, 3, 4, 5, 8].map((i) => 'abcd'[reflect(i, 4)]);
  expect(at(reflectEdge).join('')).toBe('ddcbaaddca');
  expect(at(reflect101).join('')).toBe('bcdcbadcbc');
  expect([reflectEdge(-7, 1), reflectEdge(9, 1)]).toEqual([0, 0]);
});

/** Every pixel is kept and nothing is padded. */
const whole = ({ height, width }: { height: number; width: number }): Recipe => ({
  height,
  width,
  stride: 1,
  keepCorner: false,
});

it.each(recorded.cases)("agrees with SciPy's maps of $height x $width pixels", (film) => {
  const counts: BlurredCounts = {
    taps: 1201,
    sigma: 150,
    border: 'with-edge',
    wrapCounts: false,
    firstRow: 1,
    evenSides: true,
  };
  const points = Float64Array.from(film.points.flat());
  const blurred = blurredCounts(points, film, whole(film), counts)!;
  const density = fixationMap(film.fixations, film, whole(film))!;
  for (const [i, want] of film.blurred.entries()) expect(Math.abs(blurred[i] - want)).toBeLessThanOrEqual(1e-12 * want);
  for (const [i, want] of film.density.entries())
    expect(Math.abs(density[i] - want)).toBeLessThanOrEqual(1e-12 * want + 1e-300);
  const least = Math.min(...film.blurred);
  const most = Math.max(...film.blurred);
  // Minimum and maximum lie within 1e-3 of each other under so wide a blur, which costs three digits.
  const scaled = heatMap([{ points }], film, whole(film), 'fixations')!;
  for (const [i, want] of film.blurred.entries())
    expect(Math.abs(scaled[i] - (want - least) / (most - least))).toBeLessThanOrEqual(1e-6);
  const degrees = heatMap([{ points, fixations: film.fixations }], film, whole(film), 'degrees')!;
  const peak = Math.max(...film.density);
  for (const [i, want] of film.density.entries()) expect(Math.abs(degrees[i] - want / peak)).toBeLessThanOrEqual(1e-12);
});

it('merges readers by the mean of their probability maps', () => {
  const film = { height: 12, width: 10 };
  const look = (x: number, y: number, duration: number) => ({
    points: new Float64Array(),
    fixations: [{ x, y, duration, degreeX: 2, degreeY: 2 }],
  });
  const [a, b] = [look(2, 3, 10), look(7, 8, 0.1)];
  const merged = heatMap([a, b], film, whole(film), 'degrees')!;
  const alone = [a, b].map((one) => {
    const map = heatMap([one], film, whole(film), 'degrees')!;
    const sum = map.reduce((x, y) => x + y);
    return map.map((value) => value / sum);
  });
  const mean = alone[0].map((value, i) => (value + alone[1][i]) / 2);
  const peak = Math.max(...mean);
  for (const [i, value] of mean.entries()) expect(Math.abs(merged[i] - value / peak)).toBeLessThanOrEqual(1e-14);
  expect(heatMap([{ points: new Float64Array() }], film, whole(film), 'degrees')).toBe(null);
});

it('fills ellipses with their certainty, and means it over readers', () => {
  const film = { height: 9, width: 9 };
  const map = ellipseMap(
    [
      [
        { left: 1, top: 2, right: 7, bottom: 6, certainty: 5 },
        { left: 0, top: 0, right: 8, bottom: 8, certainty: 2 },
      ],
      [],
    ],
    film,
    whole(film),
  );
  expect([map[4 * 9 + 4], map[4 * 9 + 1], map[2 * 9 + 1], map[0], map[4 * 9 + 0]]).toEqual([0.5, 0.5, 0.2, 0, 0.2]);
});
