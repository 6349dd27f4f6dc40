/** Gives the built folder a service worker that keeps all of it. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, sep } from 'node:path';
import type { Plugin } from 'vite';

export const offline: Plugin = {
  name: 'offline',
  config: (_, { command }) => ({ define: { 'import.meta.env.OFFLINE': command === 'build' } }),
  writeBundle({ dir = '' }) {
    const files = readdirSync(dir, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => join(parentPath, name).slice(dir.length + 1))
      .map((path) => path.split(sep).join('/'))
      .filter((path) => path !== 'sw.js')
      .sort();
    const version = createHash('sha256');
    // Not all names change with the contents.
    for (const file of files) version.update(`${file}\n`).update(readFileSync(join(dir, file)));
    const kept = files.map((file) => (file === 'index.html' ? './' : file));
    const worker = readFileSync(join(import.meta.dirname, 'sw.js'));
    version.update(worker);
    const head = `const FILES = ${JSON.stringify(kept)};\nconst VERSION = '${version.digest('hex').slice(0, 16)}';\n`;
    writeFileSync(join(dir, 'sw.js'), head + worker);
  },
};
