/** Which Chromium is found, and how it is started. */
import { chromium } from 'playwright';
import { afterEach, expect, test, vi } from 'vitest';
import { findChromium } from '../../src/platform/chromium.ts';

afterEach(() => vi.unstubAllEnvs());

test('CHROMIUM_PATH is taken at its word', async () => {
  vi.stubEnv('CHROMIUM_PATH', process.execPath);
  expect(await findChromium()).toMatchObject({ executablePath: process.execPath, source: 'CHROMIUM_PATH' });
  vi.stubEnv('CHROMIUM_PATH', '/nonexistent/chromium');
  await expect(findChromium()).rejects.toThrow('CHROMIUM_PATH names /nonexistent/chromium, which does not exist');
});

test('the choice of Vulkan drivers for Node does not reach the browser', async () => {
  vi.stubEnv('CHROMIUM_PATH', process.execPath);
  vi.stubEnv('VK_DRIVER_FILES', '/some/driver.json');
  expect(Object.keys((await findChromium()).env)).not.toContain('VK_DRIVER_FILES');
});

test('without webgpu nothing switches an adapter on', async () => {
  vi.stubEnv('CHROMIUM_PATH', process.execPath);
  expect((await findChromium()).args).toContain('--enable-unsafe-webgpu');
  expect((await findChromium({ webgpu: false })).args.filter((arg) => /webgpu|vulkan/i.test(arg))).toEqual([]);
});

test.runIf(process.platform === 'linux' && process.arch === 'x64')(
  'the embedded one brings its libraries and draws letters with its fonts',
  async () => {
    vi.stubEnv('CHROMIUM_PATH', 'embedded');
    const { executablePath, env, args, source } = await findChromium({ webgpu: false });
    expect(source).toContain('@sparticuz/chromium');
    expect(env.LD_LIBRARY_PATH).toContain('al2023');
    const browser = await chromium.launch({ executablePath, env, args: [...args] });
    try {
      const page = await browser.newPage();
      await page.setContent('<h1 style="text-wrap: balance"><span>MT-UNet</span> under three schemes</h1>');
      expect(await page.locator('span').evaluate((span) => span.getBoundingClientRect().width)).toBeGreaterThan(50);
    } finally {
      await browser.close();
    }
  },
);
