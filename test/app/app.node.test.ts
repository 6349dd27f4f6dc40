/** The built folder in a headless Chromium, with and without WebGPU. Set APP_SCREENSHOTS to a folder to see what the tests saw. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { decode, encode } from 'fast-png';
import { type Browser, chromium, type Page } from 'playwright';
import { build } from 'vite';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { LiveRun } from '../../src/app/live/live-run.ts';
import { overridesOf } from '../../src/app/live/settings.ts';
import { fromHash } from '../../src/app/url.ts';
import { syntheticChests } from '../../src/data/synthetic.ts';
import { writeWeights } from '../../src/mtunet/checkpoint.ts';
import { resolveConfig } from '../../src/mtunet/config.ts';

import { findChromium } from '../../src/platform/chromium.ts';
import compressed from '../data/fixtures/compressed-films.json' with { type: 'json' };
import { testGpu } from '../support/gpu.ts';

const TYPES: Record<string, string> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
  '.webmanifest': 'application/manifest+json',
};
const HASH = '#seed=3&train=60&size=small&dropout=0.25&a=mtls1~adam~0.005&b=mtls3~sgd~0.02';
/** A name that would be an element if it were not escaped. */
const HOSTILE = '<img src=x onerror=alert(1)>.dcm';
const folder = mkdtempSync(join(tmpdir(), 'mtunet-app-'));
const axe = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
const shots = process.env.APP_SCREENSHOTS;

let server: Server;
let address = '';
const asked: string[] = [];

beforeAll(async () => {
  await build({
    configFile: 'src/app/vite.config.ts',
    logLevel: 'error',
    build: { outDir: folder, emptyOutDir: true },
  });
  server = createServer(({ url = '/' }, response) => {
    asked.push(url);
    const path = new URL(url, 'http://localhost').pathname.replace(/^\/some\/where\//, '') || 'index.html';
    try {
      const contents = readFileSync(join(folder, path));
      response.writeHead(200, { 'content-type': TYPES[extname(path)] ?? 'application/octet-stream' }).end(contents);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve));
  address = `http://localhost:${(server.address() as AddressInfo).port}/some/where/`;
});

afterAll(() => {
  server.close();
  rmSync(folder, { recursive: true, force: true });
});

/** What a page has told: milliseconds until the experiment was there and until it could train, and the step that it shows. */
interface Told {
  there: number;
  ready: number;
  step: number;
}

/** Runs `visit` on a page of its own and fails on any script error, policy violation or request to elsewhere. */
async function onPage(
  { webgpu, width = 1280 }: { webgpu: boolean; width?: number },
  visit: (page: Page, told: Told) => Promise<void>,
): Promise<void> {
  const { executablePath, env, args } = await findChromium({ webgpu });
  const browser: Browser = await chromium.launch({ executablePath, env, args: [...args] });
  try {
    const page = await browser.newPage({ viewport: { width, height: 900 } });
    const problems: string[] = [];
    const told: Told = { there: 0, ready: 0, step: 0 };
    page.on('pageerror', (problem) => problems.push(problem.message));
    page.on('console', (message) => {
      const [, what, number] = /^told (\w+) ([\d.]+)$/.exec(message.text()) ?? [];
      if (what) told[what as keyof Told] = Number(number);
      else if (message.type() === 'error') problems.push(message.text());
    });
    page.on('request', (request) => {
      if (!/^(blob:|data:)/.test(request.url()) && !request.url().startsWith(address)) problems.push(request.url());
    });
    await page.addInitScript(() => {
      // The page tells by itself how far it is: every question of the test would cost it a script and a layout.
      const told: Record<string, number> = {};
      const tell = (what: string, number: number) => {
        if (told[what] === number) return;
        told[what] = number;
        console.log(`told ${what} ${number}`);
      };
      new MutationObserver(() => {
        if (!told.there && document.getElementById('play')) tell('there', performance.now());
        if (!told.ready && document.getElementById('adapter')) tell('ready', performance.now());
        tell('step', Number(document.querySelector('#counter b')?.textContent));
      }).observe(document, { childList: true, subtree: true, characterData: true });
    });
    await visit(page, told);
    expect(problems).toEqual([]);
  } finally {
    await browser.close();
  }
}

/** A picture of the whole page, with what is out of sight too, and the toolbar where it belongs. */
async function photograph(page: Page, path: string): Promise<void> {
  const style = (visibility: string, position: string) =>
    page.evaluate(
      ([visibility, position]) => {
        for (const part of document.querySelectorAll<HTMLElement>('.later')) part.style.contentVisibility = visibility;
        for (const bar of document.querySelectorAll<HTMLElement>('.toolbar')) bar.style.position = position;
      },
      [visibility, position],
    );
  await style('visible', 'static');
  // What was never in sight has not been drawn yet.
  for (const part of await page.locator('.later').all()) {
    await part.scrollIntoViewIfNeeded();
    await page.waitForTimeout(300);
  }
  await page.screenshot({ path, fullPage: true });
  await style('', '');
}

const stepOf = async (page: Page) => Number(await page.locator('#counter b').first().textContent());
const reaches = (page: Page, step: number) =>
  page.waitForFunction((n) => Number(document.querySelector('#counter b')?.textContent) >= n, step, {
    timeout: 240_000,
  });

/** Milliseconds of a task of the page's main thread, by the clock and by the processor's, which other programs do not lengthen. */
interface Task {
  wall: number;
  cpu: number;
}
interface TraceEvent {
  name: string;
  pid: number;
  tid: number;
  dur?: number;
  tdur?: number;
  args: { name?: string };
}

/** The tasks of the page while `body` runs. */
async function tasksOf(page: Page, body: () => Promise<void>): Promise<Task[]> {
  const browser = page.context().browser()!;
  await browser.startTracing(page, { categories: ['toplevel', 'disabled-by-default-devtools.timeline'] });
  await body();
  const { traceEvents } = JSON.parse((await browser.stopTracing()).toString()) as { traceEvents: TraceEvent[] };
  const threads = new Set(
    traceEvents
      .filter(({ name, args }) => name === 'thread_name' && args.name === 'CrRendererMain')
      .map(({ pid, tid }) => `${pid} ${tid}`),
  );
  return traceEvents
    .filter(({ name, pid, tid }) => name === 'RunTask' && threads.has(`${pid} ${tid}`))
    .map(({ dur = 0, tdur = 0 }) => ({ wall: dur / 1000, cpu: tdur / 1000 }));
}

/** What the button with this name saves. */
async function saved(page: Page, name: string): Promise<Buffer> {
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name, exact: true }).click(),
  ]);
  return readFileSync((await download.path())!);
}

