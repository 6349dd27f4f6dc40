/** What a sweep will take, told before it starts. */
import { tmpdir } from 'node:os';
import { expect, it } from 'vitest';
import { measure, planRuns } from '../../../src/cli/sweep/plan.ts';
import { describeRuns } from '../../../src/cli/sweep/run-description.ts';
import { syntheticChests } from '../../../src/data/synthetic.ts';
import { resolveConfig } from '../../../src/mtunet/config.ts';
import { testGpu } from '../../support/gpu.ts';

const config = resolveConfig('tiny', {
  ...{ height: 32, width: 32, epochs: 2, batchSize: 2, network: { base: 2 } },
  synthetic: { train: 4, valid: 3, test: 3 },
});
const filmsOf = (train: number) => syntheticChests({ ...config.synthetic, train, height: 32, width: 32 });

it('expects the same checkpoint whether or not the steps that are measured end an epoch', async () => {
  const gpu = await testGpu();
  const short = await measure(gpu, config, filmsOf(4));
  const long = await measure(gpu, config, filmsOf(20));
  // The best network is in the one and reckoned into the other; headers differ by a few bytes.
  expect(long.checkpointBytes / short.checkpointBytes).toBeCloseTo(1, 1);
  expect([short.steps, long.steps]).toEqual([4, 20]);
});

it('tells each kind of run as it is measured, and last what all of them take', async () => {
  const runs = describeRuns([{ name: 'a', config }], [1, 2]);
  const lines: string[] = [];
  const tell = (line: string) => lines.push(line);
  await planRuns(await testGpu(), runs, { dataOf: () => filmsOf(4), jobs: 2, folder: tmpdir(), tell });
  expect(lines.map((line) => line.replace(/\d[\d.]* (ms|s|MB|GB)\b/g, '# $1').replace(/ \(#.*/, ''))).toEqual([
    'plan: 3 steps of each of 1 kinds of run are measured first',
    '  a: 2 x up to 4 steps of # ms = # s, # MB of disk and # MB of device memory each',
    expect.stringMatching(
      /^plan: 2 runs, at most # s with 2 at a time, if they do not slow each other down, # MB of disk$/,
    ),
  ]);
});
