/** All that a machine with a GPU is asked for, in one file: the check, the peers, the kernels that are fastest on it, and training steps. */
import { runtime } from '#gpu-host';
import { tuneAndStore } from '../../src/cli/kernel-choices.ts';
import { packageVersion } from '../../src/cli/provenance.ts';
import { writeWhole } from '../../src/cli/whole-file.ts';
import { syntheticChests } from '../../src/data/synthetic.ts';
import { checkMachine } from '../../src/doctor/index.ts';
import { type Gpu, openGpu } from '../../src/engine/index.ts';
import { resolveConfig } from '../../src/mtunet/config.ts';
import { Trainer } from '../../src/mtunet/train.ts';
import { comparePeers } from './peers.ts';
import type { UnetSize } from './unet.ts';

export interface ReportAsked {
  readonly out: string;
  readonly preset: string;
  readonly size: UnetSize;
  readonly engines: readonly string[];
  readonly runs: number;
  readonly steps: number;
  readonly seconds: number;
  readonly autotune: 'fast' | 'full';
}

const CLASSES = 3;

/** Writes the file after every part, so that what was measured before a failure is kept. Returns whether all parts succeeded. */
export async function gpuReport(asked: ReportAsked, say: (line: string) => void): Promise<boolean> {
  const { preset, engines, runs, steps, seconds, size } = asked;
  const report: Record<string, unknown> = { format: 'mtunet gpu-report 1', preset, runs, steps };
  let whole = true;
  const part = async (name: string, measure: () => Promise<unknown>) => {
    say(`${name} ...`);
    try {
      report[name] = await measure();
    } catch (problem) {
      whole = false;
      const { message } = problem as Error;
      report[name] = { problem: message };
      say(`${name}: ${message}`);
    }
    writeWhole(asked.out, `${JSON.stringify(report, null, 2)}\n`);
  };
  let kernels: Record<string, string> = {};
  await part('doctor', () =>
    checkMachine({ open: () => openGpu(), version: `mtunet ${packageVersion}`, runtime, seconds }),
  );
  await part('peers', () => comparePeers({ runs, engines: [...engines], parts: ['step'], size }, say));
  await part('autotune', async () => {
    using gpu = await openGpu();
    kernels = await tuneAndStore(gpu, resolveConfig(preset), CLASSES, asked.autotune);
    return kernels;
  });
  await part('training', async () => ({
    fixed_rule_ms: await stepTimes(preset, steps, {}),
    autotuned_ms: await stepTimes(preset, steps, kernels),
  }));
  return whole;
}

/** Milliseconds of each step but the first, which compiles; forward, backward and Adam, data included. */
async function stepTimes(preset: string, steps: number, kernels: Record<string, string>): Promise<number[]> {
  using gpu: Gpu = await openGpu();
  gpu.choices.pin(kernels);
  const { batchSize } = resolveConfig(preset);
  const synthetic = { train: (steps + 2) * batchSize, valid: 3, test: 3 };
  const config = resolveConfig(preset, { epochs: 1, synthetic });
  const data = syntheticChests({ ...config, ...config.synthetic });
  const ended: number[] = [];
  const controller = new AbortController();
  using trainer = new Trainer(gpu, config, data, {
    step() {
      ended.push(performance.now());
      if (ended.length > steps) controller.abort();
    },
  });
  await trainer.run(controller.signal);
  return ended.slice(1).map((time, i) => Number((time - ended[i]).toFixed(2)));
}
