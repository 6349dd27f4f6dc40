// One archive that runs on a Linux host without network, npm or Node: this machine's Node, the program, the packages that it runs on, Dawn for this
// platform, and SwiftShader with a Vulkan loader. A GPU needs its own Vulkan driver on the host.
//
//     npm run bundle                      dist-bundle/mtunet-<version>-linux-<cpu>.tar.xz
//     node scripts/bundle.mjs --folder X  the folder alone, not packed
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

const LIMIT = 60e6;
/** Shell for: the folder of this script, also where the host has no dirname. */
const WHERE = `here=$(cd "\${0%/*}" && pwd)`;
const platform = `${process.platform}-${process.arch}`;
if (process.platform !== 'linux') {
  console.error(
    `bundle: makes archives on Linux for Linux, and this is ${process.platform}; run it on the kind of machine that will unpack it.`,
  );
  process.exit(2);
}
const { version } = JSON.parse(readFileSync('package.json', 'utf8'));
const name = `mtunet-${version}-${platform}`;
const at = process.argv.indexOf('--folder');
const folder = at < 0 ? resolve('dist-bundle', name) : resolve(process.argv[at + 1]);

/** What of a package is not needed where nothing is built and no browser starts; by the package's name. */
const LEFT_OUT = {
  webgpu: (path) =>
    /^dist\/(?!linux)/.test(path) || (/^dist\/linux-/.test(path) && !path.startsWith(`dist/${platform}`)),
  '@sparticuz/chromium': (path) => /^bin\/(?!swiftshader)/.test(path),
};

rmSync(folder, { recursive: true, force: true });
mkdirSync(join(folder, 'bin'), { recursive: true });
cpSync(process.execPath, join(folder, 'bin', 'node'), { dereference: true });
for (const part of ['dist', 'package.json', 'LICENSE', 'README.md'])
  cpSync(part, join(folder, part), { recursive: true });
const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8'));
for (const [path, { dev, devOptional, optional }] of Object.entries(packages)) {
  if (!path || dev || devOptional || (optional && !existsSync(path))) continue;
  const leftOut = LEFT_OUT[path.replace(/^.*node_modules\//, '')] ?? (() => false);
  cpSync(path, join(folder, path), {
    recursive: true,
    // A package inside a package has a line of its own in the lockfile.
    filter: (file) => {
      const inside = file.slice(path.length + 1);
      return (
        !/^node_modules(\/|$)/.test(inside) && !leftOut(inside) && !/\.(map|d\.[cm]?ts|md|markdown)$/i.test(inside)
      );
    },
  });
}
writeFileSync(
  join(folder, 'mtunet'),
  [
    '#!/bin/sh',
    '# The program with the Node beside it.',
    WHERE,
    'exec "$here/bin/node" "$here/dist/cli/main.js" "$@"',
    '',
  ].join('\n'),
  { mode: 0o755 },
);

if (at < 0) {
  const archive = `${name}.tar.xz`;
  const options = { cwd: dirname(folder), env: { ...process.env, XZ_OPT: '-6 -T0' }, stdio: 'inherit' };
  try {
    execFileSync('tar', ['--owner=0', '--group=0', '--sort=name', '--mtime=@0', '-cJf', archive, name], options);
  } catch {
    console.error('bundle: tar could not pack with xz; install xz (Debian: xz-utils) and try again.');
    process.exit(1);
  }
  const { size } = statSync(join(dirname(folder), archive));
  console.log(`dist-bundle/${archive}: ${(size / 1e6).toFixed(1)} MB, ${count(folder).toLocaleString('en')} files`);
  if (size > LIMIT) {
    console.error(`bundle: ${size} bytes are more than ${LIMIT}; leave something out in scripts/bundle.mjs.`);
    process.exit(1);
  }
}

function count(directory) {
  return readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()).length;
}
