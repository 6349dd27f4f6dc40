/** The check of a machine finds a kernel that computes something else, and names the operation. */
import { expect, it } from 'vitest';
import { checkMachine, type DoctorOptions } from '../../src/doctor/index.ts';
import { compareReports } from '../../src/doctor/report.ts';
import { type Gpu, openGpu } from '../../src/engine/index.ts';
import { withFault } from '../support/faulty-gpu.ts';

/** Little time: what is not needed to judge every operation once is left out, and said to be. */
const check = (open: () => Promise<Gpu>, parts?: DoctorOptions['parts']) =>
  checkMachine({ open, version: 'mtunet test', runtime: 'test', seconds: 1, presets: [], parts });

it('names the operation whose kernel is wrong, and calls a right adapter well', async () => {
  const well = await check(() => openGpu());
  expect(well.operations.filter(({ passed }) => !passed)).toEqual([]);
  expect(well.verdict).toBe('well');
  expect(well.operations.length).toBeGreaterThan(90);
  // Everything that was left out for time says so.
  expect(well.not_run.length).toBeGreaterThan(0);

  const faulty = await check(withFault(/^dropout\./, 'input[i] / (1.0 - extent.rate)', 'input[i]'), ['operations']);
  expect(faulty.verdict).toBe('faulty');
  const failed = faulty.operations.filter(({ passed }) => !passed).map(({ name }) => name);
  expect(failed).toContain('dropout');
  expect(failed).not.toContain('softmax');
  expect(faulty.summary).toContain('dropout');
  expect(compareReports(well, faulty)).toMatch(/dropout +passed.*FAILED/);
  // It can be attached to a report.
  expect(JSON.parse(JSON.stringify(faulty))).toEqual(faulty);
});
