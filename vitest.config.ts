/** Tests: every file in Node, and every file but *.node.test.ts in a headless Chromium. */
import { defaultServerConditions } from 'vite';
import { defineConfig } from 'vitest/config';

/** Makes `#gpu-host` lead to src/platform/*.ts instead of dist/. */
const SOURCE = 'mtunet-source';

export default defineConfig({
  test: {
    projects: [
      {
        ssr: { resolve: { conditions: [SOURCE, ...defaultServerConditions] } },
        resolve: { conditions: [SOURCE, ...defaultServerConditions] },
        test: {
          name: 'node',
          include: ['test/**/*.test.ts'],
          // Worker threads do not see the environment that the Vulkan loader reads.
          pool: 'forks',
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
