/**
 * Tries the families of kernels that can compute a convolution, and takes the fastest.
 *
 * Each is first held to the plain kernel, on one image of the layer. The times are taken in turns, so that what else the machine does meets all
 * of them alike; a family whose first run takes three times as long as the best one's is not tried again. The fixed rule's choice stays unless
 * another is clearly faster.
 */
import { ShaderError } from '../faults.ts';
import type { Gpu } from '../gpu.ts';
import { deriveKey, uniform } from '../random.ts';
import { sizeOf, stridesWithin } from '../shape.ts';
import { empty, type Tensor, upload } from '../tensor.ts';
import { copyBox, stridesOf } from './box.ts';
import { type ConvGeometry, type ConvPass, layerClass } from './conv2d-geometry.ts';
import {
  type ConvFamilyName,
  type ConvWork,
  convFamilies,
  convForward,
  convGradInput,
  convGradWeight,
  familyOf,
} from './conv2d-kernels.ts';

/** fast: a few candidates, three rounds; full: every family that fits, nine rounds. */
export type TuneMode = 'fast' | 'full';

export interface Tuned {
  readonly kernel: string;
  /** Median of a run of each candidate. */
  readonly milliseconds: Readonly<Record<string, number>>;
  readonly mode: TuneMode;
  /** Families that computed something else than the plain kernel does, or did not compile, which no choice may fall on. */
  readonly wrong: readonly string[];
}

/** Results of earlier tuning, by adapter and work: a Map, or a file. */
export interface TuneCache {
  get(key: string): Tuned | undefined;
  set(key: string, tuned: Tuned): unknown;
}

const ROUNDS = { fast: 3, full: 9 } as const;
/** Runs of a candidate are repeated until they take about this long, at most MOST_REPEATS times. */
const SAMPLE_MS = 10;
const MOST_REPEATS = 32;
const HOPELESS = 3;
/** What another family must save of the rule's time. */
const CLEARLY = 0.05;
const LARGEST_ERROR = 1e-4;
/** Of two results that are the same before they are rounded to float16: a unit in the last place. */
const UNIT_OF_HALF = 2 ** -10;
/** Sides of the image on which families are compared. */
const COMPARED_SIDE = 48;

/** The name of the work in a cache: a choice is good for a layer, its time is that of a batch. */
export const tuningKey = ({ description }: Gpu, version: string, { pass, geometry }: ConvWork, halves = false) =>
  `${description.name}, ${description.driver}, ${description.backend}, ${version}: N${geometry.N} ${layerClass(pass, geometry)}${halves ? ' f16' : ''}`;

/** Pins nothing: answers the choice for every layer of `works`, from the cache or by trying. */
export async function tuneConvolutions(
  gpu: Gpu,
  works: Iterable<ConvWork>,
  {
    mode,
    halves = false,
    version,
    cache,
    onTuned,
  }: {
    readonly mode: TuneMode;
    /** Whether forward passes are computed in half precision. */
    readonly halves?: boolean;
    /** Of the program: its kernels change. */
    readonly version: string;
    readonly cache: TuneCache;
    readonly onTuned?: (work: string, tuned: Tuned) => void;
  },
): Promise<Record<string, string>> {
  const choices: Record<string, string> = {};
  for (const work of works) {
    const name = layerClass(work.pass, work.geometry);
    const half = halves && work.pass === 'forward';
    const key = tuningKey(gpu, version, work, half);
    let tuned = cache.get(key);
    if (!tuned || (mode === 'full' && tuned.mode === 'fast')) {
      tuned = await inPrecision(gpu, half, () => tune(gpu, work, mode));
      cache.set(key, tuned);
      onTuned?.(name, tuned);
    }
    choices[name] = tuned.kernel;
  }
  return choices;
}

/** Few adapters have them, or few convolutions: where they fit they are likely ones. */
const ANYWHERE: readonly string[] = ['strips', 'columns', 'depthwise', 'matrices'];

