/** The built folder: small, installable, whole without a network, and never stuck at an old version. */
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Page } from 'playwright';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type BuiltApp, buildApp, serve } from '../support/app-build.ts';
import { onPage, stands } from '../support/app-page.ts';
import { readsOwnFilms } from '../support/own-films.ts';

let built: BuiltApp;
beforeAll(async () => {
  built = await buildApp();
});
afterAll(() => built[Symbol.dispose]());

/** Fetched when it is wanted: the decoders of one's own films, the check of this machine, the adapter that needs no driver. */
const LATER = /^(films-worker|lossless|jpeg-js|openjpegjs|doctor-worker|portable)/;

it('is at most 250 kB of scripts and styles, compressed, without what is fetched when it is wanted', () => {
  const files = readdirSync(join(built.folder, 'assets')).filter((name) => !LATER.test(name));
  const sizes = files.map((name) => gzipSync(readFileSync(join(built.folder, 'assets', name))).length);
  const total = sizes.reduce((a, b) => a + b);
  console.log(
    `${files.map((name, i) => `${name} ${(sizes[i] / 1000).toFixed(1)} kB`).join(', ')}: ${(total / 1000).toFixed(1)} kB gzip.`,
  );
  expect(total).toBeGreaterThan(10_000);
  expect(total).toBeLessThanOrEqual(250_000);
});

/** Paths that the page's stores hold, and how many stores there are. */
const kept = (page: Page) =>
  page.evaluate(async () => {
    const stores = await caches.keys();
    const requests = (await (await caches.open(stores.at(-1)!)).keys()).map(({ url }) => url);
    return { stores: stores.length, paths: requests.map((url) => url.slice(location.href.length)).sort() };
  });
/** Whether a worker answers for the page, and no newer one is on its way. */
const isKept = (page: Page) =>
  page.evaluate(async () => {
    const known = await navigator.serviceWorker.getRegistration();
    return Boolean(navigator.serviceWorker.controller && known?.active && !known.installing && !known.waiting);
  });

/** The folder with other names for the classes in its recorded run, and the same scripts. */
async function newerVersion(): Promise<BuiltApp> {
  const publicDir = mkdtempSync(join(tmpdir(), 'mtunet-public-'));
  try {
    cpSync('src/app/public', publicDir, { recursive: true });
    const path = join(publicDir, 'recorded.json');
    const recorded = JSON.parse(readFileSync(path, 'utf8'));
    writeFileSync(path, JSON.stringify({ ...recorded, classNames: ['one', 'two', 'three'] }));
    return await buildApp({ publicDir });
  } finally {
    rmSync(publicDir, { recursive: true });
  }
}

it('works whole after its server is gone, and takes over a newer version once it is back', async () => {
  let { folder } = built;
  const served = await serve(() => folder);
  const { address } = served;
  const port = Number(new URL(address).port);
  await onPage({ address, webgpu: false }, async (page) => {
    await page.goto(address);
    await expect.poll(() => isKept(page)).toBe(true);
    const session = await page.context().newCDPSession(page);
    expect((await session.send('Page.getInstallabilityErrors')).installabilityErrors).toEqual([]);
    const files = readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => join(parentPath, name).slice(folder.length + 1));
    const expected = files.filter((path) => path !== 'sw.js').map((path) => (path === 'index.html' ? '' : path));
    expect(await kept(page)).toEqual({ stores: 1, paths: expected.sort() });

    await served.stop();
    await page.reload();
    // The worker script is there too: it is what tells that there is no adapter.
    await page.waitForSelector('.failure[data-failure]');
    await expect.poll(() => page.locator('.badge.soft').textContent()).toBe('recorded run');
    await page.locator('#timeline').fill('30');
    await stands(page, 30);
    const drawn = (canvas: HTMLCanvasElement) => canvas.getContext('2d')!.getImageData(16, 24, 1, 1).data[3];
    await expect.poll(() => page.locator('.film canvas').first().evaluate(drawn)).toBe(255);
    await page.locator('#explorer-loss').fill('0.5');
    expect(await page.locator('#explorer-finding').textContent()).toMatch(/At L = 0\.141 the scale rests at/);
    await readsOwnFilms(page);
    await page.goto(`${address}index.html?from=elsewhere`);
    await page.waitForSelector('#play');

    using newer = await newerVersion();
    folder = newer.folder;
    const back = await serve(() => folder, port);
    await page.goto(address);
    await expect.poll(async () => (await kept(page)).stores === 2 && (await isKept(page))).toBe(true);
    await page.reload();
    const names = page.locator('.run-A .example .bar span:first-child');
    await expect.poll(async () => (await names.allTextContents()).slice(0, 3)).toEqual(['one', 'two', 'three']);
    await back.stop();
  });
});
