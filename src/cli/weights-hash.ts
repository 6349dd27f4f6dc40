/** One SHA-256 over the weights of several runs: two machines that print the same one have trained the same networks. */
import { createHash } from 'node:crypto';
import { RunFolder } from './run-folder.ts';

/**
 * In hexadecimal. Over the runs in the order given, and of each over its tensors by name (in the order of code units): the float32 values,
 * little-endian. Names, shapes and what else stands in the files do not enter.
 */
export function weightsSha256(runs: readonly string[]): string {
  const hash = createHash('sha256');
  for (const path of runs) {
    const { tensors } = RunFolder.open(path).loadWeights();
    for (const name of [...tensors.keys()].sort()) {
      const { values } = tensors.get(name)!;
      const bytes = Buffer.alloc(4 * values.length);
      for (let i = 0; i < values.length; i++) bytes.writeFloatLE(values[i], 4 * i);
      hash.update(bytes);
    }
  }
  return hash.digest('hex');
}