function candidatesOf(gpu: Gpu, { pass, geometry }: ConvWork, rule: ConvFamilyName, mode: TuneMode): ConvFamilyName[] {
  const fitting = (Object.keys(convFamilies) as ConvFamilyName[]).filter((name) =>
    convFamilies[name].fits(gpu, geometry, pass),
  );
  if (mode === 'full') return fitting;
  const { C, O, groups } = geometry;
  const rows = (pass === 'gradInput' ? C : O) / groups;
  const few = Math.min(C, O) / groups < 16;
  return fitting.filter((name) => {
    if (name === rule || ANYWHERE.includes(name)) return true;
    if (name === 'winograd') return !gpu.description.software && Math.min(C, O) >= 32;
    if (name === 'plain' || name === 'by-weight') return few;
    const tile = Number(name.replace('gemm-', ''));
    return !gpu.description.software && tile <= 2 * rows && 4 * tile >= Math.min(rows, 256);
  });
}

async function tune(gpu: Gpu, work: ConvWork, mode: TuneMode): Promise<Tuned> {
  const rule = await withFamily(gpu, null, () => familyOf(gpu, work));
  const right: ConvFamilyName[] = [];
  const wrong: ConvFamilyName[] = [];
  const expected = await compute(gpu, work, 'plain');
  for (const name of candidatesOf(gpu, work, rule, mode)) {
    const good = name === 'plain' || (await isRight(gpu, work, name, expected));
    (good ? right : wrong).push(name);
  }
  if (right.length === 1) return { kernel: right[0], milliseconds: {}, mode, wrong };
  using trial = new Trial(gpu, work);
  const first = new Map<ConvFamilyName, number>();
  for (const name of right) {
    await trial.time(name, 1); // compiles
    first.set(name, await trial.time(name, 1));
  }
  const best = Math.min(...first.values());
  const hopeful = right.filter((name) => first.get(name)! <= HOPELESS * best);
  const repeats = Math.max(1, Math.min(MOST_REPEATS, Math.round(SAMPLE_MS / best)));
  const samples = new Map(hopeful.map((name) => [name, [] as number[]]));
  for (let round = 0; round < ROUNDS[mode]; round++)
    for (const name of hopeful) samples.get(name)!.push(await trial.time(name, repeats));
  const times = new Map(right.map((name) => [name, median(samples.get(name) ?? [first.get(name)!])]));
  const fastest = [...times].reduce((a, b) => (b[1] < a[1] ? b : a))[0];
  const ruled = times.get(rule);
  const kernel = ruled !== undefined && times.get(fastest)! > (1 - CLEARLY) * ruled ? rule : fastest;
  const milliseconds = Object.fromEntries([...times].map(([name, ms]) => [name, Number(ms.toPrecision(4))]));
  return { kernel, milliseconds, mode, wrong };
}

async function inPrecision<T>(gpu: Gpu, halves: boolean, body: () => Promise<T>): Promise<T> {
  const before = gpu.halves;
  gpu.halves = halves;
  try {
    return await body();
  } finally {
    gpu.halves = before;
  }
}

async function withFamily<T>(gpu: Gpu, family: string | null, body: () => T | Promise<T>): Promise<T> {
  const before = gpu.choices.everywhere;
  gpu.choices.everywhere = family;
  try {
    return await body();
  } finally {
    gpu.choices.everywhere = before;
  }
}

interface Operands {
  readonly input: Tensor<'NCHW'>;
  readonly weight: Tensor<'OCRS'>;
  readonly gradient: Tensor<'NCHW'>;
}

function run(pass: ConvPass, g: ConvGeometry, { input, weight, gradient }: Operands): Tensor {
  if (pass === 'forward') return convForward(g, input, weight, null);
  if (pass === 'gradInput') return convGradInput(g, gradient, weight);
  return convGradWeight(g, input, gradient).weight;
}

const shapesOf = ({ N, C, H, W, O, R, S, P, Q, groups }: ConvGeometry) => ({
  input: [N, C, H, W],
  weight: [O, C / groups, R, S],
  gradient: [N, O, P, Q],
});

