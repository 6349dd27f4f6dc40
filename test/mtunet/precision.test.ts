/** Training with less memory: recomputed activations to the same bits, and half precision with a scaled loss. */
import { describe, expect, it } from 'vitest';
import { syntheticChests } from '../../src/data/synthetic.ts';
import { gradients } from '../../src/engine/autograd.ts';
import { dryGpu } from '../../src/engine/dry.ts';
import { add, backward, scale } from '../../src/engine/index.ts';
import { type Checkpoint, readCheckpoint, writeCheckpoint } from '../../src/mtunet/checkpoint.ts';
import { resolveConfig, type TrainConfig } from '../../src/mtunet/config.ts';
import { predictBatch } from '../../src/mtunet/losses.ts';
import { buildNetwork } from '../../src/mtunet/networks.ts';
import { asConfigured, scalerOf } from '../../src/mtunet/precision.ts';
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

const batch = {
  images: Float32Array.from({ length: 2 * 32 * 32 }, (_, i) => Math.sin(i * i * 0.37)),
  gaze: Float32Array.from({ length: 2 * 32 * 32 }, (_, i) => (i % 1024 === 300 ? 1 : 0)),
  labels: Uint32Array.of(0, 2),
};

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
  expect((await testGpu()).recomputes).toBe(false); // other work on the device is as it was
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

  it('keeps activations in float16 and every gradient in float32', () => {
    using gpu = dryGpu(); // types are decided before a device is asked
    using model = buildNetwork(gpu, config.network, 3, null);
    const types = { forward: new Set<string>(), backward: new Set<string>() };
    void asConfigured(gpu, half, () =>
      gpu.step(() => {
        let pass: keyof typeof types = 'forward';
        gpu.onTensor = ({ axes, type }) => axes === 'NCHW' && types[pass].add(type);
        const { saliency, diagnosis } = predictBatch(gpu, model, batch, config).losses;
        const loss = add(saliency!, diagnosis!);
        pass = 'backward';
        backward(loss);
      }),
    );
    expect(types.forward).toContain('f16');
    expect([...types.backward]).toEqual(['f32']);
  });

  it('keeps the gradient of the diagnosis beside a saliency loss a thousand times as heavy', async () => {
    const gpu = await testGpu();
    if (!gpu.features.has('shader-f16')) {
      expect(() => scalerOf(gpu, half)).toThrow('shader-f16'); // nothing is computed in half precision there
      return;
    }
    using model = buildNetwork(gpu, { ...config.network, base: 8, dropout: 0 }, 3, 1);
    const parameters = [...model.parameters()].map(({ tensor }) => tensor);
    const gradientOf = async (weights: readonly [number, number]) => {
      const found = await asConfigured(gpu, half, () =>
        gpu.step(() => {
          const { saliency, diagnosis } = predictBatch(gpu, model, batch, config).losses;
          const loss = add(scale(saliency!, weights[0]), scale(diagnosis!, weights[1]));
          return { of: gradients(loss, parameters).map((gradient) => gradient!.view('C', [gradient!.size])) };
        }),
      );
      return found.of.flatMap((values) => [...values]);
    };
    const both = await gradientOf([1000, 1]);
    const saliency = await gradientOf([1000, 0]);
    const diagnosis = await gradientOf([0, 1]);
    const length = (values: readonly number[]) => Math.sqrt(values.reduce((total, value) => total + value ** 2, 0));
    // With gradients in float16 this ratio is 27.
    const lost = both.map((value, i) => value - saliency[i] - diagnosis[i]);
    expect(length(lost) / length(diagnosis)).toBeLessThan(0.05);
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
