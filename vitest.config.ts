/** Tests: every file in Node, and every file but *.node.test.ts in a headless Chromium. */
import { playwright } from '@vitest/browser-playwright';
import { defaultClientConditions, defaultServerConditions } from 'vite';
import { defineConfig, type TestProjectConfiguration } from 'vitest/config';
import { type Chromium, findChromium } from './src/platform/chromium.ts';
import { serveGolden } from './test/support/browser-server.ts';

/** Makes `#gpu-host` lead to src/platform/*.ts instead of dist/. */
const SOURCE = 'mtunet-source';

/** A second, the usual patience of a poll, is too short for what waits for a core. */
const patience = { testTimeout: 900_000, hookTimeout: 300_000, expect: { poll: { timeout: 60_000 } } };

const inNode: TestProjectConfiguration = {
  resolve: { conditions: [SOURCE, ...defaultServerConditions] },
  ssr: { resolve: { conditions: [SOURCE, ...defaultServerConditions] } },
  test: {
    name: 'node',
    include: ['test/**/*.test.ts'],
    // Worker threads do not see the environment that the Vulkan loader reads.
    pool: 'forks',
    // Each with one core: threads of several software adapters on the same cores wait for one another.
    maxWorkers: 2,
    env: { MTUNET_THREADS: '1' },
    sequence: { groupOrder: 0 },
    ...patience,
  },
};

const inBrowser = ({ executablePath, env, args }: Chromium): TestProjectConfiguration => ({
  resolve: { conditions: [SOURCE, ...defaultClientConditions] },
  // Found only while a test runs, they would make Vite reload the page under it.
  optimizeDeps: {
    include: [
      '@cornerstonejs/codec-openjpeg/decode',
      'csv-parse/browser/esm/sync',
      'fast-check',
      'fast-png',
      'jpeg-js',
    ],
  },
  plugins: [serveGolden(process.env.GOLDEN || 'test/golden')],
  test: {
    name: 'browser',
    include: ['test/**/*.test.ts'],
    exclude: ['test/**/*.node.test.ts'],
    fileParallelism: false,
    // One page for all files, whose device compiles each kernel once.
    isolate: false,
    sequence: { groupOrder: 1 },
    ...patience,
    browser: {
      enabled: true,
      headless: true,
      screenshotFailures: false,
      provider: playwright({ launchOptions: { executablePath, env, args: [...args] } }),
      instances: [{ browser: 'chromium' }],
    },
  },
});

const chromium = await findChromium().catch((problem: Error) => {
  if (process.env.CHROMIUM_PATH) throw problem;
  console.warn(`The tests will not run in a browser. ${problem.message}`);
  return null;
});

// CI reads its closing count from the runner's own report.
const reports = process.env.CI ? ['default', 'json'] : ['default'];

export default defineConfig({
  test: {
    reporters: reports,
    outputFile: { json: 'coverage/tests.json' },
    projects: [inNode, ...(chromium ? [inBrowser(chromium)] : [])],
  },
});
