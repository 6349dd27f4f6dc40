/**
 * How many processor threads a software adapter computes with: `MTUNET_THREADS`, or as many as there are cores.
 *
 * Programs side by side need fewer each. Their threads otherwise wait for one another at the end of every dispatch, spinning, so that two
 * on two cores take longer than one after the other.
 */
import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { cacheFolder } from './unpack.ts';

/** From the environment; null where it says nothing. */
export function threadsWanted({ MTUNET_THREADS: said }: NodeJS.ProcessEnv = process.env): number | null {
  if (!said?.trim()) return null;
  const threads = Number(said);
  if (Number.isInteger(threads) && threads >= 1) return threads;
  throw new Error(
    `MTUNET_THREADS=${said} is no number of threads; set it to 1 or more, or unset it to use every core.`,
  );
}

/** For the environment of each of so many processes: its share of the cores. */
export function share(processes: number): { MTUNET_THREADS?: string } {
  return processes === 1 ? {} : { MTUNET_THREADS: String(Math.max(1, Math.floor(availableParallelism() / processes))) };
}

/** For lavapipe, which reads its own variable as the driver is loaded. What the user has set there stays. */
export function limitLavapipe(threads: number | null, env: NodeJS.ProcessEnv = process.env): void {
  if (threads !== null) env.LP_NUM_THREADS ??= String(threads);
}

/**
 * For SwiftShader, which reads SwiftShader.ini in the current folder as a device is requested; Dawn requests it before the call returns.
 * A file that the user has there is not read then.
 */
export function limitSwiftShader(threads: number | null, adapter: GPUAdapter): void {
  if (threads === null) return;
  const folder = settingsFolder(threads);
  const { requestDevice } = adapter;
  adapter.requestDevice = (descriptor) => {
    const here = process.cwd();
    process.chdir(folder);
    try {
      return requestDevice.call(adapter, descriptor);
    } finally {
      process.chdir(here);
    }
  };
}

/** Several processes may write it at once, so it comes whole or not at all. */
function settingsFolder(threads: number): string {
  const folder = join(cacheFolder(), `swiftshader-threads-${threads}`);
  const file = join(folder, 'SwiftShader.ini');
  if (existsSync(file)) return folder;
  mkdirSync(folder, { recursive: true });
  const aside = `${file}.${randomUUID()}`;
  writeFileSync(aside, `[Processor]\nThreadCount=${threads}\n`);
  renameSync(aside, file);
  return folder;
}
