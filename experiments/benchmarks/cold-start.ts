/** From the start of a process to its first finished step, with an empty shader cache. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Benchmark, median } from './figure.ts';
import { nameOf, sharedSize } from './unet.ts';

const child = fileURLToPath(new URL('first-step.mjs', import.meta.url));

export const coldStart: Benchmark = {
  name: 'cold-start',
  about: 'a new process with an empty shader cache until its first step is done',
  async *run({ tags, runs }) {
    const times: number[] = [];
    for (let i = 0; i < Math.min(runs, 3); i++) {
      const cache = mkdtempSync(join(tmpdir(), 'mtunet-cold-'));
      const started = performance.now();
      const env = { ...process.env, MESA_SHADER_CACHE_DIR: cache };
      execFileSync(process.execPath, [child], { env, stdio: ['ignore', 'ignore', 'inherit'] });
      times.push(performance.now() - started);
      rmSync(cache, { recursive: true });
    }
    const ms = Number(median(times).toFixed(0));
    const range = { min_ms: Math.round(Math.min(...times)), max_ms: Math.round(Math.max(...times)) };
    yield {
      ...tags,
      ...{ bench: `cold start, ${nameOf(sharedSize)}`, median_ms: ms, ...range },
      ...{ cpu_ms: 0, first_ms: Math.round(times[0]), runs: times.length },
    };
  },
};
