/** The tests in a process of another program: Node or Deno. */
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Outcome } from './entry.ts';

const MARK = 'outcome: ';

const PROGRAM = `
const { runTests } = await import('./entry.js');
const outcome = await runTests((line) => console.error(line));
console.log('${MARK}' + JSON.stringify(outcome));
// Devices of a test that failed would keep the process alive.
setTimeout(() => globalThis.Deno ? Deno.exit(0) : process.exit(0), 200);
`;

export async function runInProcess(
  program: string,
  args: readonly string[],
  folder: string,
  env: NodeJS.ProcessEnv,
  tell: (line: string) => void,
): Promise<Outcome> {
  const path = join(folder, 'main.mjs');
  writeFileSync(path, PROGRAM);
  const child = spawn(program, [...args, path], { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  let [out, err] = ['', ''];
  child.stdout.on('data', (chunk) => {
    out += chunk;
  });
  child.stderr.on('data', (chunk) => {
    err += chunk;
    for (const line of String(chunk).split('\n')) if (line.endsWith('.test.ts')) tell(line);
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  const line = out.split('\n').find((one) => one.startsWith(MARK));
  if (!line) throw new Error(`it ended with code ${code}: ${err.trim().split('\n').slice(-3).join(' ')}`);
  return JSON.parse(line.slice(MARK.length));
}