async function csvOf(
  page: Page,
): Promise<{ run: string; step: number; loss: number; saliency: number; sigma: number }[]> {
  const lines = (await saved(page, 'CSV')).toString().trim().split('\n').slice(1);
  return lines.map((line) => {
    const [run, step, , loss, saliency, , , sigma] = line.split(',');
    return { run, step: Number(step), loss: Number(loss), saliency: Number(saliency), sigma: Number(sigma) };
  });
}

/** Violations of WCAG 2.2 A and AA. */
async function violations(page: Page): Promise<string[]> {
  // The policy forbids inline scripts, so axe is evaluated, not added.
  await page.evaluate(readFileSync(axe, 'utf8'));
  return page.evaluate(async () => {
    // Also what is out of sight, from here on.
    for (const part of document.querySelectorAll<HTMLElement>('.later')) part.style.contentVisibility = 'visible';
    const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];
    // biome-ignore lint/suspicious/noExplicitAny: axe comes without a module
    const { violations } = await (globalThis as any).axe.run(document, { runOnly: tags });
    return violations.flatMap((one: { id: string; nodes: { html: string; failureSummary: string }[] }) =>
      one.nodes
        .slice(0, 2)
        .map(({ html, failureSummary }) => `${one.id}: ${html.slice(0, 160)} ${failureSummary.slice(0, 200)}`),
    );
  });
}

/** Of the page and of what its sections hold, which would be cut off beyond their edge. */
const widthOf = (page: Page) =>
  page.evaluate(() => {
    const left = (part: Element) => part.getBoundingClientRect().left;
    const parts = [...document.querySelectorAll('main > .later')].map((part) => left(part) + part.scrollWidth);
    return Math.max(document.documentElement.scrollWidth, ...parts);
  });

