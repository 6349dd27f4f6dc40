/** Beyond which a learnt sigma means nothing: 1 / sigma^2 leaves float32 sooner or later, on some adapters without a NaN. */
import type { TaskValues } from './scheme.ts';

export const SIGMA_BOUND = 1e15;

/** A clause that names the first sigma out of range by its parameter and value, with the remedy; null where there is none. */
export function sigmaProblem(
  sigmas: TaskValues,
  parameterOf: (task: 'saliency' | 'diagnosis') => string,
  remedy: string,
): string | null {
  for (const task of ['saliency', 'diagnosis'] as const) {
    const sigma = sigmas[task];
    if (sigma === null || (sigma >= 1 / SIGMA_BOUND && sigma <= SIGMA_BOUND)) continue;
    return `sigma of the ${task} (${parameterOf(task)}) is ${sigma}, outside ${1 / SIGMA_BOUND} to ${SIGMA_BOUND}, where the objective means nothing: ${remedy} the learning rate of the scheme (optimizer.rates)`;
  }
  return null;
}
