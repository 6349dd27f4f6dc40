/** What two runs that should be equal to the bit must share: everything but clock times. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { RunFolder } from '../../src/cli/run-folder.ts';

export function remains(run: string) {
  const folder = RunFolder.open(run);
  const hash = (name: string) =>
    createHash('sha256')
      .update(readFileSync(folder.file(name)))
      .digest('hex');
  return {
    weights: hash('weights.safetensors'),
    examples: hash('examples.safetensors'),
    steps: hash('steps.jsonl'),
    epochs: folder.epochs.map((record) => ({ ...record, seconds: 0 })),
    evaluation: folder.evaluation,
  };
}
