/** Files in the place of weights that are none of the forms that are read, by their first bytes. */
import { foreignFile } from '../data/foreign-file.ts';

/** [offset, bytes, what it is, with the remedy] */
const KINDS: readonly (readonly [number, string, string])[] = [
  [0, '\x89HDF', 'an HDF5 file (Keras); write its arrays as safetensors'],
  [0, '\x1f\x8b', 'compressed with gzip; unpack it with gunzip, or with tar xzf where it is an archive'],
  [0, 'BZh', 'compressed with bzip2; unpack it with bunzip2'],
  [0, '\xfd7zXZ', 'compressed with xz; unpack it with xz -d'],
  [0, '\x28\xb5\x2f\xfd', 'compressed with Zstandard; unpack it with zstd -d'],
  [0, '7z\xbc\xaf', 'a 7z archive; unpack it'],
  [0, 'Rar!', 'a RAR archive; unpack it'],
  [257, 'ustar', 'a tar archive (or a PyTorch file from before version 0.1.10); unpack it with tar xf'],
  [0, '\x93NUMPY', 'one array of NumPy; a file of named tensors is needed, such as safetensors'],
  [0, 'GGUF', 'a GGUF file of quantized weights, which are not read'],
  [0, '\x89PNG', 'a picture'],
  [0, '%PDF', 'a PDF document'],
];

/** A sentence that says what the file is, with the remedy; null where it may hold weights. */
export function foreignWeights(bytes: Uint8Array): string | null {
  const foreign = foreignFile(bytes);
  if (foreign) return `The file ${foreign}.`;
  const found = KINDS.find(([at, magic]) => [...magic].every((letter, i) => bytes[at + i] === letter.charCodeAt(0)));
  if (found) return `The file is ${found[2]}.`;
  const text = new TextDecoder('latin1').decode(bytes.subarray(0, 64)).trimStart();
  if (/^[{[]/.test(text) && bytes[0] !== 0 && !isSafetensorsLength(bytes))
    return 'The file is JSON, perhaps the index of weights in several files; give a file of the weights themselves.';
  return null;
}

/** The length of a header below 2^32 stands before a "{". */
const isSafetensorsLength = (bytes: Uint8Array) => bytes.subarray(4, 8).every((byte) => byte === 0);
