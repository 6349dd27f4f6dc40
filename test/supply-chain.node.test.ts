/** What the project is built from: exact versions, known licences, the same list in docs/licences.md, and no install script that is new. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

const { dependencies, devDependencies } = JSON.parse(readFileSync('package.json', 'utf8'));
const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8')) as {
  packages: Record<string, { license?: string; hasInstallScript?: boolean; resolved?: string; integrity?: string }>;
};
const installed = Object.entries(packages).filter(([place]) => place !== '');

/** Licences under which the packages may be used beside MIT code. */
const KNOWN =
  /^(MIT|MIT OR Apache-2\.0|ISC|BSD-[23]-Clause|Apache-2\.0|MPL-2\.0|Python-2\.0|BlueOak-1\.0\.0|Unlicense|0BSD)$/;

it('depends on exact versions, and what is installed has a content hash', () => {
  const loose = Object.entries({ ...dependencies, ...devDependencies }).filter(
    ([, version]) => !/^\d+\.\d+\.\d+$/.test(version as string),
  );
  expect(loose).toEqual([]);
  const unhashed = installed.filter(([place, { integrity }]) => existsSync(place) && !integrity?.startsWith('sha512-'));
  expect(unhashed.map(([place]) => place)).toEqual([]);
  expect(installed.filter(([, { resolved }]) => resolved).map(([place]) => place)).toEqual([]);
});

it('lists the licence of every package, and knows each', () => {
  execFileSync(process.execPath, ['scripts/licences.mjs', '--check'], { encoding: 'utf8' });
  expect(installed.filter(([, { license }]) => !KNOWN.test(license ?? '')).map(([place]) => place)).toEqual([]);
});

it('has no install scripts but those that are known not to be needed', () => {
  const scripted = installed.filter(([, { hasInstallScript }]) => hasInstallScript).map(([place]) => place);
  // webgpu's takes the quarantine mark off a file on macOS; protobufjs's warns of its version scheme.
  expect(scripted).toEqual(['node_modules/onnxruntime-web/node_modules/protobufjs', 'node_modules/webgpu']);
});
