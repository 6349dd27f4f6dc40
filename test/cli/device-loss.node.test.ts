/** A run that loses its device goes on with another from the last checkpoint, to the same bits. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { withGpu } from '../../src/cli/gpu-session.ts';
import { loadData } from '../../src/cli/load-data.ts';
import { RunFolder } from '../../src/cli/run-folder.ts';
import { trainRun } from '../../src/cli/train-run.ts';
import type { Gpu } from '../../src/engine/index.ts';
import { resolveConfig } from '../../src/mtunet/config.ts';
import { SMALL } from '../support/command.ts';
import { remains } from '../support/remains.ts';

const config = resolveConfig('tiny', { ...SMALL, epochs: 2 });
const dataset = loadData(config);
let place: string;
beforeAll(() => {
  place = mkdtempSync(join(tmpdir(), 'mtunet-'));
});
afterAll(() => rmSync(place, { recursive: true }));

/** Trains as `mtunet train` does, and takes the device away before these steps; the steps of a device are counted from 0. */
async function train(name: string, losses: readonly number[]) {
  const folder = RunFolder.create(join(place, name), config);
  let devices = 0;
  let steps = 0;
  await withGpu((gpu, signal) => {
    const loss = losses[devices++];
    steps = 0;
    gpu.step = function (this: Gpu, ...args) {
      if (steps++ === loss) this.device.destroy();
      return Object.getPrototypeOf(this).step.apply(this, args);
    } as typeof gpu.step;
    return trainRun(gpu, folder, dataset, signal);
  });
  return { devices, steps, left: remains(folder.path) };
}

it('ends with the same bits wherever the device is lost', async () => {
  const whole = await train('whole', []);
  expect(whole.devices).toBe(1);
  // In the first epoch, before any checkpoint; in the evaluation; in a later epoch, and again soon after.
  for (const [name, losses] of Object.entries({
    early: [2],
    evaluation: [whole.steps - 1],
    twice: [Math.floor(whole.steps / 2), 3],
  })) {
    const broken = await train(name, losses);
    expect(broken.devices, name).toBe(losses.length + 1);
    expect(broken.left, name).toEqual(whole.left);
  }
});

it('gives up on a device that is lost again and again, and says how to go on', async () => {
  await expect(train('hopeless', [0, 0, 0])).rejects.toThrow(
    /the device was lost 3 times, .*choose another adapter .*mtunet resume\.$/,
  );
});
