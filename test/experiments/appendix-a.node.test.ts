/** The proven part of experiments/appendix-a holds; the closed loop is a finding and is not tested. */
import { expect, it } from 'vitest';
import { lagUnderDecay } from '../../experiments/appendix-a/dynamics.ts';
import { statements } from '../../experiments/appendix-a/statements.ts';

it.each(statements())('$statement', ({ holds, measured }) => expect(holds, measured).toBe(true));

it('Adam at 1e-4 follows a loss that decays by 1e-4 a step, and falls behind one that decays by 4e-4', () => {
  const lags = new Map(lagUnderDecay().map(({ decay, lag }) => [decay, lag]));
  expect(Math.abs(lags.get(1e-4)!)).toBeLessThan(0.01);
  expect(lags.get(4e-4)!).toBeGreaterThan(0.5);
});
