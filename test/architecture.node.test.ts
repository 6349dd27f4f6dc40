/** Keeps the arrows of docs/architecture.md true by reading import lines. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { expect, it } from 'vitest';

/** What each part may import from the others; `types` of a part are free of its code. */
const ARROWS: Record<string, { readonly values: readonly string[]; readonly types?: readonly string[] }> = {
  'src/shaders': { values: [] },
  'src/data': { values: [] },
  'src/mtunet/metrics': { values: [] },
  'src/portable': { values: [] },
  'src/platform': { values: ['src/portable'] },
  'src/engine/shape': { values: [] },
  'src/engine': { values: ['src/shaders'] },
  'src/reference': { values: ['src/engine/random'] },
  'src/mtunet': { values: ['src/engine', 'src/mtunet/metrics', 'src/data'] },
  'src/mtunet/gradcheck': { values: ['src/mtunet', 'src/engine', 'src/reference'] },
  'src/doctor': { values: ['src/mtunet', 'src/mtunet/gradcheck', 'src/engine', 'src/reference', 'src/data'] },
  'src/report': { values: ['src/data', 'src/mtunet/metrics'], types: ['src/mtunet'] },
  'src/cli': { values: ['src/doctor', 'src/report', 'src/mtunet', 'src/engine', 'src/data', 'src/platform'] },
  'src/app': { values: ['src/doctor', 'src/report', 'src/mtunet', 'src/engine', 'src/data', 'src/platform'] },
  'src/index': { values: ['src/mtunet', 'src/mtunet/metrics', 'src/engine', 'src/data'] },
  experiments: {
    values: ['src/doctor', 'src/report', 'src/mtunet', 'src/engine', 'src/data', 'src/platform', 'src/cli'],
  },
};
/** Inside the engine, code is imported from the left of this list only; a name ends at a dot or is a folder. */
const ENGINE = [
  ['shape', 'random', 'normal', 'faults', 'choices'],
  ['memory', 'kernel', 'layout', 'results'],
  ['gpu'],
  ['tensor', 'dry', 'recording'],
  ['autograd', 'carry'],
  ['ops'],
  ['layers', 'optimizers'],
];

const PLACES = /^src\/(platform|cli|app)\//;
const HOST =
  /(?<![.\w])(window|document|navigator)\s*[.[]|typeof (window|document|navigator)\b|globalThis\.(window|document|navigator)/;

const files = ['src', 'experiments'].filter(existsSync).flatMap((root) =>
  readdirSync(root, { recursive: true, encoding: 'utf8' })
    .map((name) => join(root, name))
    .filter((path) => /\.tsx?$/.test(path) && path !== 'src/shaders/sources.ts')
    .map((path) => ({ path, code: readFileSync(path, 'utf8') })),
);

const imports = files.flatMap(({ path, code }) =>
  [...code.matchAll(/^(?:import|export)\s(type\s)?([^;'"]*?)(?:from\s)?'([^']+)'/gm)].map(
    ([, type, names, target]) => ({
      from: path,
      to: target.startsWith('.') ? relative('.', join(dirname(path), target)) : target,
      isType: Boolean(type) || /^\{\s*(type \w+( as \w+)?,?\s*)+\}/.test(names.trim()),
    }),
  ),
);

/** The most particular part that a path lies in. */
const partOf = (path: string) =>
  Object.keys(ARROWS)
    .filter((part) => path.startsWith(`${part}/`) || path.startsWith(`${part}.`))
    .sort((a, b) => b.length - a.length)[0];

const told = (list: typeof imports) => list.map(({ from, to }) => `${from} -> ${to}`);

it('imports run along the arrows', () => {
  expect(imports.length).toBeGreaterThan(100);
  const astray = imports.filter(({ from, to, isType }) => {
    const [here, there] = [partOf(from), partOf(to)];
    if (!there || here === there || (here === 'src/engine' && there === 'src/engine/shape')) return false;
    const { values, types = [] } = ARROWS[here] ?? { values: [] };
    return ![...values, ...(isType ? types : [])].some((part) =>
      [there, to].some((path) => path === part || path.startsWith(`${part}/`) || path === `${part}.ts`),
    );
  });
  expect(told(astray)).toEqual([]);
});

it('inside the engine, too', () => {
  const rank = (path: string) => {
    const [, name] = /^src\/engine\/(\w+)/.exec(path) ?? [];
    return ENGINE.findIndex((names) => names.includes(name));
  };
  const astray = imports.filter(({ from, to, isType }) => !isType && rank(from) >= 0 && rank(to) > rank(from));
  expect(told(astray)).toEqual([]);
});

it('only platform/, cli/ and app/ know where they run', () => {
  const elsewhere = files.filter(({ path }) => path.startsWith('src/') && !PLACES.test(path));
  const withoutComments = (code: string) => code.replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '');
  const knowing = elsewhere.filter(
    ({ code }) => HOST.test(withoutComments(code)) || /['"]node:/.test(withoutComments(code)),
  );
  expect(knowing.map(({ path }) => path)).toEqual([]);
});

it('relative imports end in .ts, and no file is longer than 400 lines', () => {
  expect(told(imports.filter(({ to }) => /^(src|experiments)\//.test(to) && !/\.(tsx?|json)$/.test(to)))).toEqual([]);
  const long = files.filter(({ code }) => code.split('\n').length > 401);
  expect(long.map(({ path, code }) => `${path}: ${code.split('\n').length}`)).toEqual([]);
});

it('nothing is timed by the clock on the wall, which may jump', () => {
  // What remains says when something happened, or how old a file is.
  const dated = files.filter(({ path, code }) => path.startsWith('src/') && /\bDate\.now\b|\bnew Date\(\)/.test(code));
  expect(dated.map(({ path }) => path).sort()).toEqual([
    'src/cli/experiment-report.ts',
    'src/cli/report-files.ts',
    'src/cli/retrain.ts',
    'src/cli/run-lock.ts',
    'src/cli/sweep/worker.ts',
    'src/cli/tracking/mlflow.ts',
    'src/cli/tracking/tensorboard.ts',
    'src/cli/train-run.ts',
    'src/platform/unpack.ts',
  ]);
});
