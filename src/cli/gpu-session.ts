/** A device for the time of one command, and the signal that Ctrl-C gives. */
import { DeviceLostError, type Gpu, openGpu } from '../engine/index.ts';
import { Failure } from './failure.ts';
import { interruptSignal } from './interrupt.ts';
import { note } from './messages.ts';

/** A device that is lost again and again within this time of being opened is not worth opening anew. */
const PATIENCE_MS = 60_000;
const LOSSES = 3;

/**
 * Work that loses its device is done again on a new one, so it must be such as can be: a run goes on from its last checkpoint, an
 * evaluation begins anew.
 */
export async function withGpu<T>(work: (gpu: Gpu, signal: AbortSignal) => Promise<T>): Promise<T> {
  const interrupt = interruptSignal(note);
  try {
    for (let losses = 0; ; ) {
      const opened = performance.now();
      using gpu = await openGpu();
      note(`adapter: ${gpu.description.name} (${gpu.description.why})`);
      try {
        return await work(gpu, interrupt.signal);
      } catch (error) {
        if (!(error instanceof DeviceLostError)) throw error;
        losses = performance.now() - opened < PATIENCE_MS ? losses + 1 : 1;
        if (losses === LOSSES)
          throw new Failure(
            `${gpu.description.name}: the device was lost ${LOSSES} times, each within ${PATIENCE_MS / 1000} s; choose another adapter (mtunet devices), then go on with: mtunet resume.`,
          );
        note(`${error.message.replace(/;.*/s, '')}; going on from the last checkpoint with a new device.`);
      }
    }
  } finally {
    interrupt.dispose();
  }
}
