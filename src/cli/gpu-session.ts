/** A device for the time of one command, and the signal that Ctrl-C gives. */
import { type Gpu, openGpu } from '../engine/index.ts';
import { interruptSignal } from './interrupt.ts';
import { note } from './messages.ts';

export async function withGpu<T>(work: (gpu: Gpu, signal: AbortSignal) => Promise<T>): Promise<T> {
  const interrupt = interruptSignal(note);
  try {
    using gpu = await openGpu();
    note(`adapter: ${gpu.description.name} (${gpu.description.why})`);
    return await work(gpu, interrupt.signal);
  } finally {
    interrupt.dispose();
  }
}
