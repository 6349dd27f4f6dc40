/** All gradient checks: the paper's derivations, every operation, the whole network. */
import type { Gpu } from '../../engine/index.ts';
import { derivationRows } from './derivations.ts';
import { type NetworkCheck, networkRow } from './network.ts';
import { operationRows } from './operation-rows.ts';
import type { CheckRow } from './row.ts';

export type { CheckRow } from './row.ts';

export interface GradientReport {
  readonly verdict: 'pass' | 'fail';
  readonly passed: number;
  readonly failed: number;
  readonly rows: readonly CheckRow[];
}

/** @param samples random points for each row, of which the worst is told */
export async function checkGradients(gpu: Gpu, network: NetworkCheck, samples: number): Promise<GradientReport> {
  const rows = [
    ...(await derivationRows(gpu, samples)),
    ...(await operationRows(gpu, samples)),
    await networkRow(gpu, network, samples),
  ];
  const failed = rows.filter(({ verdict }) => verdict === 'fail').length;
  return { verdict: failed === 0 ? 'pass' : 'fail', passed: rows.length - failed, failed, rows };
}