/** The work by one family, on one image of at most COMPARED_SIDE a side. In half precision its operands are numbers that float16 has. */
async function compute(gpu: Gpu, { pass, geometry }: ConvWork, family: string): Promise<Float32Array> {
  const { R, S, strideH, strideW, padH, padW, dilationH, dilationW } = geometry;
  const cut = (side: number, taps: number, dilation: number) =>
    Math.min(side, Math.max(COMPARED_SIDE, dilation * (taps - 1) + 1));
  const [H, W] = [cut(geometry.H, R, dilationH), cut(geometry.W, S, dilationW)];
  const P = Math.floor((H + 2 * padH - dilationH * (R - 1) - 1) / strideH) + 1;
  const Q = Math.floor((W + 2 * padW - dilationW * (S - 1) - 1) / strideW) + 1;
  const small = { ...geometry, N: 1, H, W, P, Q };
  const shapes = shapesOf(small);
  const halved = (values: Float32Array) => (gpu.halves ? values.map((x) => Math.round(x * 1024) / 1024) : values);
  return withFamily(gpu, family, async () => {
    const { result } = await gpu.step(() => {
      const drawn = <A extends string>(axes: A, shape: readonly number[], seed: number) =>
        upload(gpu, axes, shape, halved(noise(sizeOf(shape), seed))) as Tensor<A>;
      const operands = {
        input: drawn('NCHW', shapes.input, 1),
        weight: drawn('OCRS', shapes.weight, 2),
        gradient: drawn('NCHW', shapes.gradient, 3),
      };
      return { result: run(pass, small, operands) as Tensor<'C'> };
    });
    return result;
  });
}

const noise = (size: number, seed: number) => uniform(size, -1, 1, deriveKey(seed, 'tuning'));

/** A family that the driver does not compile, as may happen where it uses what a driver is new to, is none to choose. */
async function isRight(gpu: Gpu, work: ConvWork, family: string, expected: Float32Array): Promise<boolean> {
  try {
    return agree(await compute(gpu, work, family), expected, gpu.halves);
  } catch (problem) {
    if (!(problem instanceof ShaderError)) throw problem;
    await gpu.settle().catch(() => {}); // what else the device has to say of it
    return false;
  }
}

function agree(got: Float32Array, expected: Float32Array, halves: boolean): boolean {
  const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const allowed = (LARGEST_ERROR + (halves ? UNIT_OF_HALF : 0)) * largest;
  return got.every((value, i) => Math.abs(value - expected[i]) <= allowed);
}

/** The operands of one layer, for as long as it is timed. */
class Trial {
  private readonly gpu: Gpu;
  private readonly work: ConvWork;
  private readonly operands: Operands;

  constructor(gpu: Gpu, work: ConvWork) {
    this.gpu = gpu;
    this.work = work;
    const shapes = shapesOf(work.geometry);
    const lasting = <A extends string>(axes: A, shape: readonly number[]) =>
      empty(gpu, axes, shape, 'tuning') as Tensor<A>;
    this.operands = {
      input: lasting('NCHW', shapes.input),
      weight: lasting('OCRS', shapes.weight),
      gradient: lasting('NCHW', shapes.gradient),
    };
    void gpu.step(() => {
      for (const tensor of Object.values(this.operands) as Tensor[]) {
        // One number a channel: what a pool hands out may hold anything, and odd numbers are slow on processors.
        const channels = tensor.shape.map((length, i) => (i === 1 ? length : 1));
        const source = upload(gpu, tensor.axes, channels, noise(tensor.shape[1], 4));
        const strides = stridesWithin(tensor.axes, tensor.shape, source);
        copyBox(source, tensor, {
          lengths: tensor.shape,
          to: stridesOf(tensor.shape),
          from: strides,
          sizes: tensor.shape,
        });
      }
    });
  }

  /** Milliseconds of one run, from `repeats` of them in a step. */
  async time(family: string, repeats: number): Promise<number> {
    const { pass, geometry } = this.work;
    await this.gpu.settle();
    return withFamily(this.gpu, family, async () => {
      const started = performance.now();
      void this.gpu.step(() => {
        for (let i = 0; i < repeats; i++) run(pass, geometry, this.operands).release();
      });
      await this.gpu.settle();
      return (performance.now() - started) / repeats;
    });
  }

  [Symbol.dispose](): void {
    for (const tensor of Object.values(this.operands)) tensor.release();
  }
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1];
}
