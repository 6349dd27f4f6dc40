/** This checkout and another one, say of the version before, at the shared step, in turns step by step in one process. */
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { cpuOf, median } from './figure.ts';

interface Times {
  readonly ms: number[];
  readonly cpu: number[];
}

const here = resolve(import.meta.dirname, '../..');

/** Steps of the checkout in `folder`, each with its own device. */
async function stepOf(folder: string): Promise<() => Promise<unknown>> {
  const at = (path: string) => import(pathToFileURL(resolve(folder, path)).href);
  const { openGpu } = await at('src/engine/index.ts');
  const { unetStep, sharedSize } = await at('experiments/benchmarks/unet.ts');
  const unet = unetStep(await openGpu(), sharedSize);
  return () => unet.run();
}

/** Lines that tell the times of both, and how many times faster this one is. */
export async function compareCheckouts(other: string, rounds: number): Promise<string[]> {
  const steps = [await stepOf(other), await stepOf(here)];
  for (const step of [...steps, ...steps]) await step(); // compiles, and warms up
  const taken: Times[] = steps.map(() => ({ ms: [], cpu: [] }));
  for (let round = 0; round < rounds; round++) {
    for (const [i, step] of steps.entries()) {
      const { ms, cpu } = await cpuOf(step);
      taken[i].ms.push(ms);
      taken[i].cpu.push(cpu);
    }
  }
  const three = (values: readonly number[], digits: number) =>
    [Math.min(...values), median(values), Math.max(...values)].map((value) => value.toFixed(digits)).join(' - ');
  const told = ({ ms, cpu }: Times) => `${three(ms, 0)} ms by the clock, ${three(cpu, 0)} ms of the processor`;
  const ratio = (of: keyof Times) =>
    three(
      taken[0][of].map((value, i) => value / taken[1][of][i]),
      2,
    );
  return [
    `${other}: ${told(taken[0])}`,
    `${here}: ${told(taken[1])}`,
    `the other / this, round by round: ${ratio('ms')} by the clock, ${ratio('cpu')} of the processor`,
  ];
}
