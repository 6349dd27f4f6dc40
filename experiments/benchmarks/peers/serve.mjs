/**
 * A worker of the comparison: does one named task each time that a line with its name arrives, and answers with its times.
 *
 *     -> {"ready": "jax-js 0.1.25", "adapter": "...", "parts": ["step", "fwd", "dx", "dw"]}
 *     <- step
 *     -> {"ms": 3600.1, "cpu": 7100}            and "bytes", the most that the device has held, where an engine tells
 */
import { createInterface } from 'node:readline';

export async function serve(lib, adapter, tasks, peakBytes = () => undefined) {
  const say = (message) => process.stdout.write(`${JSON.stringify(message)}\n`);
  say({ ready: lib, adapter, parts: Object.keys(tasks) });
  for await (const part of createInterface({ input: process.stdin })) {
    const before = process.cpuUsage();
    const started = performance.now();
    try {
      await tasks[part]();
    } catch (problem) {
      say({ error: String(problem?.message ?? problem).slice(0, 300) });
      continue;
    }
    const ms = performance.now() - started;
    const { user, system } = process.cpuUsage(before);
    say({ ms, cpu: (user + system) / 1000, bytes: peakBytes() });
  }
  process.exit(0);
}

/** The network of the shared step: [name, inputs, outputs] of each convolution 3x3. */
export function convolutions(base) {
  const widths = [1, 2, 4, 8, 16].map((factor) => factor * base);
  const list = [];
  for (let level = 0; level < 5; level++) {
    list.push([`down${level}a`, level ? widths[level - 1] : 1, widths[level]]);
    list.push([`down${level}b`, widths[level], widths[level]]);
  }
  for (let level = 3; level >= 0; level--) {
    list.push([`raise${level}`, widths[level + 1], widths[level]]);
    list.push([`up${level}a`, widths[level + 1], widths[level]], [`up${level}b`, widths[level], widths[level]]);
  }
  list.push(['head', base, base]);
  return list;
}

/** Of the step. */
export const size = JSON.parse(process.env.MTUNET_BENCH_STEP ?? '{"base":8,"batch":6,"height":160,"width":112}');
export const trio = { batch: 4, channels: 32, height: 104, width: 160 };

let state = 1;
export const random = () => {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return state / 2 ** 32;
};
export const noise = (length) => Float32Array.from({ length }, () => random() - 0.5);
/** He's initial values, from a uniform distribution. */
export const weights = (length, fanIn) => noise(length).map((value) => value * Math.sqrt(24 / fanIn));

/** Positive maps with sum 1 for each image. */
export function maps(batch, pixels) {
  const values = Float32Array.from({ length: batch * pixels }, () => random() + 1e-3);
  for (let n = 0; n < batch; n++) {
    const map = values.subarray(n * pixels, (n + 1) * pixels);
    const total = map.reduce((sum, value) => sum + value, 0);
    for (let i = 0; i < pixels; i++) map[i] /= total;
  }
  return values;
}
