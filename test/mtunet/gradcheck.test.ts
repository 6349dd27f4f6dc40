/** The gradient report: complete, green, and red when something is off. */
import { describe, expect, it } from 'vitest';
import * as engine from '../../src/engine/index.ts';
import { checkGradients } from '../../src/mtunet/gradcheck/index.ts';
import { operations } from '../../src/mtunet/gradcheck/operations.ts';
import { rowOf, slopeAt0 } from '../../src/mtunet/gradcheck/row.ts';
import { testGpu } from '../support/gpu.ts';

/** Exported functions that are not differentiable operations. */
const OTHERS = [
  'backward',
  'carry',
  'deriveKey',
  'gradients',
  'openGpu',
  'parameter',
  'parametersOf',
  'permutation',
].concat([
  'stateTensor',
  'isTorchFile',
  'readTorch',
  'readSafetensors',
  'uniform',
  'uniformAt',
  'upload',
  'withoutGradient',
  'write',
  'writeSafetensors',
]);

it('has a row for every operation that the engine exports', () => {
  const isClass = (value: unknown) => /^class\b/.test(Function.prototype.toString.call(value));
  const functions = Object.entries(engine).filter(([, value]) => typeof value === 'function' && !isClass(value));
  const names = functions.map(([name]) => name).filter((name) => !OTHERS.includes(name));
  expect(Object.keys(operations).sort()).toEqual(names.sort());
});

it('passes: the derivations, the operations and a small network', async () => {
  const { verdict, rows } = await checkGradients(await testGpu(), { base: 4, height: 32, width: 48 }, 1);
  const failed = rows.filter((row) => row.verdict === 'fail');
  expect(failed).toEqual([]);
  expect(verdict).toBe('pass');
  expect(new Set(rows.map(({ group }) => group))).toEqual(new Set(['paper', 'operation', 'network']));
});

describe('a row', () => {
  const what = { group: 'paper', name: 'x', statement: 'x', tolerance: 1e-3 } as const;

  it('tells its worst sample, and fails by distance, by a condition, and by a number that is none', () => {
    const good = { analytic: 2, difference: 2.0001, autograd: 2 };
    expect(rowOf(what, [good])).toMatchObject({ verdict: 'pass', samples: 1 });
    expect(rowOf(what, [good, { ...good, autograd: 2.1 }])).toMatchObject({ verdict: 'fail', autograd: 2.1 });
    expect(rowOf(what, [good, { ...good, holds: false }]).verdict).toBe('fail');
    expect(rowOf(what, [good, { ...good, difference: Number.NaN }]).verdict).toBe('fail');
    expect(() => rowOf(what, [])).toThrow(/no samples/);
  });

  it('differentiates to the fourth order', () => {
    expect(slopeAt0((t) => t ** 4 + 3 * t, 0.5)).toBeCloseTo(3, 12);
    expect(slopeAt0(Math.sin, 1e-2)).toBeCloseTo(1, 9);
  });
});
