/** Where a step's time goes: each of its dispatches is run again by itself and timed, by processor time on software adapters. */
import type { Command, Gpu } from '../../src/engine/gpu.ts';
import { cpuOf } from './figure.ts';

export interface KernelTime {
  readonly name: string;
  readonly dispatches: number;
  /** Milliseconds a step. */
  readonly ms: number;
}

const REPEATS = 3;

/** `step` must run one step of `gpu`. Repeated kernels change parameters, so the network is of no use afterwards. */
export async function profile(gpu: Gpu, step: () => Promise<unknown>): Promise<KernelTime[]> {
  const commands: Command[] = [];
  gpu.onCommand = (command) => commands.push(command);
  try {
    await step();
  } finally {
    gpu.onCommand = null;
  }
  const totals = new Map<string, { dispatches: number; ms: number }>();
  for (const command of commands) {
    if (command.kind !== 'dispatch') continue;
    const encoder = gpu.device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(command.pipeline);
    pass.setBindGroup(0, command.bindGroup);
    for (let i = 0; i < REPEATS; i++) pass.dispatchWorkgroups(command.x, command.y, command.z);
    pass.end();
    const ready = encoder.finish();
    const { ms, cpu } = await cpuOf(async () => {
      gpu.device.queue.submit([ready]);
      await gpu.device.queue.onSubmittedWorkDone();
    });
    const entry = totals.get(command.name) ?? { dispatches: 0, ms: 0 };
    entry.dispatches++;
    entry.ms += (gpu.description.software ? cpu : ms) / REPEATS;
    totals.set(command.name, entry);
  }
  return [...totals]
    .map(([name, { dispatches, ms }]) => ({ name, dispatches, ms: Number(ms.toFixed(2)) }))
    .sort((a, b) => b.ms - a.ms);
}
