/** The command line of the benchmarks: an option of a command reaches it. */
import { spawnSync } from 'node:child_process';
import { expect, it } from 'vitest';

const bench = (...args: string[]) =>
  spawnSync(
    process.execPath,
    ['--conditions=mtunet-source', '--import', './scripts/typescript.mjs', 'experiments/benchmarks/main.ts', ...args],
    { encoding: 'utf8' },
  );

it.each([
  [['peers', '--runs', '0'], /--runs 0: give a whole number/],
  [['step', '--runs', 'many'], /--runs many: give a whole number/],
  [['stepp'], /there is no benchmark "stepp"/],
])('refuses %j with a sentence', (args, sentence) => {
  const { status, stderr } = bench(...args);
  expect(stderr).toMatch(sentence);
  expect(status).toBe(2);
});
