/** Tensors above a device's binding limit: what spreading them over several bindings costs, and a step of preset paper at batch 1. */
import { openGpu } from '../../src/engine/index.ts';
import { presets } from '../../src/mtunet/config.ts';
import { convParts, trio } from './conv.ts';
import { type Benchmark, cpuOf, time } from './figure.ts';
import { nameOf, unetStep } from './unet.ts';

/** A tensor of the trio is 8.5 MB: three bindings. */
const LOWERED = 4e6;

export const bindings: Benchmark = {
  name: 'bindings',
  about: 'the convolution trio with every tensor in one binding, and spread over three',
  async *run({ tags, runs }) {
    for (const largestBinding of [undefined, LOWERED]) {
      using gpu = await openGpu({ largestBinding });
      const { dispose, ...parts } = convParts({ gpu }, trio);
      const bench = largestBinding ? `conv trio, bindings of ${LOWERED / 1e6} MB` : 'conv trio, whole';
      for (const [part, run] of Object.entries(parts)) yield await time({ tags, runs }, { bench, part }, run);
      dispose();
    }
  },
};

export const paperStep: Benchmark = {
  name: 'paper-step',
  about: 'one step of preset paper at batch 1, minutes on a processor: its loss and its bytes',
  async *run({ gpu, tags }) {
    const { network, height, width, memory } = presets.paper;
    const size = { base: network.base, height, width, batch: 1 };
    gpu.trim();
    gpu.recomputes = memory === 'recompute';
    gpu.pool.resetPeak();
    const unet = unetStep(gpu, size);
    let loss = Number.NaN;
    const { ms, cpu } = await cpuOf(async () => {
      loss = await unet.run();
    });
    const { peakBytes, pooledBytes } = gpu.memory();
    const once = { median_ms: ms, min_ms: ms, max_ms: ms, cpu_ms: cpu, first_ms: ms, runs: 1 };
    yield {
      ...tags,
      bench: nameOf(size),
      part: memory,
      ...once,
      loss,
      peak_bytes: peakBytes,
      pooled_bytes: pooledBytes,
    };
    unet.dispose();
    gpu.recomputes = false;
    gpu.trim();
  },
};
