/** How fast the adapter is: products, convolutions by each family, bytes, dispatches, and one training step of the presets. */
import { syntheticChests } from '../data/synthetic.ts';
import { type Gpu, matmul, relu, type Tensor, upload } from '../engine/index.ts';
import {
  type ConvFamilyName,
  type ConvGeometry,
  convFamilies,
  convForward,
  convGradInput,
  convGradWeight,
} from '../engine/ops/conv2d-kernels.ts';
import { resolveConfig, type TrainConfig } from '../mtunet/config.ts';
import { networkCosts, trainingMemory } from '../mtunet/costs.ts';
import { Trainer } from '../mtunet/train.ts';
import type { Speed } from './report.ts';
import type { Session } from './session.ts';

/** Runs of one measurement: as many as fit into this time, from three on. */
const SAMPLE_MS = 400;
const LEAST_RUNS = 3;
const MOST_RUNS = 50;

/** Milliseconds of each run; the first, which compiles, is left out. */
async function timed(run: () => Promise<unknown>, sampleMs = SAMPLE_MS): Promise<number[]> {
  await run();
  const times: number[] = [];
  const started = performance.now();
  while (times.length < LEAST_RUNS || (performance.now() - started < sampleMs && times.length < MOST_RUNS)) {
    const begun = performance.now();
    await run();
    times.push(performance.now() - begun);
  }
  return times;
}

/** The median of what `value` makes of the times, and the extremes. */
function speedOf(name: string, unit: Speed['unit'], times: readonly number[], value: (ms: number) => number): Speed {
  const sorted = times.map(value).sort((a, b) => a - b);
  const short = (x: number) => Number(x.toPrecision(4));
  return {
    name,
    value: short(sorted[sorted.length >> 1]),
    unit,
    lowest: short(sorted[0]),
    highest: short(sorted[sorted.length - 1]),
    runs: times.length,
  };
}

const filled = (length: number) => new Float32Array(length).fill(0.5);

/** @param share where in the whole check this part begins and ends */
export async function measureSpeed(
  session: Session,
  [from, to]: readonly [number, number],
  presets: readonly string[],
): Promise<Speed[]> {
  const speeds: Speed[] = [];
  const { gpu } = session;
  const parts: [name: string, measure: () => Promise<Speed | null>][] = [
    ['dispatch', () => dispatchTime(gpu)],
    ['memory bandwidth', () => bandwidth(gpu)],
    ['matmul', () => product(gpu)],
    ...presets.map(
      (name) =>
        [`step of preset ${name}`, () => presetStep(session, name, to)] as [string, () => Promise<Speed | null>],
    ),
    ...(Object.keys(convFamilies) as ConvFamilyName[]).flatMap((family) =>
      (['forward', 'gradInput', 'gradWeight'] as const).map(
        (pass) =>
          [`conv2d ${pass} by ${family}`, () => convolution(gpu, family, pass)] as [
            string,
            () => Promise<Speed | null>,
          ],
      ),
    ),
  ];
  for (const [i, [name, measure]] of parts.entries()) {
    await session.progress(from + ((to - from) * i) / parts.length, `speed: ${name}`);
    if (!session.before(to)) {
      session.notRun.push({ name, why: 'no time left' });
      continue;
    }
    try {
      const speed = await measure();
      if (speed) speeds.push(speed);
    } catch (problem) {
      session.notRun.push({ name, why: (problem as Error).message.split('\n', 1)[0] });
      await gpu.settle().catch(() => undefined);
    }
  }
  return speeds;
}

async function dispatchTime(gpu: Gpu): Promise<Speed> {
  const DISPATCHES = 256;
  const input = upload(gpu, 'C', [64], filled(64));
  const times = await timed(async () => {
    void gpu.step(() => {
      for (let i = 0; i < DISPATCHES; i++) relu(input);
    });
    await gpu.settle();
  });
  input.release();
  return speedOf('dispatch', 'us', times, (ms) => (ms * 1000) / DISPATCHES);
}

async function bandwidth(gpu: Gpu): Promise<Speed> {
  const size = gpu.description.software ? 2 ** 22 : 2 ** 26;
  const input = upload(gpu, 'C', [size], filled(size));
  const times = await timed(async () => {
    void gpu.step(() => void relu(input));
    await gpu.settle();
  });
  input.release();
  gpu.trim();
  return speedOf('memory bandwidth', 'GB/s', times, (ms) => (8 * size) / ms / 1e6);
}

