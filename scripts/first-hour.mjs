/**
 * Walks a newcomer's first hour and prints how long each stretch took: a fresh clone with empty caches, the first result,
 * a film of one's own, every test, and a new activation function with its test, from the guide's own diff.
 *
 * node scripts/first-hour.mjs [folder]: works in a new folder below this one (default: the system's folder for temporary files).
 */
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const place = mkdtempSync(join(resolve(process.argv[2] ?? tmpdir()), 'mtunet-first-hour-'));
const clone = join(place, 'mtunet');
const env = {
  ...process.env,
  npm_config_cache: join(place, 'npm'),
  MTUNET_CACHE: join(place, 'cache'),
};
delete env.CI;

/** Runs a line of the README in the clone; resolves to seconds. */
function run(line, cwd = clone) {
  process.stderr.write(`$ ${line}\n`);
  const began = performance.now();
  return new Promise((done, failed) => {
    const child = spawn(line, { shell: true, cwd, env, stdio: ['ignore', 2, 2] });
    child.once('error', failed);
    child.once('exit', (code) => {
      if (code === 0) done((performance.now() - began) / 1000);
      else failed(new Error(`"${line}" ended with code ${code}; the folder is ${place}.`));
    });
  });
}

const spent = (seconds) =>
  seconds < 100
    ? `${seconds.toFixed(0)} s`
    : `${Math.floor(seconds / 60)} min ${String(Math.round(seconds % 60)).padStart(2, '0')} s`;

let total = 0;
const rows = [];
async function stretch(what, ...lines) {
  let seconds = 0;
  for (const line of lines) seconds += await (typeof line === 'string' ? run(line) : line());
  total += seconds;
  rows.push(`| ${what} | ${spent(seconds)} | ${spent(total)} |`);
}

/** The change that the guide shows, as a reader would type it. */
async function applyGuide() {
  const [, diff] = /^```diff\n([\s\S]*?)^```$/m.exec(readFileSync(join(clone, 'docs/guides/adding-an-op.md'), 'utf8'));
  execFileSync('git', ['apply', '-'], { cwd: clone, input: diff });
  return 0;
}

/** The film is invented, but a DICOM file of a scanner's size, as a reader would bring it. */
async function predictFilm() {
  const [film] = readdirSync(join(place, 'invented'), { recursive: true }).filter((name) => name.endsWith('.dcm'));
  return run(`npx mtunet predict runs/reproduce/mtls3-seed1 ${join(place, 'invented', film)} --out runs/mine`);
}

try {
  await run(`git clone -q ${resolve('.')} mtunet`, place);
  await stretch('`npm ci`, nothing cached', 'npm ci');
  await stretch('the first result: `npm run reproduce`', 'npm run reproduce');
  await run(`npx mtunet data example --films 3 --out ${join(place, 'invented')}`);
  await stretch('a film of one’s own: `npx mtunet predict`', predictFilm);
  await stretch('every test: `npm test`', 'npm test');
  await stretch(
    'a new activation function: the diff of [adding an operation](adding-an-op.md), format, types, lint, its test',
    applyGuide,
    'npx biome check --write && npm run check',
    'npx vitest run --project node test/engine/ops/elementwise.test.ts',
  );
  console.log(['| stretch | takes | since `npm ci` |', '| --- | ---: | ---: |', ...rows].join('\n'));
  rmSync(place, { recursive: true });
} catch (problem) {
  console.error(rows.join('\n'));
  throw problem;
}
