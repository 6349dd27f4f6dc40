import { beforeAll, expect, it } from 'vitest';
import { batches } from '../../src/data/batches.ts';
import { syntheticChests } from '../../src/data/synthetic.ts';
import type { Gpu } from '../../src/engine/index.ts';
import { resolveConfig } from '../../src/mtunet/config.ts';
import { gazeEntropy, predictBatch } from '../../src/mtunet/losses.ts';
import { MTUNet } from '../../src/mtunet/model.ts';
import type { EpochRecord } from '../../src/mtunet/records.ts';
import { Trainer } from '../../src/mtunet/train.ts';
import { testGpu } from '../support/gpu.ts';

const size = { height: 32, width: 32 };
const counts = { seed: 3, train: 5, valid: 3, test: 3 };
let gpu: Gpu;
beforeAll(async () => {
  gpu = await testGpu();
});

it('the cross entropy is the divergence and the entropy of the gaze', async () => {
  using model = new MTUNet(gpu, { base: 1 }, 1);
  const [batch] = batches(syntheticChests({ ...counts, ...size }).train, { batchSize: 3, seed: 1, epoch: 1 });
  const { divergence, crossEntropy } = await gpu.step(() => {
    const of = (saliencyLoss: 'kld' | 'cross-entropy') =>
      predictBatch(gpu, model.train(false), batch, { ...size, saliencyLoss }).losses.saliency!;
    return { divergence: of('kld'), crossEntropy: of('cross-entropy') };
  });
  expect(gazeEntropy(batch.gaze, 3)).toBeGreaterThan(3);
  expect(crossEntropy - divergence).toBeCloseTo(gazeEntropy(batch.gaze, 3), 4);
  expect(gazeEntropy(Float32Array.of(0, 0.5, 0.5, 0, 1, 0), 2)).toBeCloseTo(Math.LN2 / 2, 12);
});

it('the best epoch is the lowest of what is monitored', async () => {
  for (const monitor of ['raw', 'weighted'] as const) {
    const config = resolveConfig('tiny', {
      ...size,
      epochs: 3,
      batchSize: 2,
      network: { base: 1 },
      scheme: { name: 'mtls1' },
      optimizer: { learningRate: 0.1 },
      schedule: { name: 'constant', monitor },
      synthetic: counts,
    });
    const epochs: EpochRecord[] = [];
    using trainer = new Trainer(gpu, config, syntheticChests({ ...counts, ...size }), {
      epoch: (one) => epochs.push(one),
    });
    await trainer.run();
    let lowest = Number.POSITIVE_INFINITY;
    for (const { valid, best } of epochs) {
      const value = monitor === 'raw' ? valid.saliencyLoss! + valid.classLoss! : valid.loss;
      expect(best).toBe(value < lowest);
      lowest = Math.min(lowest, value);
    }
  }
});
