/** Where a convolution finds an input that nobody may have written yet: which of the kernels' Inputs it is, and what they are bound to. */
import type { Inputs } from '../../shaders/conv2d-tile-rows.ts';
import type { Source, Tensor } from '../tensor.ts';

/** Bindings of a kernel that reads in place which are small: two times moments, packed weight, bias, statistics. */
const SMALL_BINDINGS = 5;

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
  if (!second && kind && can(kind)) return { inputs: kind, first };
  if (second && more.length === 0 && kind === 'normalised' && kindOf(second) === 'normalised' && can('joined')) {
    const { kernels, limits } = input.gpu;
    const large = kernels.layouts.bindingsOf([first.tensor, second.tensor, output]);
    if (large + SMALL_BINDINGS <= limits.maxStorageBuffersPerShaderStage) return { inputs: 'joined', first, second };
  }
  return { inputs: 'written', first: writtenSource(input) };
}

/**
 * Where a weight's gradient finds the input, piece by piece, in the order of the channels: where a kernel `can` read each of them, and all but the
 * last are a `multiple` of channels; else the input itself.
 */
export function pieces(input: Tensor, can: (kind: Inputs | null) => boolean, multiple = 1): readonly Source[] {
  const sources = input.elsewhere ?? [];
  const whole = sources.every(({ tensor }, i) => i === sources.length - 1 || tensor.shape[1] % multiple === 0);
  const good = sources.length > 0 && whole && sources.every((source) => can(kindOf(source)));
  return good ? sources : [writtenSource(input)];
}
