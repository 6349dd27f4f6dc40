/** Every scheme trains MT-UNet, says its weights, and goes on from a checkpoint with the same bits. */
import { expect, it } from 'vitest';
import { syntheticChests } from '../../../src/data/synthetic.ts';
import { type Checkpoint, readCheckpoint, writeCheckpoint } from '../../../src/mtunet/checkpoint.ts';
import { resolveConfig } from '../../../src/mtunet/config.ts';
import type { EpochRecord, StepRecord } from '../../../src/mtunet/records.ts';
import { type SchemeName, schemeNames } from '../../../src/mtunet/schemes/index.ts';
import { Trainer } from '../../../src/mtunet/train.ts';
import { testGpu } from '../../support/gpu.ts';

const configOf = (name: SchemeName, network: 'mt-unet' | 'unet-c' = 'mt-unet', epochs = 3) =>
  resolveConfig('tiny', {
    height: 32,
    width: 32,
    epochs,
    batchSize: 3,
    network: { name: network, base: 1 },
    scheme: { name, saliencyWeight: 0.5, classWeight: 2 },
    synthetic: { train: 6, valid: 3, test: 3 },
  });
const { synthetic } = configOf('sum');
const dataset = syntheticChests({ ...synthetic, height: 32, width: 32 });

/** Trains, each time in a new trainer from the checkpoint's bytes, stopping after `every` steps. */
async function run(name: SchemeName, every = Number.POSITIVE_INFINITY, network?: 'unet-c' | 'mt-unet', epochCount = 3) {
  const gpu = await testGpu();
  const steps: StepRecord[] = [];
  const epochs: EpochRecord[] = [];
  let saved: Checkpoint | null = null;
  for (;;) {
    const stop = new AbortController();
    let count = 0;
    using trainer = new Trainer(gpu, configOf(name, network, epochCount), dataset, {
      step(record) {
        steps.push(record);
        if (++count === every) stop.abort();
      },
      epoch: (record) => epochs.push({ ...record, seconds: 0 }),
      checkpoint(checkpoint) {
        saved = checkpoint;
      },
    });
    if (saved) trainer.resume(readCheckpoint(writeCheckpoint(saved)));
    const outcome = await trainer.run(stop.signal);
    if (outcome.stop === 'interrupted') continue;
    const { current, best, progress } = await trainer.checkpoint();
    return { steps, epochs, bytes: writeCheckpoint({ current, best, progress: { ...progress, seconds: 0 } }) };
  }
}

/** What weights may be, scheme by scheme, beyond finite numbers. */
const weightsSumTo: Partial<Record<SchemeName, number>> = {
  equal: 2,
  sum: 2,
  rlw: 1,
  dwa: 2,
  gradnorm: 2,
  mgda: 1,
  'mgda-ub': 1,
  'imtl-g': 1,
  fixed: 2.5,
};

/** `npm run test:schemes` takes all schemes; else one of each way to step and to remember, because every network compiles and trains here. */
const these = (...some: SchemeName[]): readonly SchemeName[] => (process.env.SCHEMES === 'all' ? schemeNames : some);
const resumed = these('dwa', 'gradnorm', 'imtl');

it.each(resumed)('%s ends with the same bits when it is interrupted', async (name) => {
  const whole = await run(name);
  expect(whole.steps.length).toBe(6);
  const broken = await run(name, 3); // in the middle of the second epoch
  expect(broken.steps).toEqual(whole.steps);
  expect(broken.epochs).toEqual(whole.epochs);
  expect(broken.bytes).toEqual(whole.bytes);
});

it.each(these('mtls3', 'rlw', 'dtp', 'mgda-ub', 'nash'))(
  '%s says its weights, and what follows from them',
  async (name) => {
    const { steps, epochs } = await run(name, undefined, 'mt-unet', 1);
    expect(steps.length).toBe(2);
    for (const { saliencyWeight, classWeight, weightRatio, effectiveClassRate, learningRate } of steps) {
      expect([saliencyWeight, classWeight].every(Number.isFinite)).toBe(true);
      expect(effectiveClassRate).toBeCloseTo(learningRate * classWeight!, 12);
      if (saliencyWeight !== 0) expect(weightRatio).toBe(classWeight! / saliencyWeight!);
      if (name in weightsSumTo) expect(saliencyWeight! + classWeight!).toBeCloseTo(weightsSumTo[name]!, 5);
    }
    const [{ train, valid, classGap, saliencyWeight }] = epochs;
    expect(classGap).toBe(valid.classLoss! - train.classLoss!);
    expect(saliencyWeight).toBeCloseTo((steps[0].saliencyWeight! + steps[1].saliencyWeight!) / 2, 12);
  },
);

it.each(these('gradnorm', 'mgda-ub', 'pcgrad'))('%s trains a network with one task', async (name) => {
  const { steps } = await run(name, undefined, 'unet-c', 1);
  for (const { loss, saliencyWeight, classWeight } of steps) {
    expect(Number.isFinite(loss)).toBe(true);
    expect(saliencyWeight).toBeNull();
    expect(classWeight).toBeGreaterThan(0);
  }
});
