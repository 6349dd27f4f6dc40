/** The comparison: ours and the peers' engines take turns at the same work in one run, so that a busy machine is busy for all. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { type Figure, median } from './figure.ts';
import { nameOf, stepGflop, type UnetSize } from './unet.ts';

const here = fileURLToPath(new URL('.', import.meta.url));
const root = fileURLToPath(new URL('../../', import.meta.url));
const CONV_GFLOP = (18 * 4 * 32 * 32 * 104 * 160) / 1e9;

/** Installs the engines of peers/package.json into a cache folder, once, beside the scripts that drive them. */
function install(): string {
  const cache = join(process.env.MTUNET_CACHE ?? join(homedir(), '.cache/mtunet'), 'peers');
  mkdirSync(cache, { recursive: true });
  const list = `${here}peers/package.json`;
  const before = existsSync(join(cache, 'package.json')) ? readFileSync(join(cache, 'package.json'), 'utf8') : '';
  for (const name of readdirSync(`${here}peers`)) copyFileSync(`${here}peers/${name}`, join(cache, name));
  if (before !== readFileSync(list, 'utf8') || !existsSync(join(cache, 'node_modules'))) {
    execFileSync('npm', ['install', '--no-audit', '--no-fund'], { cwd: cache, stdio: ['ignore', 'ignore', 'inherit'] });
  }
  return cache;
}

interface Answer {
  readonly ready?: string;
  readonly adapter?: string;
  readonly backend?: Figure['backend'];
  readonly ms?: number;
  readonly cpu?: number;
  /** The most that the device has held, where it is told. */
  readonly bytes?: number;
  readonly error?: string;
}

class Worker {
  lib = '';
  adapter = '';
  backend: Figure['backend'] = 'webgpu';
  readonly times = new Map<string, { ms: number[]; cpu: number[]; first: number; bytes?: number }>();
  private readonly child: ChildProcess;
  private readonly answers: AsyncIterator<string>;

  constructor(command: string, args: readonly string[], cwd: string, size: UnetSize) {
    const env = { ...process.env, MTUNET_BENCH_STEP: JSON.stringify(size) };
    this.child = spawn(command, args, { cwd, env, stdio: ['pipe', 'pipe', 'inherit'] });
    this.child.on('error', () => {}); // an engine that is not installed has no first answer
    this.answers = createInterface({ input: this.child.stdout! })[Symbol.asyncIterator]();
  }

  async next(): Promise<Answer | null> {
    for (let turn = await this.answers.next(); !turn.done; turn = await this.answers.next()) {
      if (turn.value.startsWith('{')) return JSON.parse(turn.value);
    }
    return null;
  }

  async start(): Promise<boolean> {
    const hello = await this.next();
    this.lib = hello?.ready ?? '';
    this.adapter = hello?.adapter ?? '';
    this.backend = hello?.backend ?? 'webgpu';
    return this.lib !== '';
  }

  /** The first time of a part, with compilation, is kept apart. */
  async run(part: string): Promise<void> {
    this.child.stdin!.write(`${part}\n`);
    const answer = await this.next();
    if (answer?.ms === undefined) throw new Error(`${this.lib}, ${part}: ${answer?.error ?? 'the process ended'}`);
    const before = this.times.get(part);
    if (!before) {
      this.times.set(part, { ms: [], cpu: [], first: answer.ms });
      return;
    }
    before.bytes = answer.bytes;
    before.ms.push(answer.ms);
    before.cpu.push(answer.cpu!);
  }

  stop(): void {
    this.child.stdin!.end();
    this.child.kill();
  }
}

export interface PeersOptions {
  readonly runs: number;
  /** Which engines: any of ours, jax, tfjs, torch (the processor) and on a GPU of NVIDIA torch-cuda, torch-tf32, torch-amp; ours always runs. */
  readonly engines: readonly string[];
  readonly parts: readonly string[];
  /** Of the step. */
  readonly size: UnetSize;
}

export async function comparePeers(
  { runs, engines, parts, size }: PeersOptions,
  note: (line: string) => void,
): Promise<Figure[]> {
  const cache = install();
  const node = process.execPath;
  const loader = ['--conditions=mtunet-source', '--import', `${root}scripts/typescript.mjs`];
  const python = process.env.MTUNET_PYTHON ?? '/usr/bin/python3';
  const torch = (...how: string[]) => new Worker(python, ['torch_worker.py', ...how], cache, size);
  const starts: Record<string, () => Worker> = {
    ours: () => new Worker(node, [...loader, `${here}ours.mjs`], root, size),
    jax: () => new Worker(node, ['jax.mjs'], cache, size),
    tfjs: () => new Worker(node, ['tfjs.mjs'], cache, size),
    torch: () => torch('cpu'),
    'torch-cuda': () => torch('cuda', 'f32'),
    'torch-tf32': () => torch('cuda', 'tf32'),
    'torch-amp': () => torch('cuda', 'amp'),
  };
  const unknown = engines.find((engine) => !Object.hasOwn(starts, engine));
  if (unknown !== undefined)
    throw new Error(`there is no engine "${unknown}"; there are ${Object.keys(starts).join(', ')}.`);
  const workers: Worker[] = [];
  try {
    for (const name of ['ours', ...engines.filter((engine) => engine !== 'ours')]) {
      const worker = starts[name]();
      workers.push(worker);
      if (await worker.start()) continue;
      note(`${name} does not run here and is left out.`);
      workers.pop();
      worker.stop();
    }
    for (const part of parts) {
      for (let round = 0; round <= runs; round++) {
        for (const worker of workers) await worker.run(part);
        note(`${part}: round ${round} of ${runs}`);
      }
    }
  } finally {
    for (const worker of workers) worker.stop();
  }
  return workers.flatMap((worker) => parts.map((part) => figureOf(worker, part, size)));
}

function figureOf({ lib, adapter, backend, times }: Worker, part: string, size: UnetSize): Figure {
  const { ms, cpu, first, bytes } = times.get(part)!;
  const isStep = part === 'step';
  const gflop = isStep ? stepGflop(size) : CONV_GFLOP;
  const fixed = (value: number, digits = 2) => Number(value.toFixed(digits));
  return {
    lib,
    backend,
    adapter,
    bench: isStep ? nameOf(size) : 'conv3x3 b4 32->32 104x160',
    ...(isStep ? {} : { part }),
    gflop: fixed(gflop, 4),
    median_ms: fixed(median(ms)),
    min_ms: fixed(Math.min(...ms)),
    max_ms: fixed(Math.max(...ms)),
    cpu_ms: fixed(median(cpu), 1),
    first_ms: fixed(first, 1),
    runs: ms.length,
    gflops: fixed((gflop / median(ms)) * 1000),
    ...(bytes ? { peak_bytes: bytes } : {}),
  };
}

/** Each peer's times over ours: of the medians, the extremes of a turn, and the processor times. */
export function ratios(figures: readonly Figure[]): string[] {
  const ours = figures.filter(({ lib }) => lib.startsWith('mtunet'));
  return figures.flatMap((peer) => {
    const own = ours.find(({ bench, part }) => bench === peer.bench && part === peer.part);
    if (!own || own === peer) return [];
    const over = (a: number, b: number) => (a / b).toFixed(2);
    const range = `${over(peer.min_ms, own.max_ms)} - ${over(peer.median_ms, own.median_ms)} - ${over(peer.max_ms, own.min_ms)}`;
    return [`${peer.lib} / ours, ${peer.part ?? 'step'}: ${range} (processor time ${over(peer.cpu_ms, own.cpu_ms)})`];
  });
}
