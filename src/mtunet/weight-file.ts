/** A file of weights of any form that is read here: safetensors, a checkpoint of this program, or PyTorch's. */
import { isTorchFile, readSafetensors, readTorch, SafetensorsError, type StoredTensor } from '../engine/index.ts';

export interface WeightFile {
  readonly format: 'safetensors' | 'checkpoint' | 'pytorch';
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  /** Entries of the file that are no weights, by name. */
  readonly ignored: readonly string[];
}

/**
 * Of a checkpoint, the network of the best epoch; of one before its first epoch has ended, the network as it is.
 *
 * @throws SafetensorsError or TorchFileError, one sentence, when anything is wrong with the file
 */
export function readWeightFile(bytes: Uint8Array): WeightFile {
  if (bytes.length === 0) throw new SafetensorsError('The file is empty.');
  if (isTorchFile(bytes)) return { format: 'pytorch', ...readTorch(bytes) };
  const { tensors, metadata } = readSafetensors(bytes);
  if (!metadata.get('format')?.startsWith('mtunet-checkpoint')) return { format: 'safetensors', tensors, ignored: [] };
  const names = [...tensors.keys()];
  const prefix = names.some((name) => name.startsWith('best/network/')) ? 'best/network/' : 'network/';
  const network = [...tensors].filter(([name]) => name.startsWith(prefix));
  return {
    format: 'checkpoint',
    tensors: new Map(network.map(([name, tensor]) => [name.slice(prefix.length), tensor])),
    ignored: names.filter((name) => !name.startsWith(prefix)),
  };
}
