/** The recorded training of `doctor` tells faults from rounding: right kernels of every kind stay far within its tolerances. */
import { expect, it } from 'vitest';
import { recordedLosses } from '../../src/doctor/training.ts';
import { openGpu } from '../../src/engine/index.ts';
import { withFault } from '../support/faulty-gpu.ts';

/** Kernels that add the same products in other orders. */
it.each([
  ['the usual ones', null, []],
  ['without subgroups', null, ['subgroups']],
  ['plain', 'plain', []],
  ['gemm-16', 'gemm-16', []],
  ['winograd', 'winograd', []],
] as const)('the losses by kernels %s are within a quarter of the tolerance', async (_, family, without) => {
  using gpu = await openGpu({ without });
  gpu.choices.everywhere = family;
  const { error, where } = await recordedLosses(gpu);
  expect(error, where).toBeLessThan(0.25);
});

it.each([
  ['the first moment does not decay', 'beta1 * first[i]', 'first[i]'],
  ['the first moment is the gradient', 'beta1 * first[i] + (1.0 - beta1) * g', 'g'],
])('are not where %s', async (_, from, to) => {
  using gpu = await withFault(/^optimizers\./, from, to)();
  expect((await recordedLosses(gpu)).error).toBeGreaterThan(1);
});
