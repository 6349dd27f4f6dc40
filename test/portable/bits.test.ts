/** A small training on the portable adapter: its bits are the same on every processor, operating system and runtime. */
import { expect, it } from 'vitest';
import { syntheticChests } from '../../src/data/synthetic.ts';
import { openGpu } from '../../src/engine/index.ts';
import { resolveConfig } from '../../src/mtunet/config.ts';
import { Trainer } from '../../src/mtunet/train.ts';

const config = resolveConfig('tiny', {
  height: 32,
  width: 32,
  epochs: 2,
  batchSize: 2,
  network: { base: 1 },
  scheme: { name: 'mtls1' },
  synthetic: { train: 5, valid: 3, test: 3 },
});

/** Of the weights after the run; asserted in Node and in a browser. */
const SHA256 = '9c7f3fe9f6da0edf49a2cad7bfa7dc71ddfc1214264d1f6ea70cb404596360b4';

it('a short training of MT-UNet ends with these weights', async () => {
  using gpu = await openGpu({ prefer: 'portable' });
  expect(gpu.description).toMatchObject({ name: 'portable', rung: 'portable', software: true });
  const dataset = syntheticChests({ ...config.synthetic, height: 32, width: 32 });
  using trainer = new Trainer(gpu, config, dataset);
  await trainer.run();
  const { network } = (await trainer.checkpoint()).current;
  const names = [...network.tensors.keys()].sort();
  const all = Float32Array.from(names.flatMap((name) => [...network.tensors.get(name)!.values]));
  expect(all.every(Number.isFinite)).toBe(true);
  const digest = await crypto.subtle.digest('SHA-256', all);
  const hex = Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('');
  expect(hex).toBe(SHA256);
});
