/** The live run is the Trainer, one step at a time; what a hand does to it has the effect that the page tells of. */
import { expect, it } from 'vitest';
import { LiveRun } from '../../src/app/live/live-run.ts';
import { initialSettings, overridesOf } from '../../src/app/live/settings.ts';
import { syntheticChests } from '../../src/data/synthetic.ts';
import { resolveConfig } from '../../src/mtunet/config.ts';
import type { StepRecord } from '../../src/mtunet/records.ts';
import { Trainer } from '../../src/mtunet/train.ts';
import { testGpu } from '../support/gpu.ts';

/** Two make an epoch. */
const STEPS = 3;
const settings = { ...initialSettings, train: 12 };
const config = resolveConfig('tiny', overridesOf(settings, settings.runs[0]));
const data = syntheticChests({ height: config.height, width: config.width, ...config.synthetic });

it('takes the very steps of the Trainer, over the end of an epoch', async () => {
  const gpu = await testGpu();
  const expected: StepRecord[] = [];
  const controller = new AbortController();
  const trainer = new Trainer(gpu, config, data, {
    step(record) {
      expected.push(record);
      if (expected.length === STEPS) controller.abort();
    },
  });
  await trainer.run(controller.signal);
  trainer.dispose();
  const run = new LiveRun(gpu, config, data);
  for (const { loss, saliencyLoss, classLoss, classSigma } of expected) {
    const { row } = await run.step('both');
    expect([row.loss, row.raw.saliency, row.raw.diagnosis, row.sigma.diagnosis]).toEqual([
      loss,
      saliencyLoss,
      classLoss,
      classSigma,
    ]);
  }
  run.dispose();
});

it('goes back to a moment and takes the same way again', async () => {
  const gpu = await testGpu();
  const run = new LiveRun(gpu, config, data);
  await run.step('both');
  const moment = await run.moment();
  const first = await run.step('both');
  run.return(moment);
  expect(run.stepsDone).toBe(1);
  expect((await run.step('both')).row).toEqual(first.row);
  run.dispose();
});

it('follows one task alone, and holds a sigma where it is put', async () => {
  const gpu = await testGpu();
  const run = new LiveRun(gpu, config, data);
  const { row } = await run.step('saliency');
  expect(row.raw.diagnosis).toBeNull();
  expect(row.raw.saliency).toBeGreaterThan(0);
  run.hold('diagnosis', 0.5);
  for (let i = 0; i < 2; i++) {
    const held = (await run.step('both')).row;
    expect(held.sigma.diagnosis).toBeCloseTo(0.5, 6);
    expect(held.weight.diagnosis).toBeCloseTo(4, 4);
  }
  run.dispose();
});
