/** The documentation site: guides, API, shaders; static, with search, from the file system too. Equations become MathML, which needs no font. */
import katex from '@vscode/markdown-it-katex';

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
  validation: { invalidLink: true, notExported: false },
  treatWarningsAsErrors: true,
};
