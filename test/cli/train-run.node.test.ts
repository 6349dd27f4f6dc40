/** Runs that begin with somebody's weights: every value as in the file before the first step, and fine-tuning that keeps what is frozen. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { register } from '../../src/cli/commands/train.ts';
import { loadData } from '../../src/cli/load-data.ts';
import { RunFolder } from '../../src/cli/run-folder.ts';
import { trainRun } from '../../src/cli/train-run.ts';
import { fitRecord, fitted, openWeights } from '../../src/cli/weight-files.ts';
import type { StateDict } from '../../src/engine/index.ts';
import { writeWeights } from '../../src/mtunet/checkpoint.ts';
import { resolveConfig } from '../../src/mtunet/config.ts';
import { buildNetwork } from '../../src/mtunet/networks.ts';
import { SMALL } from '../support/command.ts';
import { testGpu } from '../support/gpu.ts';

let place: string;
beforeAll(() => {
  place = mkdtempSync(join(tmpdir(), 'mtunet-'));
});
afterAll(() => rmSync(place, { recursive: true }));

const NEVER = new AbortController().signal;

/** What `mtunet train --init <weights>` does, into `place`/`name`. With a signal that is already aborted it ends before the first step. */
async function train(name: string, weights: string | null, signal: AbortSignal, changes: object = {}, strict = false) {
  const config = resolveConfig('tiny', { ...SMALL, epochs: 1 }, changes);
  const dataset = loadData(config);
  const folder = RunFolder.create(join(place, name), config);
  if (weights) {
    const file = openWeights(weights);
    const { network, scheme } = config;
    const fit = fitted(file, { network, scheme, classes: dataset.classNames.length }, strict);
    folder.saveInitial([fit.state, fit.scheme], fitRecord(file, fit));
  }
  await trainRun(await testGpu(), folder, dataset, signal);
  return folder;
}

it('begin with exactly the values of the file, the sigma included', async () => {
  const gpu = await testGpu();
  const { network } = resolveConfig('tiny', SMALL);
  using other = buildNetwork(gpu, network, 3, 77);
  const state = await other.stateDict();
  const given: StateDict = {
    tensors: new Map([...state.tensors, ['lg_sigma_class', { shape: [], values: Float32Array.of(-0.75) }]]),
    counters: new Map([...state.counters].map(([name], i) => [name, i])),
  };
  const file = join(place, 'published.safetensors');
  writeFileSync(file, writeWeights(given));

  const folder = await train('begun', file, AbortSignal.abort(), {}, true);
  const { current } = folder.loadCheckpoint().checkpoint;
  expect(current.optimizer.steps).toBe(0);
  expect(current.network).toEqual({ ...state, counters: given.counters });
  expect(current.scheme.tensors.get('lg_sigma_class')!.values).toEqual(Float32Array.of(-0.75));

  const drawn = (await train('drawn', null, AbortSignal.abort())).loadCheckpoint().checkpoint.current;
  expect(drawn.network.tensors.get('Conv1.0.weight')).not.toEqual(state.tensors.get('Conv1.0.weight'));
  expect(drawn.scheme.tensors.get('lg_sigma_class')!.values).toEqual(Float32Array.of(0));
});

it('fine-tune from a checkpoint with a frozen encoder whose bits stay, and the rest moves', async () => {
  const first = RunFolder.open(join(place, 'begun'));
  const from = first.loadCheckpoint().checkpoint.current.network;
  const second = await train('second', first.file('checkpoint/latest.safetensors'), NEVER, {
    seed: 9,
    network: { frozen: ['encoder'] },
  });
  expect(JSON.parse(readFileSync(second.file('init.json'), 'utf8'))).toMatchObject({
    format: 'checkpoint',
    missing: [],
    sigmas: { lg_sigma_class: -0.75 },
  });
  const after = second.loadWeights();
  const isFrozen = (name: string) => /^Conv\d\./.test(name);
  const same = [...after.tensors].filter(([name, { values }]) => {
    const before = from.tensors.get(name)!.values;
    return values.every((value, i) => Object.is(value, before[i]));
  });
  const names = [...after.tensors.keys()];
  expect(names.filter(isFrozen).length).toBeGreaterThan(50);
  expect(same.map(([name]) => name).filter(isFrozen)).toEqual(names.filter(isFrozen));
  for (const name of ['Up5.1.weight', 'Up5.2.running_mean', 'out_conv_image.conv_last.weight'])
    expect(same.map(([unmoved]) => unmoved)).not.toContain(name);
  for (const [name, count] of after.counters) expect(count > 0, name).toBe(name.endsWith('tracked') && !isFrozen(name));
});

it('leave no folder behind where the device cannot keep the precision', async () => {
  const gpu = await testGpu();
  const folder = join(place, 'halves');
  const config = join(place, 'halves.json');
  writeFileSync(config, JSON.stringify({ ...SMALL, epochs: 1 }));
  const program = new Command().exitOverride();
  register(program);
  const training = program.parseAsync(['train', '--config', config, '--precision', 'f16', '--out', folder], {
    from: 'user',
  });
  if (gpu.features.has('shader-f16')) await training;
  else await expect(training).rejects.toThrow('precision f16 needs the device feature shader-f16');
  expect(existsSync(folder)).toBe(gpu.features.has('shader-f16'));
});
