/** How long Firefox and Chromium take to bring a small result, with the browser's own waiting and with the engine's (platform/asking.ts). */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build, defaultClientConditions } from 'vite';
import { runInPage } from '../../test/implementations/page.ts';
import { browsers } from '../../test/implementations/places.ts';

interface Times {
  readonly min: number;
  readonly median: number;
  readonly max: number;
}

/** What waiting-page.ts answers. */
interface Outcome {
  readonly adapter: string;
  readonly browser: Times;
  readonly engine: Times;
}

export async function compareWaiting(): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'mtunet-waiting-'));
  try {
    await build({
      configFile: false,
      logLevel: 'error',
      publicDir: false,
      resolve: { conditions: ['mtunet-source', ...defaultClientConditions] },
      define: { 'process.env': '{}' },
      build: {
        outDir: folder,
        target: 'es2022',
        modulePreload: false,
        rollupOptions: {
          input: { entry: join(import.meta.dirname, 'waiting-page.ts') },
          preserveEntrySignatures: 'strict',
          output: { entryFileNames: '[name].js', format: 'es' },
        },
      },
    });
    const lines: string[] = [];
    for (const { implementation, ...found } of await browsers()) {
      if ('why' in found) lines.push(`${implementation}: not measured, ${found.why}`);
      else {
        const outcome = await runInPage<Outcome>(found.options, folder, () => {});
        const told = ({ min, median, max }: Times) => [min, median, max].map((ms) => ms.toFixed(1)).join(' - ');
        lines.push(
          `${implementation}, ${outcome.adapter}: a copy by mapAsync alone ${told(outcome.browser)} ms, a step of the engine ${told(outcome.engine)} ms`,
        );
      }
    }
    return lines;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
