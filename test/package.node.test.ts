/**
 * The package as users get it: packed, laid beside its dependencies in an empty project, and used from there. The code examples of README.md
 * and docs/guides are type-checked, run in Node and bundled for a browser.
 */
import { execFileSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { build } from 'vite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { builtProgram } from './support/program.ts';

const project = mkdtempSync(join(tmpdir(), 'mtunet-package-'));
const home = resolve('.');
const run = (command: string, args: readonly string[], cwd = project) =>
  execFileSync(command, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });

/** Complete programs in Markdown: blocks of ```ts that import the package. */
function examplesOf(path: string) {
  return [...readFileSync(path, 'utf8').matchAll(/^```ts\n([\s\S]*?)^```$/gm)]
    .map(([, code]) => code)
    .filter((code) => /from 'mtunet(\/engine)?'/.test(code))
    .map((code, i) => ({ name: `${basename(path, '.md').toLowerCase()}-${i + 1}`, code }));
}

const guides = readdirSync('docs/guides').filter((name) => name.endsWith('.md'));
const examples = ['README.md', ...guides.map((name) => `docs/guides/${name}`)].flatMap(examplesOf);
let packed: { readonly files: readonly { readonly path: string; readonly size: number }[]; readonly size: number };

beforeAll(async () => {
  await builtProgram();
  [packed] = JSON.parse(
    run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', project], home).replace(/^[^[]*/, ''),
  );
  const [tarball] = readdirSync(project).filter((name) => name.endsWith('.tgz'));
  run('tar', ['-xzf', tarball]);
  // The dependencies are those that are installed here, so that the test needs no network.
  const modules = join(project, 'node_modules');
  mkdirSync(modules);
  for (const name of readdirSync('node_modules')) {
    if (!name.startsWith('.')) symlinkSync(join(home, 'node_modules', name), join(modules, name));
  }
  rmSync(join(modules, 'mtunet'), { force: true });
  run('mv', ['package', join(modules, 'mtunet')]);
  writeFileSync(join(project, 'package.json'), JSON.stringify({ name: 'reader', type: 'module', private: true }));
  for (const { name, code } of examples) writeFileSync(join(project, `${name}.ts`), code);
});

afterAll(() => rmSync(project, { recursive: true, force: true }));

it('holds the program and nothing of the tests', () => {
  const paths = packed.files.map(({ path }) => path);
  for (const path of [
    'dist/index.js',
    'dist/index.d.ts',
    'dist/engine/index.js',
    'dist/cli/main.js',
    'README.md',
    'LICENSE',
  ])
    expect(paths).toContain(path);
  expect(paths.filter((path) => /test|golden|\.tsbuildinfo/.test(path))).toEqual([]);
  expect(packed.size).toBeLessThan(2_000_000);
});

it('brings a command line that knows its version', () => {
  const main = join(project, 'node_modules/mtunet/dist/cli/main.js');
  expect(run(process.execPath, [main, '--version']).trim()).toBe(
    JSON.parse(readFileSync('package.json', 'utf8')).version,
  );
  expect(statSync(main).size).toBeGreaterThan(0);
});

describe('examples', () => {
  it('are found', () => expect(examples.length).toBeGreaterThan(1));

  it('type-check against the published types', () => {
    const options = ['--noEmit', '--strict', '--skipLibCheck', '--target', 'es2022', '--module', 'nodenext'];
    const types = ['--lib', 'es2023,esnext.disposable,dom', '--types', 'node,@webgpu/types'];
    const files = examples.map(({ name }) => `${name}.ts`);
    expect(run(process.execPath, [join(home, 'node_modules/typescript/bin/tsc'), ...options, ...types, ...files])).toBe(
      '',
    );
  });

  it.each(examples.map(({ name }) => name))('%s runs in Node', async (name) => {
    await bundle(name, 'node');
    const printed = run(process.execPath, [join(project, 'node', `${name}.js`)]);
    expect(printed).toMatch(/\d/);
    expect(printed).not.toMatch(/NaN|undefined/);
  });

  it('is bundled for a browser without a trace of Node', async () => {
    const code = await bundle(examples[0].name, 'browser');
    expect(code.length).toBeGreaterThan(10_000);
    expect(code).not.toMatch(/from\s*["']node:|require\(["']node:|@sparticuz/);
  });

  it('leaves out what is not used', async () => {
    writeFileSync(join(project, 'shape.ts'), "import { metrics } from 'mtunet';\nconsole.log(metrics.kld);\n");
    expect((await bundle('shape', 'browser')).length).toBeLessThan(40_000);
  });
});

/** Vite's bundle of an example: for Node with the packages left outside, for a browser with everything inside. */
async function bundle(name: string, target: 'node' | 'browser'): Promise<string> {
  const result = await build({
    root: project,
    configFile: false,
    logLevel: 'error',
    ...(target === 'node' && { ssr: { noExternal: [] } }),
    build: {
      ...(target === 'node' && { ssr: `${name}.ts` }),
      target: 'es2022',
      minify: target === 'browser',
      outDir: target,
      emptyOutDir: false,
      rolldownOptions: { input: join(project, `${name}.ts`), output: { entryFileNames: '[name].js' } },
    },
  });
  const outputs = (Array.isArray(result) ? result : [result]).flatMap((each) => ('output' in each ? each.output : []));
  return outputs.map((each) => (each.type === 'chunk' ? each.code : '')).join('\n');
}
