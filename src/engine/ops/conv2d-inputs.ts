/** Where a convolution finds an input that nobody may have written yet: which of the kernels' Inputs it is, and what they are bound to. */
import type { Inputs } from '../../shaders/conv2d-tile-rows.ts';
import type { Gpu } from '../gpu.ts';
import type { Source, Tensor } from '../tensor.ts';

/** Bindings of a kernel that takes in what is around it which are small: two times moments, packed weight, bias, statistics. */
const SMALL_BINDINGS = 5;

/** Whether a kernel can bind these tensors, which may be spread over several bindings each, and what it needs to take in what is around it. */
export function bindable({ kernels, limits }: Gpu, tensors: readonly Tensor[]): boolean {
  return kernels.layouts.bindingsOf(tensors) + SMALL_BINDINGS <= limits.maxStorageBuffersPerShaderStage;
}

/** The input as it stands in memory, with its contents. */
function writtenSource(input: Tensor): Source {
  void input.storage;
  return { tensor: input, moments: null, raised: false };
}

const kindOf = ({ moments, raised }: Source): Inputs | null =>
  moments ? (raised ? 'enlarged' : 'normalised') : raised ? null : 'written';

/** What a forward pass reads: what stands before a normalisation, or before two, where the kernel `can` read that; else the input itself. */
export function inputsOf(
  input: Tensor,
  output: Tensor,
  can: (kind: Inputs) => boolean,
): { inputs: Inputs; first: Source; second?: Source } {
  const [first, second, ...more] = input.sources;
  const kind = kindOf(first);
  if (!second && kind && can(kind) && (kind === 'written' || bindable(input.gpu, [first.tensor, output])))
    return { inputs: kind, first };
  const both = second && more.length === 0 && kind === 'normalised' && kindOf(second) === 'normalised';
  if (both && can('joined') && bindable(input.gpu, [first.tensor, second.tensor, output]))
    return { inputs: 'joined', first, second };
  return { inputs: 'written', first: writtenSource(input) };
}

/**
 * Where a weight's gradient finds the input, piece by piece, in the order of the channels: where a kernel `can` read each of them and bind it beside
 * the gradient, and all but the last are a `multiple` of channels; else the input itself.
 */
export function pieces(
  input: Tensor,
  gradient: Tensor,
  can: (kind: Inputs | null) => boolean,
  multiple = 1,
): readonly Source[] {
  const sources = input.elsewhere ?? [];
  const whole = sources.every(({ tensor }, i) => i === sources.length - 1 || tensor.shape[1] % multiple === 0);
  const readable = (source: Source) => can(kindOf(source)) && bindable(input.gpu, [source.tensor, gradient]);
  return sources.length > 0 && whole && sources.every(readable) ? sources : [writtenSource(input)];
}
