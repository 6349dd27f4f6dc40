/** The comparison: ours and the peers' engines take turns at the same work in one run, so that a busy machine is busy for all. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { type Figure, median } from './figure.ts';
import { sharedSize, stepGflop } from './unet.ts';

const here = fileURLToPath(new URL('.', import.meta.url));
const root = fileURLToPath(new URL('../../', import.meta.url));
const GFLOP: Readonly<Record<string, number>> = {
  step: stepGflop(sharedSize),
  conv: (18 * 4 * 32 * 32 * 104 * 160) / 1e9,
};

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
  readonly ms?: number;
  readonly cpu?: number;
  readonly error?: string;
}

class Worker {
  lib = '';
  adapter = '';
  readonly times = new Map<string, { ms: number[]; cpu: number[]; first: number }>();
  private readonly child: ChildProcess;
  private readonly answers: AsyncIterator<string>;

  constructor(command: string, args: readonly string[], cwd: string) {
    this.child = spawn(command, args, { cwd, stdio: ['pipe', 'pipe', 'inherit'] });
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
  /** Which engines: any of ours, jax, tfjs, torch; ours always runs. */
  readonly engines: readonly string[];
  readonly parts: readonly string[];
}

export async function comparePeers(
  { runs, engines, parts }: PeersOptions,
  note: (line: string) => void,
): Promise<Figure[]> {
  const cache = install();
  const node = process.execPath;
  const loader = ['--conditions=mtunet-source', '--import', `${root}scripts/typescript.mjs`];
  const starts: Record<string, () => Worker> = {
    ours: () => new Worker(node, [...loader, `${here}ours.mjs`], root),
    jax: () => new Worker(node, ['jax.mjs'], cache),
    tfjs: () => new Worker(node, ['tfjs.mjs'], cache),
    torch: () => new Worker(process.env.MTUNET_PYTHON ?? '/usr/bin/python3', ['torch_worker.py'], cache),
  };
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
  return workers.flatMap((worker) => parts.map((part) => figureOf(worker, part)));
}

function figureOf({ lib, adapter, times }: Worker, part: string): Figure {
  const { ms, cpu, first } = times.get(part)!;
  const isStep = part === 'step';
  const gflop = GFLOP[isStep ? 'step' : 'conv'];
  const fixed = (value: number, digits = 2) => Number(value.toFixed(digits));
  return {
    lib,
    backend: lib.startsWith('PyTorch') ? 'cpu' : 'webgpu',
    adapter,
    bench: isStep ? 'unet train step base8 160x112 b6' : 'conv3x3 b4 32->32 104x160',
    ...(isStep ? {} : { part }),
    gflop: fixed(gflop, 4),
    median_ms: fixed(median(ms)),
    min_ms: fixed(Math.min(...ms)),
    max_ms: fixed(Math.max(...ms)),
    cpu_ms: fixed(median(cpu), 1),
    first_ms: fixed(first, 1),
    runs: ms.length,
    gflops: fixed((gflop / median(ms)) * 1000),
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
