/**
 * What goes wrong on a device, as one sentence and the next move.
 *
 * WebGPU tells of errors later than they happen: a buffer that found no memory is invalid, and everything that uses it complains. So each
 * thing that may fail is made under an error scope (`watch`), and of all that has arrived by the end of a step, `check` throws the cause.
 */
import type { AdapterDescription } from '#gpu-host';

/** The device is gone, not by gpu.destroy(): a new one has to be opened, and the work gone on with from what was saved. */
export class DeviceLostError extends Error {
  override readonly name = 'DeviceLostError';
}

export class OutOfMemoryError extends Error {
  override readonly name = 'OutOfMemoryError';
}

export class ShaderError extends Error {
  override readonly name = 'ShaderError';
}

/** Calls `make` and hears of its errors; `tell` makes of the device's message what a user is told. */
export type Watch = <T>(
  filters: readonly GPUErrorFilter[],
  make: () => T,
  tell: (message: string, adapter: string) => Error,
) => T;

/** How long the news that a device is lost may come after the failure that it causes. */
const NEWS_MS = 1000;

export class Faults {
  private readonly device: GPUDevice;
  private readonly adapter: string;
  private readonly pending = new Set<Promise<void>>();
  /** The device is closed by intent. */
  private closed = false;
  private loss: DeviceLostError | null = null;
  /** What a watched call has met. */
  private cause: Error | null = null;
  /** What the device complained about beside that. */
  private complaint: Error | null = null;

  constructor(device: GPUDevice, { name }: AdapterDescription) {
    this.device = device;
    this.adapter = name;
    device.addEventListener?.('uncapturederror', this.hear);
    void device.lost.then(({ message }) => this.lose(message));
  }

  /** From here on the device is expected to go; what listens to it would stay in memory with it. */
  close(): void {
    this.closed = true;
    this.device.removeEventListener?.('uncapturederror', this.hear);
  }

  /** Throws when the device is known to be lost or closed. */
  assertPresent(): void {
    if (this.loss) throw this.loss;
    if (this.closed) throw new Error(`${this.adapter}: the device is closed; open another with openGpu().`);
  }

  readonly watch: Watch = (filters, make, tell) => {
    for (const filter of filters) this.device.pushErrorScope(filter);
    try {
      return make();
    } finally {
      for (const _ of filters) this.listen(tell);
    }
  };

  /** Throws the cause of what went wrong so far, if anything did. A lost device stays lost; everything else is told once. */
  async check(): Promise<void> {
    while (this.pending.size > 0) await Promise.all(this.pending);
    const fault = this.loss ?? this.cause ?? this.complaint;
    this.cause = this.complaint = null;
    if (fault) throw fault;
  }

  /** Throws what lies behind a rejection of the device's. */
  async explain(rejection: unknown): Promise<never> {
    await Promise.race([this.device.lost, soon()]);
    await this.check();
    if (this.closed)
      throw new Error(`${this.adapter}: the device was closed during a step; await its results before gpu.destroy().`);
    throw rejection;
  }

  private readonly hear = ({ error }: GPUUncapturedErrorEvent): void => {
    this.complaint ??= isOutOfMemory(error)
      ? outOfMemory(this.adapter, 'more', error.message)
      : new Error(`${this.adapter}: ${error.message}`);
  };

  private lose(message: string): void {
    if (this.closed) return;
    const why = message.trim().replace(/\.$/, '');
    this.loss ??= new DeviceLostError(
      `${this.adapter}: the device was lost (${why}); go on from the last checkpoint with a new one.`,
    );
  }

  private listen(tell: Parameters<Watch>[2]): void {
    const heard = this.device.popErrorScope().then(
      (error) => {
        if (!error) return;
        const told = tell(error.message, this.adapter); // each one's maker hears of it, the first is the cause
        this.cause ??= told;
      },
      () => {}, // a device that is lost or closed tells so elsewhere
    );
    const done = heard.finally(() => this.pending.delete(done));
    this.pending.add(done);
  }
}

/** `asked` is an amount, such as "1024 bytes for a tensor". */
export function outOfMemory(adapter: string, asked: string, message: string): OutOfMemoryError {
  return new OutOfMemoryError(
    `${adapter} has no memory for ${asked} (${firstLine(message)}); use a smaller batch, a smaller image or an adapter with more memory.`,
  );
}

export const firstLine = (message: string) => message.trim().split('\n', 1)[0].trim();

const isOutOfMemory = (error: GPUError) => error.constructor.name === 'GPUOutOfMemoryError';

const soon = () => new Promise((resolve) => setTimeout(resolve, NEWS_MS));
