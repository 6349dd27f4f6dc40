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

/** Forward, gradient of the input, gradient of the weight. */
export function convParts({ gpu }: Pick<Context, 'gpu'>, { N, C, O, H, W }: ConvSize) {
  const geometry: ConvGeometry = {
    ...{ N, C, H, W, O, R: 3, S: 3, P: H, Q: W },
    ...{ strideH: 1, strideW: 1, padH: 1, padW: 1, dilationH: 1, dilationW: 1, groups: 1 },
  };
  const input = upload(gpu, 'NCHW', [N, C, H, W], noise(N * C * H * W, 0), 'input');
  const weight = upload(gpu, 'OCRS', [O, C, 3, 3], noise(O * C * 9, 1), 'weight');
  const gradient = upload(gpu, 'NCHW', [N, O, H, W], noise(N * O * H * W, 2), 'gradient');
  const run = async (body: () => unknown) => {
    gpu.step(() => {
      body();
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

export const witness: Benchmark = {
  name: 'witness',
  about:
    'the same by the plain kernels, which every other is checked against, in turns: how many times faster the chosen ones are',
  async *run(context) {
    const { choices } = context.gpu;
    const { dispose, ...parts } = convParts(context, trio);
    for (const [part, run] of Object.entries(parts)) {
      const taken: Record<'plain' | 'chosen', number[]> = { plain: [], chosen: [] };
      for (let round = 0; round <= context.runs; round++) {
        for (const kind of ['plain', 'chosen'] as const) {
          choices.everywhere = kind === 'plain' ? 'plain' : null;
          const { cpu, ms } = await cpuOf(run);
          if (round > 0) taken[kind].push(context.gpu.description.software ? cpu : ms); // the first round compiles
        }
      }
      choices.everywhere = null;
      const plain = median(taken.plain);
      const ratio = Number((plain / median(taken.chosen)).toFixed(2));
      yield {
        ...context.tags,
        ...{ bench: `${nameOf(trio)} by the plain kernel`, part, median_ms: plain, min_ms: Math.min(...taken.plain) },
        ...{ max_ms: Math.max(...taken.plain), cpu_ms: plain, first_ms: taken.plain[0], runs: context.runs },
        plain_to_chosen: ratio,
      };
    }
    dispose();
  },
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