/** Decoders that are fetched when someone's own film needs them. */
const LATER = /^(dropped-films|lossless|jpeg-js|openjpegjs)/;

it('is at most 250 kB of scripts and styles, compressed, without the decoders of own films', () => {
  const files = readdirSync(join(folder, 'assets')).filter((name) => !LATER.test(name));
  const sizes = files.map((name) => gzipSync(readFileSync(join(folder, 'assets', name))).length);
  const total = sizes.reduce((a, b) => a + b);
  console.log(
    `${files.map((name, i) => `${name} ${(sizes[i] / 1000).toFixed(1)} kB`).join(', ')}: ${(total / 1000).toFixed(1)} kB gzip.`,
  );
  expect(total).toBeGreaterThan(10_000);
  expect(total).toBeLessThanOrEqual(250_000);
});

it('trains: losses fall, equal those of Node, and go with the URL; survives the loss of its device', async () => {
  await onPage({ webgpu: true }, async (page, told) => {
    const tasks = await tasksOf(page, async () => {
      await page.goto(address + HASH);
      await expect.poll(() => told.ready, { timeout: 120_000 }).toBeGreaterThan(0);
      // Keys, unlike clicks, need no script of the test in the page.
      await page.keyboard.press(' ');
      await expect.poll(() => told.step, { timeout: 240_000 }).toBeGreaterThanOrEqual(20);
      await page.keyboard.press(' ');
    });
    const longest = (of: (task: Task) => number) => Math.max(...tasks.map(of)).toFixed(0);
    console.log(
      `Page there after ${told.there.toFixed(0)} ms, ready to train after ${told.ready.toFixed(0)} ms; longest of ${tasks.length} tasks ${longest(({ wall }) => wall)} ms, by the processor's clock ${longest(({ cpu }) => cpu)} ms.`,
    );
    expect(tasks.length).toBeGreaterThan(100);
    for (const { cpu } of tasks) expect(cpu).toBeLessThan(50);
    expect(await page.locator('#scheme-B').inputValue()).toBe('mtls3');
    await page.waitForSelector('#play[aria-pressed=false]');
    const rows = await csvOf(page);
    const mean = (list: { saliency: number }[]) => list.reduce((sum, { saliency }) => sum + saliency, 0) / list.length;
    for (const name of ['A', 'B']) {
      const mine = rows.filter(({ run }) => run === name);
      expect(mine.length).toBeGreaterThanOrEqual(20);
      expect(mean(mine.slice(15, 20))).toBeLessThan(mean(mine.slice(0, 5)));
    }

    const settings = fromHash(HASH);
    const config = resolveConfig('tiny', overridesOf(settings, settings.runs[0]));
    const data = syntheticChests({ height: config.height, width: config.width, ...config.synthetic });
    const gpu = await testGpu();
    const run = new LiveRun(gpu, config, data);
    // Sums run in another order on another adapter, and Adam's first steps follow the sign of the smallest gradient.
    const name = await page.locator('#adapter').getAttribute('title');
    const tolerance = name === gpu.description.name ? 1e-4 : 1e-2;
    for (let step = 1; step <= 10; step++) {
      const { row } = await run.step('both');
      const there = rows.find((one) => one.run === 'A' && one.step === step)!;
      expect(Math.abs(there.loss - row.loss)).toBeLessThan(tolerance);
    }
    const weights = Buffer.from(writeWeights(await run.model.stateDict()));
    run.dispose();
    if (shots) await photograph(page, join(shots, 'desktop.png'));
    expect(await violations(page)).toEqual([]);

    const before = await stepOf(page);
    await page.click('#step');
    await reaches(page, before + 1);
    await page.click('#step-saliency');
    await reaches(page, before + 2);
    const alone = (await csvOf(page)).filter(({ run }) => run === 'A').at(-1)!;
    expect(alone.saliency).toBeGreaterThan(0);

    await page.getByRole('button', { name: 'Break it in run A' }).click();
    await page.waitForFunction(() => /^Broken/.test(document.querySelector('#circle .finding')?.textContent ?? ''));

    await page.locator('#timeline').fill('12');
    await page.click('#return');
    await page.waitForFunction(() => Number(document.querySelector('#counter b')?.textContent) === 10);

    // A device lost, and the one after it: each time the last snapshot is there again, and training goes on.
    for (let loss = 1; loss <= 2; loss++) {
      await page.evaluate(() => document.querySelector<HTMLButtonElement>('#lose')!.click());
      await page.waitForSelector('[data-failure=lost]', { timeout: 60_000 });
      await page.waitForFunction(() => Number(document.querySelector('#counter b')?.textContent) === 10);
      await page.evaluate(() => (document.activeElement as HTMLElement)?.blur());
      await page.keyboard.press('ArrowRight');
      await reaches(page, 11);
    }

    // A section's link leaves the settings in the address; a seed out of bounds is brought back into them.
    await page.getByRole('link', { name: 'Equilibrium' }).click();
    // The page writes its address when it has time.
    const scheme = () => expect.poll(() => fromHash(new URL(page.url()).hash).runs[0].scheme);
    await scheme().toBe('mtls1');
    await expect.poll(() => new URL(page.url()).hash).toContain('seed=3');
    await page.locator('#scheme-A').selectOption('sum');
    await page.waitForFunction(() => Number(document.querySelector('#counter b')?.textContent) === 0);
    await scheme().toBe('sum');
    expect(fromHash(new URL(page.url()).hash).seed).toBe(3);

    await page.click('#inspect-A');
    await page.waitForSelector('.operations li', { timeout: 120_000 });
    expect(await page.locator('.operations li').count()).toBeGreaterThan(40);
    await page.getByRole('button', { name: /^bottleneck: 64 × 3 × 2, 55,680 parameters/ }).click();
    expect(await page.locator('.detail').textContent()).toContain('Layer Conv5.4');
    await page.click('#gradient-check');
    await page.waitForFunction(() => /finite difference/.test(document.querySelector('#gradient')?.textContent ?? ''));
    const said = await page.locator('#gradient').textContent();
    const [analytic, numeric] = [...said!.matchAll(/(?:pass|difference) (-?[\d.e-]+\d)/g)].map(([, value]) =>
      Number(value),
    );
    expect(Math.abs(analytic - numeric)).toBeLessThan(0.01 * Math.max(1, Math.abs(analytic)));
    if (shots) await page.locator('#inside').screenshot({ path: join(shots, 'inside.png') });
    await takesFiles(page, weights);
  });
});

