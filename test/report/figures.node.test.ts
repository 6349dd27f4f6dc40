/** Figures as files: any program can draw the SVG, and the PNG shows it. */
import { decode } from 'fast-png';
import { parseHTML } from 'linkedom';
import { beforeAll, expect, it } from 'vitest';
import { pngOf } from '../../src/cli/raster.ts';
import { experimentFigures, type FigureFile } from '../../src/report/figures.ts';
import { fakeRun } from './fake-runs.ts';

let figures: FigureFile[];
beforeAll(() => {
  const rows = ['mtls1', 'mtls3'].map((scheme) => ({
    name: `MT-UNet <${scheme}>`,
    runs: [1, 2].map((seed) => ({ ...fakeRun({ scheme, seed }), row: `MT-UNet <${scheme}>` })),
  }));
  const expected = { source: '', values: {}, claims: [], notes: [] };
  figures = experimentFigures({ title: 'A & B', rows, measures: ['kld', 'classRise'], expected }, [
    'curves',
    'overlays',
  ]);
});

it('are whole, without variables that only browsers know', () => {
  expect(figures.map(({ id }) => id)).toEqual(['measures', 'curves', 'overlays']);
  for (const { svg } of figures) {
    expect(svg).not.toMatch(/var\(|NaN|undefined|<mtls/);
    expect(svg).toContain('A &amp; B');
    expect(parseHTML(svg).document.querySelectorAll('svg').length).toBeGreaterThan(2);
  }
});

it('mark where overfitting starts, with how many trainings show it', () => {
  expect(figures[1].svg).toMatch(/>(circle|overfits) [12] of 2</);
});

it('become PNG of twice the size, with ink on them, the same twice', async () => {
  const [{ svg }] = figures;
  const png = await pngOf(svg);
  const { width, height, data, channels } = decode(png);
  const [, w, h] = /width="(\d+)" height="(\d+)"/.exec(svg)!;
  expect([width, height]).toEqual([2 * Number(w), 2 * Number(h)]);
  let dark = 0;
  for (let i = 0; i < data.length; i += channels) if (data[i] < 128) dark++;
  expect(dark / (width * height)).toBeGreaterThan(0.002);
  expect(Buffer.compare(png, await pngOf(svg))).toBe(0);
});
