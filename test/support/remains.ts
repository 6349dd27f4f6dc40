/** What two runs that should be equal to the bit must share: everything but clock times and the commit, which may change between them. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { RunFolder } from '../../src/cli/run-folder.ts';
import { readSafetensors } from '../../src/engine/safetensors.ts';

export function remains(run: string) {
  const folder = RunFolder.open(run);
  const hash = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
  const tensors = (name: string) => {
    const file = readFileSync(folder.file(name));
    const names = [...readSafetensors(file).tensors.keys()];
    return { names, sha256: hash(file.subarray(8 + Number(file.readBigUInt64LE()))) };
  };
  const { origin, ...evaluation } = folder.evaluation;
  return {
    weights: tensors('weights.safetensors'),
    predictions: tensors('predictions.safetensors'),
    examples: tensors('examples.safetensors'),
    steps: hash(readFileSync(folder.file('steps.jsonl'))),
    epochs: folder.epochs.map((record) => ({ ...record, seconds: 0 })),
    evaluation,
    origin: { ...origin, commit: null },
  };
}