/** Weights that Node trained, a picture of one's own, files that are neither; then everything that is seen, as files. */
async function takesFiles(page: Page, weights: Buffer): Promise<void> {
  const choose = (label: string, name: string, buffer: Buffer) =>
    page.getByLabel(label).setInputFiles({ name, mimeType: 'application/octet-stream', buffer });
  const failure = page.locator('.failure');
  await choose('Weights trained in Node', 'weights.safetensors', weights);
  await expect.poll(() => page.locator('#note').textContent()).toBe('Run A now has the weights of the file.');
  await choose('Weights trained in Node', 'other.safetensors', Buffer.from('no weights'));
  await expect.poll(() => failure.getAttribute('data-failure')).toBe('input');
  await failure.getByRole('button', { name: 'Dismiss' }).click();

  const [width, height] = [40, 30];
  const grey = Uint8Array.from({ length: width * height }, (_, i) => i % 251);
  await choose('Your own image', 'mine.png', Buffer.from(encode({ width, height, data: grey, channels: 1 })));
  const own = page.locator('.run-A .example').nth(3);
  await expect.poll(() => own.locator('.truth').textContent()).toBe('truth: your film');
  await expect.poll(() => own.locator('.value').allTextContents()).toEqual(Array(3).fill(expect.stringMatching(/%$/)));
  await choose('Your own image', 'mine.png', Buffer.from('no picture'));
  await expect.poll(() => failure.getAttribute('data-failure')).toBe('picture');
  await failure.getByRole('button', { name: 'Dismiss' }).click();
  // One pixel, sixteen bits.
  const pixel = encode({ width: 1, height: 1, data: Uint16Array.of(32896), channels: 1, depth: 16 });
  await choose('Your own image', 'mine.png', Buffer.from(pixel));
  const grey128 = await own
    .locator('canvas')
    .first()
    .evaluate(async (canvas: HTMLCanvasElement) => {
      const centre = () => canvas.getContext('2d')!.getImageData(16, 24, 1, 1).data[0];
      for (let turn = 0; turn < 100 && centre() !== 128; turn++)
        await new Promise((resolve) => setTimeout(resolve, 100));
      return centre();
    });
  expect(grey128).toBe(128);
  await choose('Weights trained in Node', 'other.pt', Buffer.alloc(0));
  await expect.poll(() => failure.getAttribute('data-failure')).toBe('input');

  const picture = decode(await saved(page, 'PNG'));
  expect([picture.width, picture.height]).toEqual([3 * 32 * 4, 4 * 48 * 4]);
  const { settings, rows } = JSON.parse((await saved(page, 'JSON')).toString());
  expect(settings.seed).toBe(3);
  expect(rows.map((list: unknown[]) => list.length)).toEqual([0, 0]);
}