async function product(gpu: Gpu): Promise<Speed> {
  const side = gpu.description.software ? 256 : 2048;
  const [a, b] = ['BIK', 'BKJ'].map((axes) => upload(gpu, axes, [1, side, side], filled(side * side)));
  const times = await timed(async () => {
    void gpu.step(() => void matmul(a as Tensor<'BIK'>, b as Tensor<'BKJ'>));
    await gpu.settle();
  });
  for (const tensor of [a, b]) tensor.release();
  gpu.trim();
  return speedOf('matmul', 'GFLOP/s', times, (ms) => (2 * side ** 3) / ms / 1e6);
}

/** 3 x 3 over as many channels in as out; the depthwise family computes one with a group for each channel. */
async function convolution(gpu: Gpu, family: ConvFamilyName, pass: 'forward' | 'gradInput' | 'gradWeight') {
  const small = gpu.description.software;
  const [N, C, H, W] = small ? [1, 32, 64, 64] : [4, 64, 160, 104];
  const groups = family === 'depthwise' ? C : 1;
  const geometry: ConvGeometry = {
    ...{ N, C, H, W, O: C, R: 3, S: 3, P: H, Q: W, groups },
    ...{ strideH: 1, strideW: 1, padH: 1, padW: 1, dilationH: 1, dilationW: 1 },
  };
  if (!convFamilies[family].fits(gpu, geometry, pass)) return null;
  const input = upload(gpu, 'NCHW', [N, C, H, W], filled(N * C * H * W));
  const weight = upload(gpu, 'OCRS', [C, C / groups, 3, 3], filled((9 * C * C) / groups));
  gpu.choices.everywhere = family;
  try {
    const times = await timed(async () => {
      void gpu.step(() => {
        if (pass === 'forward') convForward(geometry, input, weight, null);
        else if (pass === 'gradInput') convGradInput(geometry, input, weight);
        else convGradWeight(geometry, input, input);
      });
      await gpu.settle();
    }, SAMPLE_MS / 2);
    const flop = (18 * N * C * C * H * W) / groups;
    return speedOf(`conv2d ${pass} by ${family}`, 'GFLOP/s', times, (ms) => flop / ms / 1e6);
  } finally {
    gpu.choices.everywhere = null;
    for (const tensor of [input, weight]) tensor.release();
    gpu.trim();
  }
}

/** Steps of one preset, batch and image size as the preset has them; from the second step on, which compiles nothing. */
async function presetStep(session: Session, preset: string, to: number): Promise<Speed | null> {
  const { gpu } = session;
  const STEPS = 4;
  const pace = paces.get(session);
  const name = `step of preset ${preset}`;
  const { batchSize } = resolveConfig(preset);
  const config = resolveConfig(preset, { epochs: 1, synthetic: { train: (STEPS + 1) * batchSize, valid: 3, test: 3 } });
  const products = productsOf(config);
  const refusal = refusalOf(session, config, (products * (pace ?? 0)) / 1000, to);
  if (refusal) {
    session.notRun.push({ name, why: refusal });
    return null;
  }
  const controller = new AbortController();
  const times: number[] = [];
  const { height, width, synthetic } = config;
  const data = syntheticChests({ height, width, ...synthetic });
  using trainer = new Trainer(gpu, config, data, {
    step() {
      times.push(performance.now());
      // The presets grow: where one step leaves no time for a second, the next preset has none either.
      if (times.length === STEPS || (times.length > 1 && !session.before(to))) controller.abort();
    },
  });
  await trainer.run(controller.signal);
  gpu.trim();
  const each = times.slice(1).map((time, i) => time - times[i]);
  if (each.length === 0) return null;
  const speed = speedOf(name, 'ms', each, (ms) => ms);
  paces.set(session, speed.value / products);
  return speed;
}

/** Milliseconds for a product, of the preset before. */
const paces = new WeakMap<Session, number>();
/** A software adapter takes a machine's own memory. */
const MOST_ON_SOFTWARE = 2 ** 32;

/** Multiplications of a forward pass over one batch. */
const productsOf = ({ network, height, width, batchSize }: TrainConfig) =>
  networkCosts({ ...network, classes: 3 }, { height, width }).multiplyAdds * batchSize;

/** Why a step of this preset is not tried, or null. The forecast is of one step; two are needed. */
function refusalOf({ gpu, secondsLeft }: Session, config: TrainConfig, forecast: number, to: number): string | null {
  const { network, height, width, batchSize, memory } = config;
  const { peak } = trainingMemory({ ...network, classes: 3 }, { height, width, batchSize }, { memory, like: gpu });
  if (gpu.description.software && peak > MOST_ON_SOFTWARE)
    return `a step needs ${(peak / 2 ** 30).toFixed(1)} GiB, which a software adapter takes from the machine's own memory`;
  const left = secondsLeft(to);
  return 2 * forecast > left
    ? `two steps would take about ${Math.round(2 * forecast)} s, and ${Math.max(0, Math.round(left))} s are left`
    : null;
}
