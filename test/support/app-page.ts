/** A page of the app in a headless Chromium, and what a test asks of it. Set APP_SCREENSHOTS to a folder to see what the tests saw. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { type BrowserContextOptions, chromium, type Page } from 'playwright';
import { expect } from 'vitest';
import { findChromium } from '../../src/platform/chromium.ts';

/** What a page has told: milliseconds until the experiment was there and until it could train, and the step that it shows. */
export interface Told {
  there: number;
  ready: number;
  step: number;
}

interface Visit extends BrowserContextOptions {
  readonly address: string;
  readonly webgpu: boolean;
  readonly width?: number;
}

/** Runs `visit` on a page of its own, still empty, and fails on any script error, policy violation or request to elsewhere. */
export async function onPage(
  { address, webgpu, width = 1280, ...context }: Visit,
  visit: (page: Page, told: Told) => Promise<void>,
): Promise<void> {
  const { executablePath, env, args } = await findChromium({ webgpu });
  const browser = await chromium.launch({ executablePath, env, args: [...args] });
  try {
    const page = await browser.newPage({ viewport: { width, height: 900 }, ...context });
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

/** The step that is shown. */
const stepOf = async (page: Page) => Number(await page.locator('#counter b').first().textContent());
export const reaches = (page: Page, step: number) =>
  page.waitForFunction((n) => Number(document.querySelector('#counter b')?.textContent) >= n, step, {
    timeout: 240_000,
  });
export const stands = (page: Page, step: number) => expect.poll(() => stepOf(page)).toBe(step);

/** Waits until the page can train. */
export const readyToTrain = (told: Told) => expect.poll(() => told.ready, { timeout: 120_000 }).toBeGreaterThan(0);

/** Keys go to the page, not to a control. */
export const leaveControls = (page: Page) => page.evaluate(() => (document.activeElement as HTMLElement)?.blur());

/** What the button with this name saves. */
export async function saved(page: Page, name: string): Promise<Buffer> {
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name, exact: true }).click(),
  ]);
  return readFileSync((await download.path())!);
}

export async function csvOf(
  page: Page,
): Promise<{ run: string; step: number; loss: number; saliency: number; sigma: number }[]> {
  const lines = (await saved(page, 'CSV')).toString().trim().split('\n').slice(1);
  return lines.map((line) => {
    const [run, step, , loss, saliency, , , sigma] = line.split(',');
    return { run, step: Number(step), loss: Number(loss), saliency: Number(saliency), sigma: Number(sigma) };
  });
}

/** Gives the field with this label a file. */
export const choose = (page: Page, label: string, name: string, buffer: Buffer) =>
  page.getByLabel(label).setInputFiles({ name, mimeType: 'application/octet-stream', buffer });

const axe = createRequire(import.meta.url).resolve('axe-core/axe.min.js');

/** Violations of WCAG 2.2 A and AA. */
export async function violations(page: Page): Promise<string[]> {
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
export const widthOf = (page: Page) =>
  page.evaluate(() => {
    // Also what is out of sight.
    for (const part of document.querySelectorAll<HTMLElement>('.later')) part.style.contentVisibility = 'visible';
    const left = (part: Element) => part.getBoundingClientRect().left;
    const parts = [...document.querySelectorAll('main > .later')].map((part) => left(part) + part.scrollWidth);
    return Math.max(document.documentElement.scrollWidth, ...parts);
  });

/** A picture of the whole page, with what is out of sight too, and the toolbar where it belongs; or of one part. Nothing without APP_SCREENSHOTS. */
export async function photograph(page: Page, name: string, part?: string): Promise<void> {
  const folder = process.env.APP_SCREENSHOTS;
  if (!folder) return;
  const path = join(folder, `${name}.png`);
  if (part) {
    await page.locator(part).screenshot({ path });
    return;
  }
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
