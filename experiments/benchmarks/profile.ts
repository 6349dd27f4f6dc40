/** Where a step's time goes: each of its dispatches is run again by itself and timed, by processor time on software adapters. */
import type { Command, Gpu } from '../../src/engine/gpu.ts';
import { cpuOf } from './figure.ts';

export interface KernelTime {
  readonly name: string;
  readonly dispatches: number;
  /** Milliseconds a step. */
  readonly ms: number;
  /** How often each dispatch was run. */
  readonly runs: number;
}

/** Of a dispatch in one submission, which shares the price of submitting. */
const REPEATS = 4;
/** Submissions of which the cheapest counts: whatever else the machine does only adds to it. */
const ROUNDS = 4;

/** `step` must run one step of `gpu`. Repeated kernels change parameters, so the network is of no use afterwards. */
export async function profile(gpu: Gpu, step: () => Promise<unknown>): Promise<KernelTime[]> {
  const commands: Command[] = [];
  gpu.onCommand = (command) => commands.push(command);
  try {
    await step();
  } finally {
    gpu.onCommand = null;
  }
  const submission = await cheapest(gpu, () => {});
  const totals = new Map<string, { dispatches: number; ms: number }>();
  for (const command of commands) {
    if (command.kind !== 'dispatch') continue;
    const ms = await cheapest(gpu, (pass) => {
      pass.setPipeline(command.pipeline);
      pass.setBindGroup(0, command.bindGroup);
      for (let i = 0; i < REPEATS; i++) pass.dispatchWorkgroups(command.x, command.y, command.z);
    });
    const entry = totals.get(command.name) ?? { dispatches: 0, ms: 0 };
    entry.dispatches++;
    entry.ms += Math.max(0, ms - submission) / REPEATS;
    totals.set(command.name, entry);
  }
  return [...totals]
    .map(([name, { dispatches, ms }]) => ({ name, dispatches, ms: Number(ms.toFixed(2)), runs: REPEATS * ROUNDS }))
    .sort((a, b) => b.ms - a.ms);
}

/** Milliseconds of a submission with what `fill` records. */
async function cheapest(gpu: Gpu, fill: (pass: GPUComputePassEncoder) => void): Promise<number> {
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const encoder = gpu.device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    fill(pass);
    pass.end();
    const ready = encoder.finish();
    const { ms, cpu } = await cpuOf(async () => {
      gpu.device.queue.submit([ready]);
      await gpu.settle();
    });
    times.push(gpu.description.software ? cpu : ms);
  }
  return Math.min(...times);
}
