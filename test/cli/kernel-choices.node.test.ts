/** A run keeps the kernels that it began with: gone on with or trained again, it has the same bits whatever is asked for by then. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { CacheFile, chooseKernels } from '../../src/cli/kernel-choices.ts';
import { loadData } from '../../src/cli/load-data.ts';
import { packageVersion } from '../../src/cli/provenance.ts';
import { planRetraining, retrain } from '../../src/cli/retrain.ts';
import { RunFolder } from '../../src/cli/run-folder.ts';
import { trainRun } from '../../src/cli/train-run.ts';
import type { ConvWork } from '../../src/engine/ops/conv2d-kernels.ts';
import { tuningKey } from '../../src/engine/ops/conv2d-tune.ts';
import { convolutionsOf, type Tuned } from '../../src/mtunet/autotune.ts';
import { resolveConfig } from '../../src/mtunet/config.ts';
import { SMALL } from '../support/command.ts';
import { testGpu } from '../support/gpu.ts';

const config = resolveConfig('tiny', { ...SMALL, epochs: 1 });
const dataset = loadData(config);
const NEVER = new AbortController().signal;
const { MTUNET_AUTOTUNE, MTUNET_CACHE } = process.env;
let place: string;
beforeAll(() => {
  place = mkdtempSync(join(tmpdir(), 'mtunet-'));
});
afterAll(() => rmSync(place, { recursive: true }));
afterEach(() => {
  Object.assign(process.env, { MTUNET_AUTOTUNE: MTUNET_AUTOTUNE ?? '', MTUNET_CACHE: MTUNET_CACHE ?? '' });
});

const kernelsOf = (folder: RunFolder) => JSON.parse(readFileSync(folder.file('kernels.json'), 'utf8'));

it('that it used by the fixed rule, and trains again with others that are pinned', async () => {
  const gpu = await testGpu();
  const ruled = RunFolder.create(join(place, 'ruled'), config);
  await trainRun(gpu, ruled, dataset, NEVER);
  const { autotune, kernels } = kernelsOf(ruled);
  expect(autotune).toBe('off');
  const layers = Object.keys(kernels);
  expect(layers.length).toBeGreaterThan(20);

  // The same run by the plain kernels: other bits, which it keeps when it is trained again although the rule says otherwise.
  const plain = RunFolder.create(join(place, 'plain'), config);
  const pinned = { ...kernelsOf(ruled), kernels: Object.fromEntries(layers.map((layer) => [layer, 'plain'])) };
  plain.writeJson('kernels.json', pinned);
  await trainRun(gpu, plain, dataset, NEVER);
  expect(new Set(Object.values(gpu.choices.used))).toEqual(new Set(['plain']));
  const again = planRetraining(plain, join(place, 'again'));
  expect(await retrain(gpu, plain, again, dataset, NEVER)).toMatchObject({ difference: null });
  expect(kernelsOf(again)).toEqual(pinned);
  if (Object.values(kernels).every((kernel) => kernel === 'plain')) return; // an adapter without subgroups
  expect(plain.steps).not.toEqual(ruled.steps);
});

it('that it was tuned to, which others find in the cache', async () => {
  const gpu = await testGpu();
  Object.assign(process.env, { MTUNET_AUTOTUNE: 'fast', MTUNET_CACHE: join(place, 'cache') });
  const small = { ...config, network: { ...config.network, name: 'unet-c' as const } };
  // All layers but three are known already, which saves the test their time.
  const file = new CacheFile(join(place, 'cache/autotune.json'));
  const known: Tuned = { kernel: 'plain', milliseconds: { plain: 1 }, mode: 'fast', wrong: [] };
  const works = [...convolutionsOf(small, dataset.classNames.length)];
  const keyOf = (work: ConvWork) => tuningKey(gpu, `mtunet ${packageVersion}`, work);
  for (const [, work] of works.slice(0, -3)) file.set(keyOf(work), known);
  const first = RunFolder.create(join(place, 'tuned'), small);
  await chooseKernels(gpu, first, dataset.classNames.length);
  const cache = JSON.parse(readFileSync(join(place, 'cache/autotune.json'), 'utf8')) as Record<string, Tuned>;
  const { autotune, kernels } = kernelsOf(first);
  expect(autotune).toBe('fast');
  expect(Object.keys(cache).sort()).toEqual(works.map(([, work]) => keyOf(work)).sort());
  expect(Object.keys(kernels).sort()).toEqual(works.map(([name]) => name).sort());
  const [layer, last] = works.at(-1)!;
  expect(Object.keys(cache[keyOf(last)].milliseconds)).toContain(kernels[layer]);

  // What the cache says decides for the next run, and no longer for this one.
  const other = kernels[layer] === 'plain' ? 'gemm-16' : 'plain';
  file.set(keyOf(last), { ...cache[keyOf(last)], kernel: other });
  const second = RunFolder.create(join(place, 'second'), small);
  await chooseKernels(gpu, second, dataset.classNames.length);
  expect(kernelsOf(second).kernels).toEqual({ ...kernels, [layer]: other });
  await chooseKernels(gpu, first, dataset.classNames.length);
  expect(kernelsOf(first).kernels).toEqual(kernels);
});

it('and a cache that is damaged is a cache without entries; a run’s own choice that is damaged is told', async () => {
  const path = join(place, 'damaged.json');
  writeFileSync(path, '{"half": ');
  const cache = new CacheFile(path);
  expect(cache.get('half')).toBeUndefined();
  const tuned: Tuned = { kernel: 'plain', milliseconds: { plain: 1 }, mode: 'fast', wrong: [] };
  cache.set('key', tuned);
  expect(new CacheFile(path).get('key')).toEqual(tuned);

  const folder = RunFolder.create(join(place, 'broken'), config);
  folder.writeJson('kernels.json', { kernels: 3 });
  const gpu = await testGpu();
  await expect(chooseKernels(gpu, folder, 3)).rejects.toThrow(/kernels\.json is damaged \(adapter: .*\); restore it/);
  process.env.MTUNET_AUTOTUNE = 'always';
  await expect(chooseKernels(gpu, RunFolder.create(join(place, 'how'), config), 3)).rejects.toThrow(
    'MTUNET_AUTOTUNE=always is no way to tune; the ways are off, fast, full.',
  );
  expect(existsSync(join(place, 'how/kernels.json'))).toBe(false);
});
