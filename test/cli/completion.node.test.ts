/** What a shell is told when it asks for completions, and that a closed pipe is no failure. */
import { execFileSync } from 'node:child_process';
import { beforeAll, expect, it } from 'vitest';
import { builtProgram } from '../support/program.ts';

let main: string;
const ask = (...words: string[]) =>
  execFileSync(process.execPath, [main, 'complete', '--', ...words], { encoding: 'utf8' }).split('\n');

beforeAll(async () => {
  main = await builtProgram();
});

it('offers commands, options and their values', () => {
  expect(ask('tra').some((line) => line.startsWith('train\t'))).toBe(true);
  expect(ask('train', '--se').some((line) => line.startsWith('--seed\t'))).toBe(true);
  expect(ask('train', '--preset', '')).toEqual(expect.arrayContaining(['tiny\t', 'released\t']));
});

it('prints a script for a shell, and survives a reader that closes the pipe', () => {
  const script = execFileSync(process.execPath, [main, 'completion', 'bash'], { encoding: 'utf8' });
  expect(script).toContain('bash completion for mtunet');
  execFileSync('bash', ['-c', `set -o pipefail; "${process.execPath}" ${main} completion bash | head -1`]);
});
