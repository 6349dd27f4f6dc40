/** Films of one's own, given to the page. */
import jpeg from 'jpeg-js';
import type { Page } from 'playwright';
import { expect } from 'vitest';
import compressed from '../data/fixtures/compressed-films.json' with { type: 'json' };

/** A name that would be an element if it were not escaped. */
const HOSTILE = '<img src=x onerror=alert(1)>.dcm';

/** A DICOM file without an ending, as scanners write them. */
const UNNAMED = 'IM0001';

/** Films of other programs' making, each decoder's among them, with a table of gaze; and a file that is no film. */
export async function readsOwnFilms(page: Page): Promise<void> {
  const films = compressed.cases.filter(({ bits }) => bits === 12);
  const photo = jpeg.encode({ width: 17, height: 13, data: Buffer.alloc(4 * 17 * 13, 128) }, 90).data;
  const names = [...films.map(({ what }) => `${what}.dcm`), 'photo.jpg', UNNAMED];
  const contents = [
    ...films.map(({ file }) => Buffer.from(file, 'base64')),
    photo,
    Buffer.from(films[0].file, 'base64'),
  ];
  const gaze = `file,x,y\n${names.map((name) => `"${name}",8,6`).join('\n')}\n`;
  const told = page.locator('#films [aria-live]');
  await page
    .getByLabel('Choose files')
    .setInputFiles([
      ...names.map((name, i) => ({ name, mimeType: 'application/octet-stream', buffer: contents[i] })),
      { name: 'gaze.csv', mimeType: 'text/csv', buffer: Buffer.from(gaze) },
      { name: HOSTILE, mimeType: 'application/dicom', buffer: Buffer.from('no film') },
    ]);
  await expect
    .poll(() => told.textContent())
    .toBe(`${names.length} films, ${names.length} with gaze; 1 file could not be read.`);
  expect(await page.locator('#films .problems').textContent()).toContain(
    `${HOSTILE}: the file is neither DICOM nor PNG nor JPEG`,
  );
  expect(await page.locator('#films img').count()).toBe(0);
  expect(await page.locator('#films figcaption').allTextContents()).toEqual([
    ...films.map(({ what }) => `${what}.dcm13 x 17, 12 bits, MONOCHROME2`),
    expect.stringMatching(/^photo\.jpg13 x 17, 8 bits/),
    `${UNNAMED}13 x 17, 12 bits, MONOCHROME2`,
  ]);
  // Each painted, though not by the page.
  const painted = (canvas: HTMLCanvasElement) =>
    canvas.getContext('2d')!.getImageData(canvas.width >> 1, canvas.height >> 1, 1, 1).data[3];
  for (let i = 0; i < names.length; i++)
    await expect.poll(() => page.locator('#films canvas').nth(i).evaluate(painted)).toBe(255);
}
