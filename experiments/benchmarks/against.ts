/** This checkout and another one, say of the version before, at the shared step, in turns step by step in one process. */
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { compareInTurns, type Way } from './in-turns.ts';

const here = resolve(import.meta.dirname, '../..');

/** Steps of the checkout in `folder`, each with its own device. */
async function stepOf(folder: string): Promise<Way> {
  const at = (path: string) => import(pathToFileURL(resolve(folder, path)).href);
  const { openGpu } = await at('src/engine/index.ts');
  const { unetStep, sharedSize } = await at('experiments/benchmarks/unet.ts');
  const unet = unetStep(await openGpu(), sharedSize);
  return { name: folder, run: () => unet.run() };
}

/** Lines that tell the times of both, and how many times faster this one is. */
export const compareCheckouts = async (other: string, rounds: number): Promise<string[]> =>
  compareInTurns([await stepOf(other), await stepOf(here)], rounds);
