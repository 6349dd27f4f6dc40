/** The bundle for hosts without network, npm and Node: it runs from its own folder with an empty environment. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { builtProgram, whileLocked } from './support/program.ts';

const scratch = mkdtempSync(join(tmpdir(), 'mtunet-bundle-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

it.runIf(process.platform === 'linux')('runs with nothing but itself', async () => {
  const folder = join(scratch, 'bundle');
  await builtProgram();
  await whileLocked(async () => execFileSync(process.execPath, ['scripts/bundle.mjs', '--folder', folder]));
  const run = (...args: string[]) =>
    execFileSync(join(folder, 'mtunet'), args, {
      cwd: scratch,
      env: { HOME: scratch },
      encoding: 'utf8',
      stdio: 'pipe',
    });
  expect(run('--version').trim()).toBe(JSON.parse(readFileSync('package.json', 'utf8')).version);
  const adapters: readonly { used: boolean }[] = JSON.parse(run('devices', '--json'));
  expect(adapters.some(({ used }) => used)).toBe(true);
  expect(existsSync(join(folder, 'node_modules', 'vite'))).toBe(false);
  expect(existsSync(join(folder, 'node_modules', '@sparticuz', 'chromium', 'bin', 'chromium.br'))).toBe(false);
});
