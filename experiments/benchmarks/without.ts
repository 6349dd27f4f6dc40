/** The shared step on a device that leaves features or limits unused, as if the adapter had not offered them, beside the same device with all. */
import { type OpenOptions, openGpu } from '../../src/engine/index.ts';
import { compareInTurns, type Way } from './in-turns.ts';
import { sharedSize, unetStep } from './unet.ts';

async function stepWith(name: string, options: OpenOptions): Promise<Way> {
  const unet = unetStep(await openGpu(options), sharedSize);
  return { name, run: () => unet.run() };
}

export async function compareWithout(features: readonly string[], rounds: number): Promise<string[]> {
  const without = `without ${features.join(' and ')}`;
  return compareInTurns([await stepWith(without, { without: features }), await stepWith('with all', {})], rounds);
}
