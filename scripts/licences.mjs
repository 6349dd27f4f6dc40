/** Writes docs/licences.md: every package of the lockfile with its version and licence. With --check: fails when the file is stale. */
import { readFileSync, writeFileSync } from 'node:fs';

const PATH = 'docs/licences.md';
const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8'));

const rows = Object.entries(packages)
  .filter(([place]) => place !== '')
  .map(([place, { version, license, dev, optional, hasInstallScript }]) => ({
    name: place.slice(place.lastIndexOf('node_modules/') + 13),
    version,
    license: license ?? 'not declared',
    use: `${dev ? 'development' : 'run time'}${optional ? ', optional' : ''}`,
    script: hasInstallScript ? 'yes, not needed' : '',
  }))
  .sort((a, b) => a.name.localeCompare(b.name, 'en') || a.version.localeCompare(b.version, 'en'));

const lines = rows.map(
  ({ name, version, license, use, script }) => `| ${name} | ${version} | ${license} | ${use} | ${script} |`,
);
const text = `# Licences of the dependencies

Written by \`npm run licences\` from package-lock.json; a test keeps it current. ${rows.filter(({ use }) => use.startsWith('run')).length} packages serve at run time, ${rows.filter(({ use }) => use.startsWith('dev')).length} in development; none of them is part of this repository.

| package | version | licence | use | install script |
| --- | --- | --- | --- | --- |
${[...new Set(lines)].join('\n')}
`;

if (!process.argv.includes('--check')) writeFileSync(PATH, text);
else if (readFileSync(PATH, 'utf8') !== text) {
  console.error(`${PATH} is not what package-lock.json says; run: npm run licences`);
  process.exitCode = 1;
}
