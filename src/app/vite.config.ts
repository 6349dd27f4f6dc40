/** The app: one static folder that works from any path, offline, and asks no one else for anything. */
import { readFileSync } from 'node:fs';
import katex from 'katex';
import { defaultClientConditions, defineConfig, type Plugin } from 'vite';
import { cividisLike, jet, viridisLike } from '../data/colour-map.ts';
import { EQUATIONS } from './equations.ts';
import { offline } from './offline.ts';

const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' blob: data:",
  "worker-src 'self'",
  "connect-src 'self'",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
].join('; ');

/** `virtual:mathml`: every equation as MathML, so that pages carry neither KaTeX nor its fonts. */
const mathml: Plugin = {
  name: 'equations',
  resolveId: (id) => (id === 'virtual:mathml' ? '\0mathml' : null),
  load(id) {
    if (id !== '\0mathml') return null;
    const rendered = Object.entries(EQUATIONS).map(([name, tex]) => [
      name,
      katex
        .renderToString(tex, { output: 'mathml', displayMode: true, throwOnError: true })
        // Names of functions stand upright.
        .replace(/<mi>(?=\w{2,}<)/g, '<mi class="upright">'),
    ]);
    return `export default ${JSON.stringify(Object.fromEntries(rendered))}`;
  },
};

/** `import.meta.env.COLOURS`: to compute them takes the page 14 ms, which are better spent here. */
const colours: Plugin = {
  name: 'colours',
  config: () => {
    const packed = Object.entries({ viridis: viridisLike, cividis: cividisLike, jet }).map(([name, map]) => [
      name,
      Buffer.from(map).toString('base64'),
    ]);
    return { define: { 'import.meta.env.COLOURS': JSON.stringify(Object.fromEntries(packed)) } };
  },
};

/** `import.meta.env.VERSION`: of the program, for the report of a check. */
const version: Plugin = {
  name: 'version',
  config: () => {
    const packaged = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
    return { define: { 'import.meta.env.VERSION': JSON.stringify(packaged.version) } };
  },
};

/** Development injects styles and scripts of its own, so the policy holds for the built folder. */
const policy: Plugin = {
  name: 'policy',
  apply: 'build',
  transformIndexHtml: () => [
    { tag: 'meta', attrs: { 'http-equiv': 'Content-Security-Policy', content: POLICY }, injectTo: 'head-prepend' },
  ],
};

export default defineConfig({
  root: import.meta.dirname,
  // Relative addresses.
  base: '',
  resolve: { conditions: ['mtunet-source', ...defaultClientConditions] },
  plugins: [mathml, colours, version, policy, offline],
  worker: { format: 'es' },
  build: { outDir: '../../dist-app', emptyOutDir: true, target: 'es2022', modulePreload: { polyfill: false } },
});
