/** One measured figure, timed by tinybench, with the fields that every engine of the comparison prints. */
import { Bench } from 'tinybench';
import type { Gpu } from '../../src/engine/index.ts';

export interface Figure {
  readonly lib: string;
  readonly backend: 'webgpu' | 'cpu' | 'cuda';
  readonly adapter: string;
  /** What was done, with its sizes. */
  readonly bench: string;
  readonly part?: string;
  /** Billions of floating-point operations, two to a multiplication with addition. */
  readonly gflop?: number;
  readonly median_ms: number;
  readonly min_ms: number;
  readonly max_ms: number;
  /** User and system time of all threads: steadier than the clock when others use the machine. */
  readonly cpu_ms: number;
  /** The first time, with compilation. */
  readonly first_ms: number;
  readonly runs: number;
  readonly gflops?: number;
  /** Whatever else a benchmark has to say, by name and unit. */
  readonly [more: string]: string | number | undefined;
}

export type Tags = Pick<Figure, 'lib' | 'backend' | 'adapter'>;

export interface Context {
  readonly gpu: Gpu;
  readonly tags: Tags;
  readonly runs: number;
}

export interface Benchmark {
  readonly name: string;
  readonly about: string;
  run(context: Context): AsyncGenerator<Figure>;
}

const round = (value: number, digits = 2) => Number(value.toFixed(digits));

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}

export async function cpuOf(work: () => Promise<unknown>): Promise<{ ms: number; cpu: number }> {
  const before = process.cpuUsage();
  const started = performance.now();
  await work();
  const ms = performance.now() - started;
  const { user, system } = process.cpuUsage(before);
  return { ms, cpu: (user + system) / 1000 };
}

/** The first call apart, then one to warm up, then `runs`. */
export async function time(
  { tags, runs }: Pick<Context, 'tags' | 'runs'>,
  { bench, part, gflop }: Pick<Figure, 'bench' | 'part' | 'gflop'>,
  work: () => Promise<unknown>,
  more: () => Record<string, string | number> = () => ({}),
): Promise<Figure> {
  const first = await cpuOf(work);
  const cpu: number[] = [];
  const runner = new Bench({ iterations: runs, time: 0, warmupIterations: 1, warmupTime: 0, retainSamples: true });
  let before = process.cpuUsage();
  runner.add(bench, work, {
    beforeEach: () => {
      before = process.cpuUsage();
    },
    afterEach: () => {
      const { user, system } = process.cpuUsage(before);
      cpu.push((user + system) / 1000);
    },
  });
  const [task] = await runner.run();
  const { result } = task;
  if (!('latency' in result)) throw 'error' in result ? result.error : new Error(`${bench}: no time was measured.`);
  const samples = result.latency.samples ?? [];
  const ms = median(samples);
  return {
    ...tags,
    bench,
    ...(part && { part }),
    ...(gflop && { gflop: round(gflop, 4) }),
    median_ms: round(ms),
    min_ms: round(Math.min(...samples)),
    max_ms: round(Math.max(...samples)),
    cpu_ms: round(median(cpu.slice(-runs)), 1),
    first_ms: round(first.ms, 1),
    runs: samples.length,
    ...(gflop && { gflops: round((gflop / ms) * 1000) }),
    ...more(),
  };
}
