/** Convolutions by themselves: the trio of the comparison, and every layer of MT-UNet. */
import { type ConvGeometry, convForward, convGradInput, convGradWeight } from '../../src/engine/ops/conv2d-kernels.ts';
import { upload } from '../../src/engine/tensor.ts';
import { presets } from '../../src/mtunet/config.ts';
import { type Benchmark, type Context, cpuOf, type Figure, median, time } from './figure.ts';
import { layersOf } from './unet.ts';

export interface ConvSize {
  readonly N: number;
  readonly C: number;
  readonly O: number;
  readonly H: number;
  readonly W: number;
}

export const trio: ConvSize = { N: 4, C: 32, O: 32, H: 104, W: 160 };

const nameOf = ({ N, C, O, H, W }: ConvSize) => `conv3x3 b${N} ${C}->${O} ${H}x${W}`;

const noise = (length: number, seed: number) => {
  let state = seed * 7919 + 12345;
  return Float32Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32 - 0.5;
  });
};

const geometryOf = ({ N, C, O, H, W }: ConvSize): ConvGeometry => ({
  ...{ N, C, H, W, O, R: 3, S: 3, P: H, Q: W },
  ...{ strideH: 1, strideW: 1, padH: 1, padW: 1, dilationH: 1, dilationW: 1, groups: 1 },
});

export const convParts = (context: Pick<Context, 'gpu'>, size: ConvSize) => partsWith(context, geometryOf(size));

/** Forward, gradient of the input, gradient of the weight, each `repeats` times a call. */
export function partsWith({ gpu }: Pick<Context, 'gpu'>, geometry: ConvGeometry, repeats = 1) {
  const { N, C, H, W, O, R, S, P, Q, groups } = geometry;
  const perGroup = C / groups;
  const input = upload(gpu, 'NCHW', [N, C, H, W], noise(N * C * H * W, 0), 'input');
  const weight = upload(gpu, 'OCRS', [O, perGroup, R, S], noise(O * perGroup * R * S, 1), 'weight');
  const gradient = upload(gpu, 'NCHW', [N, O, P, Q], noise(N * O * P * Q, 2), 'gradient');
  const run = async (body: () => unknown) => {
    gpu.step(() => {
      for (let i = 0; i < repeats; i++) body();
    });
    await gpu.settle();
  };
  return {
    fwd: () => run(() => convForward(geometry, input, weight, null)),
    dx: () => run(() => convGradInput(geometry, gradient, weight)),
    dw: () => run(() => convGradWeight(geometry, input, gradient)),
    dispose() {
      for (const tensor of [input, weight, gradient]) tensor.release();
    },
  };
}

async function* partsOf(context: Context, size: ConvSize): AsyncGenerator<Figure> {
  const { dispose, ...parts } = convParts(context, size);
  const gflop = (18 * size.N * size.C * size.O * size.H * size.W) / 1e9;
  for (const [part, run] of Object.entries(parts)) yield await time(context, { bench: nameOf(size), part, gflop }, run);
  dispose();
}

export const conv: Benchmark = {
  name: 'conv',
  about: 'the convolution trio (batch 4, 32 -> 32, 104 x 160)',
  run: (context) => partsOf(context, trio),
};

/** Runs `work` with what `plain` sets and with what `chosen` sets in turns; the figure is the former's, per repeat. */
export async function inTurns(
  { gpu, tags, runs }: Context,
  { bench, part }: Pick<Figure, 'bench' | 'part'>,
  work: () => Promise<unknown>,
  set: { plain(): void; chosen(): void },
  repeats = 1,
): Promise<Figure> {
  const taken: Record<'plain' | 'chosen', number[]> = { plain: [], chosen: [] };
  for (let round = 0; round <= runs; round++) {
    for (const kind of ['plain', 'chosen'] as const) {
      set[kind]();
      const { cpu, ms } = await cpuOf(work);
      if (round > 0) taken[kind].push((gpu.description.software ? cpu : ms) / repeats); // the first round compiles
    }
  }
  const rounded = (ms: number) => Number(ms.toFixed(3));
  const [plain, chosen] = [median(taken.plain), median(taken.chosen)];
  return {
    ...tags,
    ...{
      bench: `${bench} by the plain kernel`,
      ...(part && { part }),
      median_ms: rounded(plain),
      cpu_ms: rounded(plain),
    },
    ...{ min_ms: rounded(Math.min(...taken.plain)), max_ms: rounded(Math.max(...taken.plain)) },
    ...{ first_ms: rounded(taken.plain[0]), runs },
    ...{ chosen_ms: rounded(chosen), plain_to_chosen: Number((plain / chosen).toFixed(2)) },
  };
}

/** The plain kernels and the chosen ones in turns, each part `repeats` times a run. */
export async function* againstPlain(
  context: Context,
  bench: string,
  geometry: ConvGeometry,
  repeats = 1,
): AsyncGenerator<Figure> {
  const { choices } = context.gpu;
  const everywhere = (family: string | null) => () => {
    choices.everywhere = family;
  };
  const set = { plain: everywhere('plain'), chosen: everywhere(null) };
  const { dispose, ...parts } = partsWith(context, geometry, repeats);
  for (const [part, run] of Object.entries(parts)) yield await inTurns(context, { bench, part }, run, set, repeats);
  dispose();
}

export const witness: Benchmark = {
  name: 'witness',
  about:
    'the same by the plain kernels, which every other is checked against, in turns: how many times faster the chosen ones are',
  run: (context) => againstPlain(context, nameOf(trio), geometryOf(trio)),
};

/** Preset paper at batch 1: a layer's activations are then within the binding limit of every adapter but for the joined ones. */
export const layers: Benchmark = {
  name: 'layers',
  about: 'every convolution shape of presets small (batch 6) and paper (batch 1)',
  async *run(context) {
    for (const [{ network, height, width }, N] of [
      [presets.small, 6],
      [presets.paper, 1],
    ] as const) {
      const seen = new Set<string>();
      for (const [C, O, level] of layersOf(network.base)) {
        const size = { N, C, O, H: height >> level, W: width >> level };
        const bytes = 4 * N * Math.max(C, O) * size.H * size.W;
        if (seen.has(nameOf(size)) || bytes > context.gpu.limits.maxStorageBufferBindingSize) continue;
        seen.add(nameOf(size));
        yield* partsOf({ ...context, runs: Math.min(context.runs, 3) }, size);
      }
    }
  },
};
