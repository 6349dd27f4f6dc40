/**
 * Bytes that a training step holds, with activations stored and computed again, in float32 and in half precision, and what that costs in
 * time; whether step 100 holds what step 3 held; and what preset paper will need.
 *
 * needed_bytes is what lasts between steps (parameters, moments, statistics) and what the backward pass reads of the forward pass;
 * pooled_bytes is all that the device has given, free buffers included.
 */
import type { Gpu } from '../../src/engine/index.ts';
import { presets } from '../../src/mtunet/config.ts';
import { trainingMemory } from '../../src/mtunet/costs.ts';
import { type Benchmark, type Context, cpuOf, type Figure, median, time } from './figure.ts';
import { nameOf, sharedSize, unetStep } from './unet.ts';

const smaller = { ...sharedSize, base: 4, height: 32, width: 32 };
interface Mode {
  readonly memory: 'store' | 'recompute';
  readonly precision: 'f32' | 'f16';
}

/** Without precisions that the device does not have. */
const modesOf = ({ features }: Pick<Gpu, 'features'>): Mode[] =>
  (['f32', 'f16'] as const)
    .filter((precision) => precision === 'f32' || features.has('shader-f16'))
    .flatMap((precision) => (['store', 'recompute'] as const).map((memory) => ({ memory, precision })));

const partOf = ({ memory, precision }: Mode) => (precision === 'f32' ? memory : `${memory}, ${precision}`);

function choose(gpu: Gpu, { memory, precision }: Mode = { memory: 'store', precision: 'f32' }): void {
  gpu.recomputes = memory === 'recompute';
  gpu.halves = precision === 'f16';
}

const ratio = (a: number, b: number) => Number((a / b).toFixed(3));

export const memory: Benchmark = {
  name: 'memory',
  about:
    'bytes of the shared step, stored and recomputed, with its time; of step 3 and step 100; of preset paper, reckoned',
  async *run(context) {
    yield* bytesOf(context);
    yield* timesOf(context);
    yield* stepsThreeAndHundred(context);
    yield* reckoned(context);
  },
};

async function* bytesOf({ gpu, tags }: Context): AsyncGenerator<Figure> {
  for (const mode of modesOf(gpu)) {
    gpu.trim();
    const before = gpu.memory().liveBytes;
    const unet = unetStep(gpu, sharedSize);
    choose(gpu, mode);
    gpu.pool.resetPeak();
    const what = { bench: `memory of ${nameOf(sharedSize)}`, part: partOf(mode) };
    const figure = await time({ tags, runs: 2 }, what, () => unet.run());
    const { peakBytes, liveBytes, pooledBytes } = gpu.memory();
    const needed = liveBytes - before + unet.savedBytes;
    yield {
      ...figure,
      peak_bytes: peakBytes,
      live_bytes: liveBytes,
      saved_bytes: unet.savedBytes,
      needed_bytes: needed,
      pooled_bytes: pooledBytes,
      pooled_to_needed: ratio(pooledBytes, needed),
    };
    unet.dispose();
  }
  choose(gpu);
  gpu.trim();
}

/** All modes in turns, with one network. */
async function* timesOf({ gpu, tags, runs }: Context): AsyncGenerator<Figure> {
  const unet = unetStep(gpu, sharedSize);
  const first = await cpuOf(() => unet.run());
  const all = modesOf(gpu).map((mode) => ({ mode, taken: [] as { ms: number; cpu: number }[] }));
  for (let round = 0; round <= runs; round++) {
    for (const { mode, taken } of all) {
      choose(gpu, mode);
      const once = await cpuOf(() => unet.run());
      if (round > 0) taken.push(once); // the first round warms up
    }
  }
  choose(gpu);
  unet.dispose();
  const cpu = ({ taken }: (typeof all)[number]) => median(taken.map((once) => once.cpu));
  for (const one of all) {
    const times = one.taken.map(({ ms }) => Number(ms.toFixed(2)));
    yield {
      ...tags,
      bench: `time of ${nameOf(sharedSize)}, in turns`,
      part: partOf(one.mode),
      median_ms: median(times),
      min_ms: Math.min(...times),
      max_ms: Math.max(...times),
      cpu_ms: Number(cpu(one).toFixed(1)),
      first_ms: Number(first.ms.toFixed(1)),
      runs,
      cpu_to_store: ratio(cpu(one), cpu(all[0])),
    };
  }
}

async function* stepsThreeAndHundred({ gpu, tags }: Context): AsyncGenerator<Figure> {
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
}

/** A step on a device that computes nothing: every buffer that it takes from the pool is counted. */
async function* reckoned({ gpu, tags }: Context): AsyncGenerator<Figure> {
  const { network, height, width } = presets.paper;
  for (const batchSize of [1, presets.paper.batchSize]) {
    const each = modesOf({ features: new Set(['shader-f16']) }).map((mode) => ({ ...mode, like: undefined }));
    // What a device needs whose convolutions read in place.
    const here = gpu.fuses ? modesOf({ features: new Set() }).map((mode) => ({ ...mode, like: gpu })) : [];
    for (const mode of [...each, ...here]) {
      let bytes = { lasting: 0, saved: 0, peak: 0, pooled: 0 };
      const options = { ...network, dropout: 0.25, classes: 3 };
      const { ms, cpu } = await cpuOf(async () => {
        bytes = trainingMemory(options, { height, width, batchSize }, mode);
      });
      const once = { median_ms: ms, min_ms: ms, max_ms: ms, cpu_ms: cpu, first_ms: ms, runs: 1 };
      yield {
        ...{
          ...tags,
          adapter: mode.like ? tags.adapter : 'no adapter',
          bench: `memory of preset paper, batch ${batchSize}, reckoned`,
          part: partOf(mode),
        },
        ...once,
        lasting_bytes: bytes.lasting,
        saved_bytes: bytes.saved,
        peak_bytes: bytes.peak,
        pooled_bytes: bytes.pooled,
        pooled_to_needed: ratio(bytes.pooled, bytes.lasting + bytes.saved),
      };
    }
  }
}
