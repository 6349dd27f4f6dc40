/** From the start of a process to its first finished step, with an empty shader cache. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Benchmark, median } from './figure.ts';
import { nameOf, sharedSize } from './unet.ts';

const child = fileURLToPath(new URL('first-step.mjs', import.meta.url));

/** What first-step.mjs prints: milliseconds from the start of the process, and processor time of the pipelines and of the first two steps. */
interface FirstStep {
  readonly opened_ms: number;
  readonly done_ms: number;
  readonly compile_cpu_ms: number;
  readonly step_cpu_ms: number;
  readonly next_cpu_ms: number;
}

export const coldStart: Benchmark = {
  name: 'cold-start',
  about:
    'a new process with an empty shader cache until its first step is done; cpu_ms: of that step, next_cpu_ms: of the second',
  async *run({ tags, runs }) {
    const children: FirstStep[] = [];
    for (let i = 0; i < Math.min(runs, 3); i++) {
      const cache = mkdtempSync(join(tmpdir(), 'mtunet-cold-'));
      const env = { ...process.env, MESA_SHADER_CACHE_DIR: cache };
      const told = execFileSync(process.execPath, [child], {
        env,
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      children.push(JSON.parse(told.trim().split('\n').at(-1)!));
      rmSync(cache, { recursive: true });
    }
    const middle = (field: keyof FirstStep) => Math.round(median(children.map((figures) => figures[field])));
    const times = children.map(({ done_ms }) => Math.round(done_ms));
    yield {
      ...tags,
      ...{ bench: `cold start, ${nameOf(sharedSize)}`, median_ms: middle('done_ms') },
      ...{ min_ms: Math.min(...times), max_ms: Math.max(...times), cpu_ms: middle('step_cpu_ms') },
      ...{ first_ms: times[0], runs: times.length, opened_ms: middle('opened_ms') },
      ...{ compile_cpu_ms: middle('compile_cpu_ms'), next_cpu_ms: middle('next_cpu_ms') },
    };
  },
};
