/** Training with less memory: recomputed activations to the same bits, and half precision with a scaled loss. */
import { describe, expect, it } from 'vitest';
import { syntheticChests } from '../../src/data/synthetic.ts';
import { type Checkpoint, readCheckpoint, writeCheckpoint } from '../../src/mtunet/checkpoint.ts';
import { resolveConfig, type TrainConfig } from '../../src/mtunet/config.ts';
import type { StepRecord } from '../../src/mtunet/records.ts';
import { descendsOneScalar, makeScheme, schemeDefaults, schemeNames } from '../../src/mtunet/schemes/index.ts';
import { ObjectiveScheme } from '../../src/mtunet/schemes/scheme.ts';
import { Trainer } from '../../src/mtunet/train.ts';
import { testGpu } from '../support/gpu.ts';

const config = resolveConfig('tiny', {
  height: 32,
  width: 32,
  epochs: 2,
  batchSize: 2,
  network: { base: 2 },
  synthetic: { train: 6, valid: 3, test: 3 },
});
const dataset = syntheticChests({ ...config.synthetic, height: 32, width: 32 });

/** Trains; with `stopAfter`, in two trainers, the second from the checkpoint of the first. */
async function trained(config: TrainConfig, stopAfter = Number.POSITIVE_INFINITY) {
  const gpu = await testGpu();
  const steps: StepRecord[] = [];
  let saved: Checkpoint | null = null;
  for (;;) {
    const stop = new AbortController();
    using trainer: Trainer = new Trainer(gpu, config, dataset, {
      step(record) {
        steps.push(record);
        if (steps.length === stopAfter) stop.abort();
      },
      checkpoint(checkpoint) {
        saved = checkpoint;
      },
    });
    if (saved) trainer.resume(readCheckpoint(writeCheckpoint(saved)));
    const { stop: why } = await trainer.run(stop.signal);
    if (why !== 'interrupted') return { steps, progress: (await trainer.checkpoint()).progress };
  }
}

it('recomputed activations leave every number of a training as it is', async () => {
  const stored = await trained(config);
  expect((await trained({ ...config, memory: 'recompute' })).steps).toEqual(stored.steps);
  expect(stored.progress).not.toHaveProperty('lossScale');
});

describe('half precision', () => {
  const half: TrainConfig = { ...config, precision: 'f16' };

  it('trains as float32 does but for rounding and goes on to the same bits, or says that the device cannot', async () => {
    const gpu = await testGpu();
    if (!gpu.features.has('shader-f16')) {
      expect(() => new Trainer(gpu, half, dataset)).toThrow(
        `precision f16 needs the device feature shader-f16, which ${gpu.description.name} lacks; train with --precision f32, or choose another adapter (mtunet devices).`,
      );
      return;
    }
    const whole = await trained(half);
    const single = await trained(config);
    expect(whole.steps.map(({ loss }) => loss)).not.toEqual(single.steps.map(({ loss }) => loss));
    for (const [i, { loss }] of whole.steps.entries())
      expect(Math.abs(loss / single.steps[i].loss - 1)).toBeLessThan(0.05);
    expect(Math.abs(whole.steps[0].loss / single.steps[0].loss - 1)).toBeLessThan(2e-3);
    expect(whole.progress.lossScale).toMatchObject({ skipped: expect.any(Number), goodSteps: expect.any(Number) });
    const broken = await trained(half, 2);
    expect(broken.steps).toEqual(whole.steps);
    expect(broken.progress.lossScale).toEqual(whole.progress.lossScale);
  });

  it('is for schemes that descend one scalar', async () => {
    const gpu = await testGpu();
    for (const name of schemeNames) {
      const scheme = makeScheme(gpu, { ...schemeDefaults, name }, 1);
      expect(descendsOneScalar(name), name).toBe(scheme instanceof ObjectiveScheme);
      scheme.dispose();
    }
    expect(() => resolveConfig('tiny', { precision: 'f16', scheme: { name: 'mgda' } })).toThrow(
      'precision: f16 scales one loss, but scheme mgda combines gradients itself; use f32 or another scheme.',
    );
  });
});
