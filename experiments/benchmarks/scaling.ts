/** How the time of the shared step grows with batch, base and image area. */
import { type Benchmark, time } from './figure.ts';
import { nameOf, sharedSize, stepGflop, unetStep } from './unet.ts';

const small = { ...sharedSize, height: 80, width: 64, batch: 2 };
const sizes = [
  small,
  { ...small, batch: 4 },
  { ...small, batch: 8 },
  { ...small, base: 16 },
  { ...small, height: 160 },
  { ...small, height: 160, width: 128 },
];

export const scaling: Benchmark = {
  name: 'scaling',
  about: 'the step at several batches, bases and image sizes',
  async *run(context) {
    for (const size of sizes) {
      const unet = unetStep(context.gpu, size);
      yield await time(context, { bench: nameOf(size), gflop: stepGflop(size) }, () => unet.run());
      unet.dispose();
      context.gpu.trim();
    }
  },
};
