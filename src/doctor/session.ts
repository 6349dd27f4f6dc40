/** The device of a check, the time that it has, and what was found so far. */
import { DeviceLostError, type Gpu } from '../engine/index.ts';
import type { Check, MachineReport } from './report.ts';

export type Part =
  | 'operations'
  | 'special values'
  | 'training'
  | 'derivations'
  | 'families'
  | 'sizes'
  | 'device loss'
  | 'speed';

export interface DoctorOptions {
  /** Opens a device; called again when one is lost. A test opens one with a broken shader here. */
  readonly open: () => Promise<Gpu>;
  /** "mtunet 0.1.0" */
  readonly version: string;
  readonly runtime: string;
  /** The whole check should take about this long. Each operation is checked at least once, however long that takes. */
  readonly seconds?: number;
  /** All of them unless given. */
  readonly parts?: readonly Part[];
  /** Presets whose step is timed, while time and memory allow it. */
  readonly presets?: readonly string[];
  /** `share` is 0 to 1. */
  readonly onProgress?: (share: number, what: string) => void;
  readonly signal?: AbortSignal;
}

/** Devices that may be lost before the check gives up. */
const MOST_LOSSES = 5;

export class Session {
  gpu: Gpu;
  readonly checks: Check[] = [];
  readonly notRun: MachineReport['not_run'][number][] = [];
  private readonly options: DoctorOptions;
  private readonly started = performance.now();
  private losses = 0;

  private constructor(gpu: Gpu, options: DoctorOptions) {
    this.gpu = gpu;
    this.options = options;
  }

  static async open(options: DoctorOptions): Promise<Session> {
    return new Session(await options.open(), options);
  }

  get secondsUsed(): number {
    return (performance.now() - this.started) / 1000;
  }

  /** Until this share of the time is used. */
  readonly secondsLeft = (share: number): number => share * (this.options.seconds ?? 60) - this.secondsUsed;

  /** Whether less than this share of the time is used. */
  before(share: number): boolean {
    return this.secondsLeft(share) > 0;
  }

  /** Gives a page the time to show it. */
  async progress(share: number, what: string): Promise<void> {
    this.options.signal?.throwIfAborted();
    this.options.onProgress?.(share, what);
    await new Promise((resolve) => setTimeout(resolve, 0));
  }

  /** Runs one check; what it throws is a failed check. A device that is lost meanwhile is replaced. */
  async check(
    what: Pick<Check, 'name' | 'group'>,
    measure: (gpu: Gpu) => Promise<{ error: number | null; where?: string }>,
  ): Promise<void> {
    try {
      const { error, where } = await measure(this.gpu);
      const finite = error === null || Number.isFinite(error);
      const problem = finite ? {} : { problem: 'a value was NaN or infinite where a number was expected' };
      const found = { ...what, passed: error === null || error <= 1, largest_error: finite ? error : null };
      this.checks.push({ ...found, ...(where && { where }), ...problem });
    } catch (error) {
      const problem = (error as Error).message.split('\n', 1)[0];
      this.checks.push({ ...what, passed: false, largest_error: null, problem });
      if (error instanceof DeviceLostError) await this.reopen();
      else await this.gpu.settle().catch(() => undefined); // what else the device has to say of it
    }
  }

  async reopen(): Promise<void> {
    if (++this.losses > MOST_LOSSES)
      throw new DeviceLostError(
        `${this.gpu.description.name}: the device was lost ${this.losses} times; update its driver, or choose another adapter.`,
      );
    this.gpu.destroy();
    this.gpu = await this.options.open();
  }
}
