/** Files of one's own: weights, pictures, films and gaze into the page, and what is seen out of it. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decode, encode } from 'fast-png';
import type { Page } from 'playwright';
import { expect, it } from 'vitest';
import { overridesOf } from '../../src/app/live/settings.ts';
import { fromHash } from '../../src/app/url.ts';
import { writeWeights } from '../../src/mtunet/checkpoint.ts';
import { resolveConfig } from '../../src/mtunet/config.ts';
import { buildNetwork } from '../../src/mtunet/networks.ts';
import compressed from '../data/fixtures/compressed-films.json' with { type: 'json' };
import { servedApp } from '../support/app-build.ts';
import { choose, onPage, readyToTrain, saved } from '../support/app-page.ts';
import { testGpu } from '../support/gpu.ts';
import { expectShortTasks, tasksOf } from '../support/main-thread.ts';
import { readsOwnFilms } from '../support/own-films.ts';

const HASH = '#seed=3&train=12&size=small';
const app = servedApp();

/** Of run A, as Node would save them. */
async function weightsOfNode(): Promise<Buffer> {
  const settings = fromHash(HASH);
  const { network, seed } = resolveConfig('tiny', overridesOf(settings, settings.runs[0]));
  const model = buildNetwork(await testGpu(), network, 3, seed);
  const weights = Buffer.from(writeWeights(await model.stateDict()));
  model.dispose();
  return weights;
}

it('takes weights that Node trained and a picture of one’s own, refuses files that are neither, and saves what is seen', async () => {
  const weights = await weightsOfNode();
  await onPage({ address: app().address, webgpu: true }, async (page, told) => {
    await page.goto(app().address + HASH);
    await readyToTrain(told);
    const failure = page.locator('.failure');
    const fails = async (as: string) => {
      await expect.poll(() => failure.getAttribute('data-failure')).toBe(as);
      await failure.getByRole('button', { name: 'Dismiss' }).click();
    };
    await choose(page, 'Weights trained in Node', 'weights.safetensors', weights);
    await expect.poll(() => page.locator('#note').textContent()).toBe('Run A now has the weights of the file.');
    await choose(page, 'Weights trained in Node', 'other.safetensors', Buffer.from('no weights'));
    await fails('input');

    const [width, height] = [40, 30];
    const grey = Uint8Array.from({ length: width * height }, (_, i) => i % 251);
    const mine = Buffer.from(encode({ width, height, data: grey, channels: 1 }));
    await choose(page, 'Your own image', 'mine.png', mine);
    const own = page.locator('.run-A .example').nth(3);
    await expect.poll(() => own.locator('.truth').textContent()).toBe('truth: your film');
    const shares = () => own.locator('.value').allTextContents();
    await expect.poll(shares).toEqual(Array(3).fill(expect.stringMatching(/%$/)));
    await choose(page, 'Your own image', 'mine.png', Buffer.from('no picture'));
    await fails('picture');
    // One pixel, sixteen bits.
    const pixel = encode({ width: 1, height: 1, data: Uint16Array.of(32896), channels: 1, depth: 16 });
    await choose(page, 'Your own image', 'mine.png', Buffer.from(pixel));
    const centre = (canvas: HTMLCanvasElement) => canvas.getContext('2d')!.getImageData(16, 24, 1, 1).data[0];
    await expect.poll(() => own.locator('canvas').first().evaluate(centre)).toBe(128);
    await choose(page, 'Weights trained in Node', 'other.pt', Buffer.alloc(0));
    await fails('input');

    const picture = decode(await saved(page, 'PNG'));
    expect([picture.width, picture.height]).toEqual([3 * 32 * 4, 4 * 48 * 4]);
    // The person's own film in the last row, each of its pixels four wide and high.
    const from = 4 * 3 * 48 * picture.width * picture.channels;
    expect(new Set(picture.data.subarray(from, from + 4 * 3)).size).toBeLessThanOrEqual(3);
    const { settings, rows } = JSON.parse((await saved(page, 'JSON')).toString());
    expect(settings.seed).toBe(3);
    expect(rows.map((list: unknown[]) => list.length)).toEqual([0, 0]);
  });
});

it('decodes films without blocking the page, finds their gaze, and names what is no film', async () => {
  await onPage({ address: app().address, webgpu: false }, async (page) => {
    await page.goto(app().address);
    await readsOwnFilms(page);
    await takesDrop(page);
    await staysFree(page);
  });
});

/** While it decodes a film of full size. */
async function staysFree(page: Page): Promise<void> {
  const [width, height] = [2000, 1600];
  const data = Uint16Array.from({ length: width * height }, (_, i) => (i * 40503) & 0xffff);
  const folder = mkdtempSync(join(tmpdir(), 'mtunet-film-'));
  try {
    // By its path: bytes would be handed over in the page.
    await expectShortTasks((time) => {
      const path = join(folder, `large-${time}.png`);
      writeFileSync(path, encode({ width, height, data, channels: 1, depth: 16 }));
      const shown = new RegExp(`^large-${time}\\.png1600 x 2000, 16 bits`);
      return tasksOf(page, async () => {
        await page.getByLabel('Choose files').setInputFiles(path);
        await expect
          .poll(() => page.locator('#films figcaption').allTextContents())
          .toEqual([expect.stringMatching(shown)]);
      });
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** A folder dropped on the page as from a file manager: its films, one of them a level below, and the gaze for that one. */
async function takesDrop(page: Page): Promise<void> {
  const [above, below] = compressed.cases.filter(({ what }) => what === 'run lengths').slice(0, 2);
  const dropped = mkdtempSync(join(tmpdir(), 'mtunet-drop-'));
  try {
    mkdirSync(join(dropped, 'below'));
    writeFileSync(join(dropped, 'above.dcm'), Buffer.from(above.file, 'base64'));
    writeFileSync(join(dropped, 'below', 'film.dcm'), Buffer.from(below.file, 'base64'));
    writeFileSync(join(dropped, 'below', 'gaze.csv'), 'file,x,y\nbelow/film.dcm,8,6\n');
    const drop = page.locator('#films .drop');
    // Waits until it has come to rest.
    await drop.hover();
    const box = (await drop.boundingBox())!;
    const session = await page.context().newCDPSession(page);
    for (const type of ['dragEnter', 'dragOver', 'drop'] as const)
      await session.send('Input.dispatchDragEvent', {
        type,
        x: box.x + box.width / 2,
        y: box.y + box.height / 2,
        data: { items: [], files: [dropped], dragOperationsMask: 1 },
      });
    await expect
      .poll(() => page.locator('#films [aria-live]').textContent(), { timeout: 60_000 })
      .toBe('2 films, 1 with gaze; 0 files could not be read.');
    const captions = await page.locator('#films figcaption').allTextContents();
    expect(captions.sort()).toEqual([
      expect.stringMatching(/^above\.dcm13 x 17, .*, no gaze$/),
      expect.stringMatching(/^film\.dcm13 x 17, 1\d bits, MONOCHROME\d$/),
    ]);
  } finally {
    rmSync(dropped, { recursive: true });
  }
}
