/** The recorded training of `doctor` tells faults from rounding: right kernels of every kind stay far within its tolerances. */
import { expect, it } from 'vitest';
import { recordedLosses } from '../../src/doctor/training.ts';
import { openGpu } from '../../src/engine/index.ts';

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
