/** One process a run folder; the lock of a dead one is taken over. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { lockRun } from '../../src/cli/run-lock.ts';

let run: string;
beforeEach(() => {
  run = mkdtempSync(join(tmpdir(), 'mtunet-'));
});
afterEach(() => rmSync(run, { recursive: true }));

const foreign = { pid: 7, host: `not-${hostname()}`, began: null, id: 'theirs' };

it('refuses a second holder, and leaves nothing behind', async () => {
  {
    using _lock = await lockRun(run);
    await expect(lockRun(run)).rejects.toThrow(new RegExp(`in use by process ${process.pid};`));
  }
  using _again = await lockRun(run);
  expect(readdirSync(run)).toEqual(['lock']);
});

it('takes over the lock of a process that is gone, of one whose number another has, and one that is no lock', async () => {
  const child = spawn(process.execPath, ['-e', '']);
  await once(child, 'exit');
  const began = 'an earlier start';
  for (const holder of [
    { ...foreign, host: hostname(), pid: child.pid },
    { pid: process.pid, host: hostname(), began, id: '' },
  ])
    for (const text of [JSON.stringify(holder), '{"pid":']) {
      writeFileSync(join(run, 'lock'), text);
      using _lock = await lockRun(run);
      expect(JSON.parse(readFileSync(join(run, 'lock'), 'utf8')).pid).toBe(process.pid);
    }
  expect(readdirSync(run)).toEqual([]);
});

it("takes over another machine's lock when it is not renewed while watched", async () => {
  const lock = join(run, 'lock');
  writeFileSync(lock, JSON.stringify(foreign));
  const renewal = setInterval(() => utimesSync(lock, new Date(), new Date()), 100);
  await expect(lockRun(run, { patience: 3000 })).rejects.toThrow(`process 7 on ${foreign.host}`);
  clearInterval(renewal);
  const said: string[] = [];
  using _lock = await lockRun(run, { patience: 1000, announce: (message) => said.push(message) });
  expect(said.join()).toMatch(/watching for 1 s/);
});

it('lets one of many win', async () => {
  writeFileSync(join(run, 'lock'), JSON.stringify({ ...foreign, host: hostname(), pid: 2 ** 22 + 1 }));
  const attempts = await Promise.allSettled(Array.from({ length: 20 }, () => lockRun(run)));
  const won = attempts.filter((attempt) => attempt.status === 'fulfilled');
  expect(won.length).toBe(1);
  won[0].value[Symbol.dispose]();
});
