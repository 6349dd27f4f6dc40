/** The shared training step, whole; and its kernels one by one. */
import { type Benchmark, median, time } from './figure.ts';
import { profile } from './profile.ts';
import { nameOf, sharedSize, stepGflop, unetStep } from './unet.ts';

export const step: Benchmark = {
  name: 'step',
  about: 'the shared U-Net training step (base 8, 160 x 112, batch 6)',
  async *run(context) {
    const unet = unetStep(context.gpu, sharedSize);
    const host: number[] = [];
    yield await time(
      context,
      { bench: nameOf(sharedSize), gflop: stepGflop(sharedSize) },
      async () => {
        await unet.run();
        host.push(unet.hostMs);
      },
      () => ({ host_ms: Number(median(host.slice(-context.runs)).toFixed(2)) }),
    );
    unet.dispose();
  },
};

export const kernels: Benchmark = {
  name: 'kernels',
  about: 'processor or GPU time of every kernel of that step',
  async *run({ gpu, tags }) {
    const unet = unetStep(gpu, sharedSize);
    await unet.run();
    const times = await profile(gpu, () => unet.run());
    const total = times.reduce((sum, { ms }) => sum + ms, 0);
    for (const { name, dispatches, ms, runs } of times) {
      const figure = { median_ms: ms, min_ms: ms, max_ms: ms, cpu_ms: ms, first_ms: ms, runs };
      const percent = Number(((100 * ms) / total).toFixed(1));
      yield { ...tags, bench: 'kernels of the step', part: name, dispatches, percent, ...figure };
    }
    unet.dispose();
  },
};
