/** Where there is no WebGPU the page says so; a recorded run, the explorer and the prose remain, also on a phone and at 200 % zoom. */
import { expect, it } from 'vitest';
import { servedApp } from '../support/app-build.ts';
import { leaveControls, onPage, photograph, stands, violations, widthOf } from '../support/app-page.ts';

const app = servedApp();

it('plays a recorded run and explains the equilibrium on 360 pixels', async () => {
  await onPage({ address: app().address, webgpu: false, width: 360 }, async (page, told) => {
    await page.goto(app().address);
    await page.waitForSelector('.failure');
    await page.waitForSelector('.badge.soft');
    expect(['no-webgpu', 'no-adapter']).toContain(await page.locator('.failure').getAttribute('data-failure'));
    expect(app().asked.some((url) => url.endsWith('recorded.json'))).toBe(true);
    await page.locator('#timeline').fill('30');
    // The page is drawn in turns, so what it shows follows its control.
    await stands(page, 30);
    // Keys move the recorded run; what would train is out of reach.
    await leaveControls(page);
    await page.keyboard.press('ArrowRight');
    await stands(page, 31);
    await page.keyboard.press(' ');
    await expect.poll(() => told.step).toBeGreaterThan(32);
    await page.keyboard.press('r');
    await stands(page, 0);
    expect(await page.locator('.run select:enabled, .run input:enabled').count()).toBe(0);
    await page.locator('#explorer-loss').fill('0.5');
    const before = await page.locator('#explorer-finding').textContent();
    await page.locator('#explorer-loss').fill('0.9');
    await expect.poll(() => page.locator('#explorer-finding').textContent()).not.toBe(before);
    expect(await widthOf(page)).toBeLessThanOrEqual(360);
    expect(await violations(page)).toEqual([]);
    await photograph(page, 'phone');
    await page.emulateMedia({ colorScheme: 'dark' });
    expect(await violations(page)).toEqual([]);
    await photograph(page, 'dark');
    await page.emulateMedia({ colorScheme: 'light' });
    // 200 % zoom of a 1280 px window.
    await page.setViewportSize({ width: 640, height: 450 });
    expect(await widthOf(page)).toBeLessThanOrEqual(640);
    await photograph(page, 'zoom');
  });
});
