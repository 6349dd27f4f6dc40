/** The same bits of everything that a run leaves: steps recorded or not, batches made ahead or not, in this process or in one of its own. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openSource } from '../../src/cli/data-sources.ts';
import { writeExample } from '../../src/cli/example-egd.ts';
import { loadData } from '../../src/cli/load-data.ts';
import { prepareData } from '../../src/cli/prepare-data.ts';
import { RunFolder } from '../../src/cli/run-folder.ts';
import { trainRun } from '../../src/cli/train-run.ts';
import { resolveConfig } from '../../src/mtunet/config.ts';
import { SMALL, start, trainArguments } from '../support/command.ts';
import { testGpu } from '../support/gpu.ts';
import { builtProgram } from '../support/program.ts';
import { remains } from '../support/remains.ts';

const place = mkdtempSync(join(tmpdir(), 'mtunet-same-'));
const at = (...parts: string[]) => join(place, ...parts);
const augmentation = { rotate: 5, shift: 0.1, zoom: 0.1, gamma: 0.2 };
const changes = { ...SMALL, epochs: 1, data: at('data'), augmentation, scheme: { name: 'mtls1' } };
const never = new AbortController().signal;
const write = process.stderr.write;
let main: string;

beforeAll(async () => {
  main = await builtProgram();
  process.stderr.write = () => true;
  writeExample(place, { films: 18, seed: 1, height: 128, width: 128, gazeBytes: 0 });
  const source = await openSource({ recipe: 'paper', egd: at('egd'), mimic: at('mimic') });
  const recipe = { height: 160, width: 160, stride: 5, keepCorner: false };
  const options = { ...source, out: at('data'), recipe, skipBad: false, signal: never, progress: () => {} };
  await prepareData(source.cases, { ...options, split: 'patient' });
});
afterAll(() => {
  process.stderr.write = write;
  rmSync(place, { recursive: true });
});

/** What a run of this process leaves. */
async function trained(isRecorded: boolean, isAhead: boolean) {
  const gpu = await testGpu();
  const config = resolveConfig('tiny', changes);
  const folder = RunFolder.create(at(`recorded ${isRecorded}, ahead ${isAhead}`), config);
  const dataset = loadData(config, { prefetch: false });
  // The thread runs built code, so its other end is taken from there too.
  const { prefetching } = await import(/* @vite-ignore */ join(dirname(main), 'prefetch.js'));
  gpu.recordsSteps = isRecorded;
  try {
    expect(await trainRun(gpu, folder, isAhead ? prefetching(at('data'), dataset) : dataset, never)).toBe(true);
  } finally {
    gpu.recordsSteps = true;
  }
  return remains(folder.path);
}

it('recording, batches made ahead, and the process make no difference to any bit', async () => {
  const first = await trained(true, true);
  for (const [isRecorded, isAhead] of [
    [true, false],
    [false, true],
    [false, false],
  ])
    expect(await trained(isRecorded, isAhead), `recorded ${isRecorded}, ahead ${isAhead}`).toEqual(first);
  // A process of its own, without a network where that can be cut off.
  const through = spawnSync('unshare', ['-rn', 'true']).status === 0 ? ['unshare', '-rn'] : [];
  const [command, ...rest] = trainArguments(place, 'alone', changes);
  const { code, err } = await start(main, [command, '--no-record', ...rest], { through }).ended;
  expect(code, err).toBe(0);
  expect(remains(at('alone'))).toEqual(first);
  console.log(
    `weights: sha256 ${first.weights.sha256}; ${through.length > 0 ? 'one without a network' : 'unshare -rn is not allowed here'}`,
  );
});
