/** The tests in a page of a browser without a window, which is driven by WebDriver BiDi (Firefox) or its own protocol (Chromium). */
import { readFileSync, writeFileSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize, resolve, sep } from 'node:path';
import { type LaunchOptions, launch } from 'puppeteer-core';
import type { Outcome } from './entry.ts';

const PAGE = `<!doctype html><meta charset="utf-8"><title>tests</title><script type="module" src="main.js"></script>`;
const PROGRAM = `
import { runTests } from './entry.js';
globalThis.said = [];
runTests((line) => said.push(line)).then(
  (outcome) => { globalThis.ended = { outcome }; },
  (problem) => { globalThis.ended = { problem: String(problem.message ?? problem) }; },
);
`;
const POLL_MS = 500;

interface Ended<Result> {
  said?: string[];
  ended?: { outcome?: Result; problem?: string };
}

/** What the page's `runTests` answers. */
export async function runInPage<Result = Outcome>(
  options: LaunchOptions,
  folder: string,
  tell: (line: string) => void,
): Promise<Result> {
  writeFileSync(join(folder, 'index.html'), PAGE);
  writeFileSync(join(folder, 'main.js'), PROGRAM);
  const server = createServer(async ({ url = '/' }, response) => {
    const path = decodeURIComponent(new URL(url, 'http://localhost').pathname);
    try {
      const [body, type] = await answer(folder, path);
      response.writeHead(200, { 'content-type': type }).end(body);
    } catch (problem) {
      response.writeHead(404).end((problem as Error).message);
    }
  });
  await new Promise<void>((done) => server.listen(0, 'localhost', done));
  const browser = await launch({ headless: true, protocolTimeout: 0, ...options });
  try {
    const page = await browser.newPage();
    const problems: string[] = [];
    page.on('pageerror', (problem) => problems.push(String((problem as Error).message ?? problem)));
    await page.goto(`http://localhost:${(server.address() as AddressInfo).port}/index.html`);
    for (;;) {
      const { said, ended } = await page.evaluate(() => {
        const tests = globalThis as Ended<Result>;
        return { said: tests.said?.splice(0) ?? null, ended: tests.ended };
      });
      for (const line of said ?? []) tell(line);
      if (ended?.outcome) return ended.outcome;
      if (ended || (said === null && problems.length > 0)) throw new Error(ended?.problem ?? problems[0]);
      await new Promise((done) => setTimeout(done, POLL_MS));
    }
  } finally {
    await browser.close();
    server.close();
    server.closeAllConnections();
  }
}

const TYPES: Record<string, string> = { '.html': 'text/html', '.js': 'text/javascript' };

/** The bundle, and the recorded values as test/support/browser-files.ts asks for them. */
async function answer(folder: string, path: string): Promise<[body: string | Uint8Array, type: string]> {
  const [, verb, wanted] = /^\/golden\/(files|names)\/(.*)$/.exec(path) ?? [];
  const root = resolve(verb ? process.env.GOLDEN || 'test/golden' : folder);
  const file = normalize(join(root, verb ? wanted : path));
  if (file !== root && !file.startsWith(root + sep)) throw new Error(`${path} is outside the tests`);
  if (verb === 'names') {
    const entries = await readdir(file, { withFileTypes: true });
    const names = entries.filter((entry) => entry.isFile()).map(({ name }) => name);
    return [JSON.stringify(names.sort()), 'application/json'];
  }
  if (verb) return [await readFile(file), 'application/octet-stream'];
  return [readFileSync(file), TYPES[extname(file)] ?? 'application/octet-stream'];
}
