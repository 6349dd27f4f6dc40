/**
 * Finds the first operation that makes a NaN or an infinity, by running a step again with every tensor checked.
 */
import shaders from '../../shaders/sources.ts';
import type { Gpu } from '../gpu.ts';
import { dispatch, kernel, linearGroups } from '../kernel.ts';
import { type Tensor, upload } from '../tensor.ts';

const check = kernel(shaders.audit, 'check');
const MOST_TENSORS = 8192;

/**
 * Runs `body` as a step, checking `inputs` and then what every operation makes, in order. Returns the name of the first tensor that
 * is not finite, or null.
 */
export async function findNonFinite(gpu: Gpu, inputs: readonly Tensor[], body: () => void): Promise<string | null> {
  const names: string[] = [];
  const { flags } = await gpu.step(() => {
    const flagTensor = upload(gpu, 'K', [MOST_TENSORS], new Uint32Array(MOST_TENSORS), 'audit flags');
    const audit = (tensor: Tensor) => {
      if (tensor.type === 'u32' || names.length === MOST_TENSORS) return;
      const groups = linearGroups(tensor.size, 512);
      const extent = { count: tensor.size, rowStride: groups[0] * 512, flag: names.length };
      dispatch(gpu, check, { input: tensor, flags: flagTensor }, extent, groups);
      names.push(tensor.name);
    };
    for (const tensor of inputs) audit(tensor);
    gpu.onTensor = audit;
    try {
      body();
    } finally {
      gpu.onTensor = null;
    }
    return { flags: flagTensor };
  });
  const raised = new Uint32Array(flags.buffer, flags.byteOffset, flags.length);
  return names[raised.findIndex((flag) => flag !== 0)] ?? null;
}
