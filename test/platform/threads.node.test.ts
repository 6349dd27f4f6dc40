/** A software adapter computes with as many threads as MTUNET_THREADS says. */
import { availableParallelism } from 'node:os';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { limitLavapipe, share, threadsWanted } from '../../src/platform/threads.ts';
import { type HostInChild, hostInChild } from './child.ts';

let host: HostInChild;
beforeAll(async () => {
  host = await hostInChild();
});
afterAll(() => host?.remove());

/** How many SwiftShader has for two devices of one process, and whether the current folder is as before. */
const COUNT = `
  import { readdirSync, readFileSync } from 'node:fs';
  const here = process.cwd();
  for (let i = 0; i < 2; i++) await (await findAdapter({ prefer: 'embedded' })).adapter.requestDevice();
  const threads = readdirSync('/proc/self/task').map((id) => readFileSync('/proc/self/task/' + id + '/comm', 'utf8'));
  console.log(threads.filter((name) => name.startsWith('Thread<')).length, process.cwd() === here);
`;

it.runIf(process.platform === 'linux' && process.arch === 'x64').each(['1', '3'])(
  'SwiftShader has %s, and the current folder stays',
  async (MTUNET_THREADS) => {
    const { code, output, complaints } = await host.run(COUNT, { env: { MTUNET_THREADS } });
    expect([code, output.trim()], complaints).toEqual([0, `${MTUNET_THREADS} true`]);
  },
);

it('says what is no number of threads', () => {
  expect([threadsWanted({}), threadsWanted({ MTUNET_THREADS: ' ' }), threadsWanted({ MTUNET_THREADS: '2' })]).toEqual([
    null,
    null,
    2,
  ]);
  for (const said of ['none', '0', '-1', '1.5'])
    expect(() => threadsWanted({ MTUNET_THREADS: said })).toThrow(
      `MTUNET_THREADS=${said} is no number of threads; set it to 1 or more, or unset it to use every core.`,
    );
});

it('gives lavapipe as many, unless its own variable says otherwise', () => {
  const env: NodeJS.ProcessEnv = {};
  limitLavapipe(null, env);
  expect(env).toEqual({});
  limitLavapipe(2, env);
  limitLavapipe(1, env);
  expect(env.LP_NUM_THREADS).toBe('2');
});

it('shares the cores among processes', () => {
  expect(share(1)).toEqual({});
  expect(share(2 * availableParallelism())).toEqual({ MTUNET_THREADS: '1' });
});