/** Films of other programs' making, one compressed by wavelets, with a table of gaze; and a file that is no film. */
async function readsOwnFilms(page: Page): Promise<void> {
  const films = compressed.cases.filter(({ bits }) => bits === 12);
  const names = films.map(({ what }) => `${what}.dcm`);
  const gaze = `file,x,y\n${names.map((name) => `"${name}",8,6`).join('\n')}\n`;
  const text = (name: string, mimeType: string, contents: string) => ({
    name,
    mimeType,
    buffer: Buffer.from(contents),
  });
  await page.getByLabel('Choose files').setInputFiles([
    ...films.map(({ file }, i) => ({
      name: names[i],
      mimeType: 'application/dicom',
      buffer: Buffer.from(file, 'base64'),
    })),
    text('gaze.csv', 'text/csv', gaze),
    text(HOSTILE, 'application/dicom', 'no film'),
  ]);
  const told = page.locator('#films [aria-live]');
  await expect
    .poll(() => told.textContent(), { timeout: 60_000 })
    .toBe(`${films.length} films, ${films.length} with gaze; 1 file could not be read.`);
  expect(await page.locator('#films .problems').textContent()).toContain(`${HOSTILE}: not a whole DICOM file`);
  expect(await page.locator('#films img').count()).toBe(0);
  expect(await page.locator('#films figcaption').allTextContents()).toEqual(
    names.map((name) => `${name}13 x 17, 12 bits, MONOCHROME2`),
  );
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
    await drop.scrollIntoViewIfNeeded();
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

it('without WebGPU says so, plays a recorded run, and explains the equilibrium, also on a phone', async () => {
  await onPage({ webgpu: false, width: 360 }, async (page, told) => {
    await page.goto(address);
    await page.waitForSelector('.failure');
    await page.waitForSelector('.badge.soft');
    expect(['no-webgpu', 'no-adapter']).toContain(await page.locator('.failure').getAttribute('data-failure'));
    await page.locator('#timeline').fill('30');
    expect(await stepOf(page)).toBe(30);
    // Keys move the recorded run; what would train is out of reach.
    await page.evaluate(() => (document.activeElement as HTMLElement)?.blur());
    await page.keyboard.press('ArrowRight');
    await expect.poll(() => told.step).toBe(31);
    await page.keyboard.press(' ');
    await expect.poll(() => told.step).toBeGreaterThan(32);
    await page.keyboard.press('r');
    await expect.poll(() => told.step).toBe(0);
    expect(await page.locator('.run select:enabled, .run input:enabled').count()).toBe(0);
    await page.locator('#explorer-loss').fill('0.5');
    const before = await page.locator('#explorer-finding').textContent();
    await page.locator('#explorer-loss').fill('0.9');
    expect(await page.locator('#explorer-finding').textContent()).not.toBe(before);
    expect(await widthOf(page)).toBeLessThanOrEqual(360);
    expect(await violations(page)).toEqual([]);
    await readsOwnFilms(page);
    await takesDrop(page);
    if (shots) await photograph(page, join(shots, 'phone.png'));
    // 200 % zoom of a 1280 px window.
    await page.setViewportSize({ width: 640, height: 450 });
    expect(await widthOf(page)).toBeLessThanOrEqual(640);
  });
  expect(asked.some((url) => url.endsWith('recorded.json'))).toBe(true);
});
