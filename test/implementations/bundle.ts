/** Bundles the tests for places that cannot read the repository's TypeScript: pages, Deno, and Node as a witness of the bundle itself. */
import { join } from 'node:path';
import { build, defaultClientConditions, defaultServerConditions, type Plugin } from 'vite';

/** page: no `process`; runtime: Deno, with WebGPU of its own; node: Dawn by the package `webgpu`. */
export type Target = 'page' | 'runtime' | 'node';

const PROCESS = { 'process.env': '{}' };

/** package.json says that modules have no effects; those of test files are their tests. */
const effects: Plugin = {
  name: 'effects of tests',
  enforce: 'pre',
  transform: (code, id) => (id.startsWith(join(import.meta.dirname, '..')) ? { code, moduleSideEffects: true } : null),
};

/** Writes `folder`/entry.js, whose runTests() runs everything. */
export async function bundleTests(target: Target, folder: string): Promise<string> {
  const conditions = target === 'node' ? defaultServerConditions : defaultClientConditions;
  await build({
    configFile: false,
    logLevel: 'error',
    publicDir: false,
    resolve: {
      conditions: ['mtunet-source', ...conditions],
      alias: { vitest: join(import.meta.dirname, 'vitest.ts') },
    },
    ssr: { resolve: { conditions: ['mtunet-source', ...conditions] } },
    plugins: [effects],
    define: target === 'page' ? PROCESS : {},
    build: {
      outDir: folder,
      emptyOutDir: true,
      minify: false,
      target: 'es2022',
      modulePreload: false,
      ssr: target === 'node',
      rollupOptions: {
        input: { entry: join(import.meta.dirname, 'entry.ts') },
        preserveEntrySignatures: 'strict',
        // A runtime has Node's modules; in a page nothing asks for them.
        external: [/^node:/],
        output: { entryFileNames: '[name].js', format: 'es' },
      },
    },
  });
  return join(folder, 'entry.js');
}
