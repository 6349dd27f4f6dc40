/** A file of weights of any form that is read here: safetensors, a checkpoint of this program, or PyTorch's. */
import {
  type Choice,
  isTorchFile,
  readSafetensors,
  readTorch,
  SafetensorsError,
  type StoredTensor,
} from '../engine/index.ts';
import { foreignWeights } from './foreign-weights.ts';

export interface WeightFile {
  readonly format: 'safetensors' | 'checkpoint' | 'pytorch';
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  /** Entries of the file that are no weights, by name. */
  readonly ignored: readonly string[];
  /** Of a PyTorch file: where its state_dict lies (empty: it is the file's object), and where other dicts of tensors do. */
  readonly key?: string;
  readonly others?: readonly string[];
}

/**
 * Of a checkpoint, network and scheme of the best epoch; of one before its first epoch has ended, both as they are.
 *
 * @param choose among several dicts of tensors in a PyTorch file
 * @throws SafetensorsError or TorchFileError, one sentence, when anything is wrong with the file
 */
export function readWeightFile(bytes: Uint8Array, choose?: Choice): WeightFile {
  const foreign = foreignWeights(bytes);
  if (foreign) throw new SafetensorsError(foreign);
  if (isTorchFile(bytes)) return { format: 'pytorch', ...readTorch(bytes, choose) };
  const { tensors, metadata } = readSafetensors(bytes);
  if (!metadata.get('format')?.startsWith('mtunet-checkpoint')) return { format: 'safetensors', tensors, ignored: [] };
  const best = [...tensors.keys()].some((name) => name.startsWith('best/network/')) ? 'best/' : '';
  const taken = new Map<string, StoredTensor>();
  const others = new Map<string, number>();
  for (const [name, tensor] of tensors) {
    const [, role, own] = /^(.*?(?:network|scheme|optimizer)\/)(.*)$/.exec(name) ?? ['', '', name];
    if (role === `${best}network/` || role === `${best}scheme/`) taken.set(own, tensor);
    else others.set(role, (others.get(role) ?? 0) + 1);
  }
  const ignored = [...others].map(([role, count]) => `${role}* (${count} tensors)`);
  return { format: 'checkpoint', tensors: taken, ignored };
}
