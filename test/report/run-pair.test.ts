import { expect, it } from 'vitest';
import { compareRuns, differences } from '../../src/report/run-pair.ts';
import { fakeRun } from './fake-runs.ts';

it('a run equals itself; another parts from it where the first step differs', () => {
  const run = fakeRun({ epochs: 2 });
  expect(compareRuns(run, run)).toMatchObject({ settings: [], provenance: [], partAt: null });
  const steps = run.steps.map((step) => (step.step === 7 ? { ...step, loss: 0 } : step));
  const other = { ...run, steps, config: { ...run.config, seed: 9 } };
  expect(compareRuns(run, other)).toMatchObject({ settings: [{ name: 'seed', first: 1, second: 9 }], partAt: 7 });
  const cut = { ...run, steps: run.steps.slice(0, 5) };
  expect(compareRuns(run, cut).partAt).toBe(6);
});

it('differences are found in any depth, with names of the whole way', () => {
  expect(differences({ a: { b: 1, c: [1] }, d: 2 }, { a: { b: 1, c: [2] }, e: 2 })).toEqual([
    { name: 'a.c', first: [1], second: [2] },
    { name: 'd', first: 2, second: undefined },
    { name: 'e', first: undefined, second: 2 },
  ]);
});
