/** The documentation site: guides, API, shaders; static, with search, from the file system too. Equations become MathML, which needs no font. */
import { spawnSync } from 'node:child_process';
import katex from '@vscode/markdown-it-katex';

// Links to the source need a remote; a copy without one has documentation all the same.
const hasRemote = spawnSync('git', ['remote', 'get-url', 'origin']).status === 0;

/** @type {import('typedoc').TypeDocOptions} */
export default {
  entryPoints: ['src/index.ts', 'src/engine/index.ts'],
  out: 'docs/site',
  name: 'mtunet',
  readme: 'README.md',
  tsconfig: 'tsconfig.json',
  excludePrivate: true,
  projectDocuments: ['docs/*.md', 'docs/guides/*.md', 'docs/decisions/*.md', 'docs/shaders/*.md'],
  plugin: ['./scripts/typedoc-titles.mjs'],
  markdownItLoader: (parser) => parser.use(katex.default ?? katex, { output: 'mathml' }),
  highlightLanguages: ['typescript', 'javascript', 'json', 'yaml', 'bash', 'diff', 'wgsl', 'text'],
  navigation: { includeGroups: true },
  disableSources: !hasRemote,
  validation: { invalidLink: true, notExported: false },
  treatWarningsAsErrors: true,
};
