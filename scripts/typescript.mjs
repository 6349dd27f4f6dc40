/**
 * Lets Node run the project's TypeScript as it stands: node --conditions=mtunet-source --import ./scripts/typescript.mjs file.ts
 *
 * Types are erased and nothing else, which is all that `erasableSyntaxOnly` allows; `npm run check` is what reads them.
 */
import { readFileSync } from 'node:fs';
import { register } from 'node:module';
import { fileURLToPath } from 'node:url';
import typescript from 'typescript';

const compilerOptions = {
  target: typescript.ScriptTarget.ES2022,
  module: typescript.ModuleKind.ESNext,
  verbatimModuleSyntax: true,
  inlineSourceMap: true,
};

export async function load(url, context, next) {
  if (!url.startsWith('file:') || !url.endsWith('.ts')) return next(url, context);
  const path = fileURLToPath(url);
  const { outputText } = typescript.transpileModule(readFileSync(path, 'utf8'), { fileName: path, compilerOptions });
  return { format: 'module', source: outputText, shortCircuit: true };
}

const self = import.meta.url;
if (!self.endsWith('?hooks')) register(`${self}?hooks`);
