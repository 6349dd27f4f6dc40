/** The app as `npm run build:app` makes it, served from a path of its own. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { build } from 'vite';
import { afterAll, beforeAll } from 'vitest';

const TYPES: Record<string, string> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
  '.webmanifest': 'application/manifest+json',
};

export interface BuiltApp extends Disposable {
  readonly folder: string;
}

/** In a temporary folder; `publicDir` stands in for src/app/public. */
export async function buildApp({ publicDir }: { readonly publicDir?: string } = {}): Promise<BuiltApp> {
  const folder = mkdtempSync(join(tmpdir(), 'mtunet-app-'));
  const { NODE_ENV } = process.env;
  // The test runner's would make another build.
  process.env.NODE_ENV = 'production';
  try {
    const outDir = { outDir: folder, emptyOutDir: true };
    await build({ configFile: 'src/app/vite.config.ts', logLevel: 'error', publicDir, build: outDir });
  } finally {
    process.env.NODE_ENV = NODE_ENV;
  }
  return { folder, [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }) };
}

export interface Served {
  readonly address: string;
  /** Every path that was asked for. */
  readonly asked: readonly string[];
  /** Cuts open connections too. */
  stop(): Promise<void>;
}

/** Serves what `folder` names at the time of each request. */
export async function serve(folder: () => string, port = 0): Promise<Served> {
  const asked: string[] = [];
  const server = createServer(({ url = '/' }, response) => {
    asked.push(url);
    const path = new URL(url, 'http://localhost').pathname.replace(/^\/some\/where\//, '') || 'index.html';
    try {
      const contents = readFileSync(join(folder(), path));
      // As static hosts do it: what was fetched may be kept for a while.
      const headers = {
        'content-type': TYPES[extname(path)] ?? 'application/octet-stream',
        'cache-control': 'max-age=600',
      };
      response.writeHead(200, headers).end(contents);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise<void>((resolve) => server.listen(port, 'localhost', resolve));
  const stop = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return { address: `http://localhost:${(server.address() as AddressInfo).port}/some/where/`, asked, stop };
}

/** The built app for all tests of a file, and the server that it comes from. */
export function servedApp(): () => Served {
  let built: BuiltApp;
  let served: Served;
  beforeAll(async () => {
    built = await buildApp();
    served = await serve(() => built.folder);
  });
  afterAll(async () => {
    await served.stop();
    built[Symbol.dispose]();
  });
  return () => served;
}
