/**
 * Lets Node run the project's TypeScript as it stands: node --conditions=mtunet-source --import ./scripts/typescript.mjs file.ts
 *
 * Types are erased and nothing else, which is all that `erasableSyntaxOnly` allows; `npm run check` is what reads them.
 */
import { readFileSync } from 'node:fs';
import { register } from 'node:module';
import { fileURLToPath } from 'node:url';

export async function load(url, context, next) {
  if (!url.startsWith('file:') || !url.endsWith('.ts')) return next(url, context);
  const { default: typescript } = await import('typescript');
  const { outputText } = typescript.transpileModule(readFileSync(fileURLToPath(url), 'utf8'), {
    fileName: fileURLToPath(url),
    compilerOptions: { target: 'ES2022', module: 'ESNext', verbatimModuleSyntax: true, inlineSourceMap: true },
  });
  return { format: 'module', source: outputText, shortCircuit: true };
}

if (!url().includes('?hooks')) register(`${import.meta.url}?hooks`);

function url() {
  return import.meta.url;
}
