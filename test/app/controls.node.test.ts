/** What a hand does to two runs under way, what it sees inside them, and what survives the loss of the device. */
import type { Page } from 'playwright';
import { expect, it } from 'vitest';
import { fromHash } from '../../src/app/url.ts';
import { servedApp } from '../support/app-build.ts';
import { csvOf, leaveControls, onPage, photograph, reaches, readyToTrain, stands } from '../support/app-page.ts';

/** Two steps make an epoch. */
const HASH = '#seed=3&train=12&size=small&dropout=0.25&a=mtls1~adam~0.005&b=mtls3~sgd~0.02';
const app = servedApp();

it('steps, breaks the circle, goes back in time, survives the loss of its device, tells its settings in the URL, shows its inside', async () => {
  await onPage({ address: app().address, webgpu: true }, async (page, told) => {
    await page.goto(app().address + HASH);
    await readyToTrain(told);
    await page.click('#step');
    await reaches(page, 1);
    await page.click('#step-saliency');
    await reaches(page, 2);
    const alone = (await csvOf(page)).filter(({ run }) => run === 'A').at(-1)!;
    expect(alone.saliency).toBeGreaterThan(0);
    await page.click('#step-diagnosis');
    await reaches(page, 3);

    await page.getByRole('button', { name: 'Break it in run A' }).click();
    await expect.poll(() => page.locator('#circle .finding').textContent()).toMatch(/^Broken/);

    await page.locator('#timeline').fill('3');
    await page.click('#return');
    // The last snapshot is that of the epoch.
    await stands(page, 2);
    await survivesTwoLosses(page, 2);
    await goesOnByItself(page);
    await tellsItsSettings(page);
    await showsItsInside(page);
  });
});

/** A device lost, and the one after it: each time the last snapshot is there again, and training goes on. */
async function survivesTwoLosses(page: Page, last: number): Promise<void> {
  for (let loss = 1; loss <= 2; loss++) {
    await page.evaluate(() => document.querySelector<HTMLButtonElement>('#lose')!.click());
    await page.waitForSelector('[data-failure=lost]', { timeout: 60_000 });
    await stands(page, last);
    await leaveControls(page);
    await page.keyboard.press('ArrowRight');
    await reaches(page, last + 1);
  }
}

/** A device lost while the runs play: they play on in a new one. The tab that is hidden pauses them and keeps their last step. */
async function goesOnByItself(page: Page): Promise<void> {
  await page.click('#play');
  await reaches(page, 4);
  await page.evaluate(() => document.querySelector<HTMLButtonElement>('#lose')!.click());
  await page.waitForFunction(() => document.querySelector('[data-failure=lost]')?.textContent?.includes('go on'));
  await page.waitForSelector('#play[aria-pressed=true]', { timeout: 60_000 });
  await reaches(page, 8);
  await page.evaluate(() => {
    Object.defineProperty(document, 'hidden', { value: true, configurable: true });
    document.dispatchEvent(new Event('visibilitychange'));
  });
  await page.waitForSelector('#play[aria-pressed=false]', { timeout: 60_000 });
  const last = Number(await page.locator('#counter b').first().textContent());
  await page.evaluate(() => {
    Reflect.deleteProperty(document, 'hidden');
    document.querySelector<HTMLButtonElement>('#lose')!.click();
  });
  await page.waitForSelector('#play[aria-pressed=false]');
  await stands(page, last);
  await leaveControls(page);
  await page.keyboard.press('ArrowRight');
  await reaches(page, last + 1);
}

/** A section's link leaves the settings in the address; a control that is changed goes into it, and the runs begin anew. */
async function tellsItsSettings(page: Page): Promise<void> {
  await page.getByRole('link', { name: 'Equilibrium' }).click();
  // The page writes its address when it has time.
  const scheme = () => expect.poll(() => fromHash(new URL(page.url()).hash).runs[0].scheme);
  await scheme().toBe('mtls1');
  await expect.poll(() => new URL(page.url()).hash).toContain('seed=3');
  await page.locator('#scheme-A').selectOption('sum');
  await stands(page, 0);
  await scheme().toBe('sum');
  expect(fromHash(new URL(page.url()).hash).seed).toBe(3);
}

async function showsItsInside(page: Page): Promise<void> {
  await page.click('#inspect-A');
  await page.waitForSelector('.operations li', { timeout: 120_000 });
  expect(await page.locator('.operations li').count()).toBeGreaterThan(40);
  await page.getByRole('button', { name: /^bottleneck: 64 × 3 × 2, 55,680 parameters/ }).click();
  await expect.poll(() => page.locator('.detail').textContent()).toContain('Layer Conv5.4');
  // The list shows which one.
  const isShown = (one: Element) => {
    const [from, to] = [one.closest('ol')!, one].map((part) => part.getBoundingClientRect());
    return to.top >= from.top - 1 && to.bottom <= from.bottom + 1;
  };
  await expect.poll(() => page.locator('.operations [aria-pressed=true]').evaluate(isShown)).toBe(true);
  await page.click('#gradient-check');
  await expect.poll(() => page.locator('#gradient').textContent()).toMatch(/finite difference/);
  const said = await page.locator('#gradient').textContent();
  const [analytic, numeric] = [...said!.matchAll(/(?:pass|difference) (-?[\d.e-]+\d)/g)].map(([, value]) =>
    Number(value),
  );
  expect(Math.abs(analytic - numeric)).toBeLessThan(0.01 * Math.max(1, Math.abs(analytic)));
  await photograph(page, 'inside', '#inside');
}
