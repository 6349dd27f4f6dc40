/** The gradient check of the paper's derivations, and of the whole network. */

import type { Gpu } from '../engine/index.ts';
import { derivationRows } from '../mtunet/gradcheck/derivations.ts';
import { networkRow } from '../mtunet/gradcheck/network.ts';
import type { CheckRow } from '../mtunet/gradcheck/row.ts';
import type { Session } from './session.ts';

const SAMPLES = 2;
const NETWORK = { base: 2, height: 32, width: 32 };

export async function checkDerivations(session: Session, share: number): Promise<void> {
  await session.progress(share, 'derivations');
  const kept = await attempt(session, 'the derivations', (gpu) => derivationRows(gpu, SAMPLES));
  const network = await attempt(session, 'the whole network', async (gpu) => [await networkRow(gpu, NETWORK, 1)]);
  for (const { name, error, tolerance, verdict } of [...kept, ...network])
    await session.check({ name: `gradients: ${name}`, group: 'derivation' }, async () => {
      if (verdict === 'fail' && error <= tolerance) throw new Error('a condition of this statement does not hold');
      return { error: error / tolerance };
    });
}

/** No rows where the device fails; that is a failed check of its own. */
async function attempt(session: Session, name: string, make: (gpu: Gpu) => Promise<CheckRow[]>): Promise<CheckRow[]> {
  let rows: CheckRow[] = [];
  let thrown: unknown = null;
  try {
    rows = await make(session.gpu);
  } catch (problem) {
    thrown = problem;
  }
  if (thrown)
    await session.check({ name: `gradients: ${name}`, group: 'derivation' }, async () => {
      throw thrown;
    });
  return rows;
}
