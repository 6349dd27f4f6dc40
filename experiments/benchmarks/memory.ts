/** Bytes that the shared step holds, at most and afterwards, in step 3 and in step 100. */
import { type Benchmark, time } from './figure.ts';
import { nameOf, sharedSize, unetStep } from './unet.ts';

const smaller = { ...sharedSize, base: 4, height: 32, width: 32 };

export const memory: Benchmark = {
  name: 'memory',
  about: 'peak, live and pooled bytes of the shared step; whether step 100 holds what step 3 held',
  async *run({ gpu, tags }) {
    gpu.trim();
    gpu.pool.resetPeak();
    const unet = unetStep(gpu, sharedSize);
    const figure = await time({ tags, runs: 2 }, { bench: `memory of ${nameOf(sharedSize)}` }, () => unet.run());
    const { peakBytes, liveBytes, pooledBytes } = gpu.memory();
    yield { ...figure, peak_bytes: peakBytes, live_bytes: liveBytes, pooled_bytes: pooledBytes };
    unet.dispose();
    gpu.trim();

    const small = unetStep(gpu, smaller);
    for (let i = 0; i < 3; i++) await small.run();
    const third = gpu.memory();
    const rest = await time({ tags, runs: 95 }, { bench: `memory of ${nameOf(smaller)}, steps 3 and 100` }, () =>
      small.run(),
    );
    const last = gpu.memory();
    yield {
      ...rest,
      live_bytes_3: third.liveBytes,
      live_bytes_100: last.liveBytes,
      pooled_bytes_3: third.pooledBytes,
      pooled_bytes_100: last.pooledBytes,
    };
    small.dispose();
  },
};
