/**
 * What of somebody's weights fits a network: names through the alias tables, the head left out where the classes differ, the first
 * convolution brought to the network's channels. Everything that is not taken as it is gets listed.
 */
import { Counter, type Module, type StateDict, type StoredTensor, type Tensor } from '../engine/index.ts';
import type { NetworkName } from './networks.ts';
import { WeightFitError } from './weight-fit-error.ts';
import { canonicalName, isTensorflowKernel, sumIsExact } from './weight-names.ts';
import { commonPrefix } from './weight-prefix.ts';

export interface Reshaped {
  readonly name: string;
  readonly from: readonly number[];
  readonly to: readonly number[];
  /** What was done, and whether it is exact. */
  readonly how: string;
}

export interface WeightFit {
  /** What stood before every name of the network's tensors and was left out; empty: nothing. */
  readonly prefix: string;
  /** What was taken, under the network's names. */
  readonly state: StateDict;
  /** What was taken for the scheme, under its names: sigmas that were learnt with the network. */
  readonly scheme: StateDict;
  readonly renamed: readonly { readonly from: string; readonly to: string }[];
  /** In the file, but not of this network. */
  readonly ignored: readonly string[];
  /** Of this network, but not in the file: they keep their initial values. */
  readonly missing: readonly string[];
  readonly reshaped: readonly Reshaped[];
  /** The head, whose classes differ: it keeps its initial values. */
  readonly reinitialised: readonly {
    readonly name: string;
    readonly from: readonly number[];
    readonly to: readonly number[];
  }[];
}

export { WeightFitError };

/**
 * @param network only its names and shapes matter
 * @param scheme takes the file's ln sigma where it has the same sigma; without one they are ignored
 * @throws WeightFitError when nothing fits, a shape disagrees beyond head and channels, or two tensors claim one name
 * @throws SafetensorsError when an integer tensor is not exactly float32
 */
export function fitWeights(
  name: NetworkName,
  network: Module,
  file: { readonly tensors: ReadonlyMap<string, StoredTensor>; readonly ignored?: readonly string[] },
  scheme: Module | null = null,
): WeightFit {
  const wanted = new Map([...network.entries()].map((entry) => [entry.name, entry.member]));
  const ofScheme = new Set(scheme ? [...scheme.entries()].map((entry) => entry.name) : []);
  const sigmas = new Map<string, { shape: readonly number[]; values: Float32Array }>();
  const prefix = commonPrefix(name, new Set(wanted.keys()), [...file.tensors.keys()]);
  const head = headOf(wanted);
  const first = [...wanted].find(([, member]) => !(member instanceof Counter) && member.axes === 'OCRS')?.[0];
  const tensors = new Map<string, { shape: readonly number[]; values: Float32Array }>();
  const counters = new Map<string, number>();
  const sources = new Map<string, string>();
  const renamed: { from: string; to: string }[] = [];
  const ignored = [...(file.ignored ?? [])];
  const reshaped: Reshaped[] = [];
  const reinitialised: { name: string; from: readonly number[]; to: readonly number[] }[] = [];

  for (const [published, tensor] of file.tensors) {
    const bare = published.startsWith(prefix) ? published.slice(prefix.length) : published;
    const own = wanted.has(bare) ? bare : canonicalName(name, bare);
    const member = wanted.get(own);
    if (!member) {
      const sigma = sigmaOf(own, tensor, ofScheme);
      if (sigma) sigmas.set(sigma.name, { shape: [], values: Float32Array.of(sigma.value) });
      else ignored.push(published);
      continue;
    }
    const before = sources.get(own);
    if (before !== undefined) {
      if (!sameBytes(tensor, file.tensors.get(before)!)) {
        throw new WeightFitError(`${published} and ${before} both stand for ${own}, with different values.`);
      }
      ignored.push(published);
      continue;
    }
    sources.set(own, published);
    if (own !== bare) renamed.push({ from: published, to: own });
    if (member instanceof Counter) {
      counters.set(own, countOf(published, tensor));
      continue;
    }
    const to = member.shape;
    const transposed = isTensorflowKernel(name, bare) && tensor.shape.length === 4;
    const from = transposed ? [3, 2, 0, 1].map((axis) => tensor.shape[axis]) : tensor.shape;
    const valuesOf = () => (transposed ? fromTensorflow(tensor) : tensor.toFloat32());
    if (String(from) === String(to)) {
      tensors.set(own, { shape: to, values: valuesOf() });
      if (transposed) reshaped.push({ name: own, from: tensor.shape, to, how: TRANSPOSED });
    } else if (head.has(own) && String(from.slice(1)) === String(to.slice(1)))
      reinitialised.push({ name: own, from, to });
    else {
      const change = own === first ? ofChannels(name, from, to) : null;
      const how =
        change?.how ?? (String(withoutOnes(from)) === String(withoutOnes(to)) ? 'axes of length 1 only: exact' : null);
      if (how === null) throw new WeightFitError(disagreement(published, from, to));
      const values = valuesOf();
      tensors.set(own, { shape: to, values: change ? change.apply(values) : values });
      reshaped.push({ name: own, from: tensor.shape, to, how: transposed ? `${TRANSPOSED}; ${how}` : how });
    }
  }
  if (tensors.size === 0) {
    const examples = [...file.tensors.keys()].slice(0, 3).join(', ');
    throw new WeightFitError(
      `None of the file's ${file.tensors.size} tensors (${examples || 'none'}) is one of ${name}: choose the network that they were trained for.`,
    );
  }
  const kept = new Set(reinitialised.map((entry) => entry.name));
  // num_batches_tracked came with PyTorch 0.4.1, and nothing here depends on it.
  const missing = [...wanted].flatMap(([own, member]) =>
    member instanceof Counter || tensors.has(own) || kept.has(own) ? [] : [own],
  );
  const ownScheme = { tensors: sigmas, counters: new Map<string, number>() };
  return {
    prefix,
    state: { tensors, counters },
    scheme: ownScheme,
    renamed,
    ignored,
    missing,
    reshaped,
    reinitialised,
  };
}

/** What `strict` refuses, in words; empty when the file holds exactly the network. */
export function deviations({ ignored, missing, reshaped, reinitialised }: WeightFit): string[] {
  const text = (shape: readonly number[]) => `[${shape.join(', ')}]`;
  return [
    ...ignored.map((name) => `ignored: ${name}`),
    ...missing.map((name) => `missing: ${name}`),
    ...reshaped.map(({ name, from, to, how }) => `reshaped: ${name} from ${text(from)} to ${text(to)}, ${how}`),
    ...reinitialised.map(
      ({ name, from, to }) =>
        `re-initialised: ${name} is ${text(from)} in the file and ${text(to)} here, for other classes`,
    ),
  ];
}

/** `own` with what `taken` has of it. */
export function overlaid(own: StateDict, taken: StateDict): StateDict {
  return {
    tensors: new Map([...own.tensors].map(([name, tensor]) => [name, taken.tensors.get(name) ?? tensor])),
    counters: new Map([...own.counters].map(([name, count]) => [name, taken.counters.get(name) ?? count])),
  };
}

/** The scheme's parameter that a file's `lg_sigma_class` or `lg_sigma_image` is, be it ln sigma or sigma itself; null where it has none. */
function sigmaOf(name: string, tensor: StoredTensor, ofScheme: ReadonlySet<string>) {
  const direct = name.replace(/^lg_(?=sigma_(class|image)$)/, '');
  if (direct === name || withoutOnes(tensor.shape).length > 0) return null;
  const [value] = tensor.toFloat64();
  if (ofScheme.has(name)) return { name, value };
  return ofScheme.has(direct) ? { name: direct, value: Math.exp(value) } : null;
}

const TRANSPOSED = "TensorFlow's axes R S C O to O C R S: exact";

/** R S C O -> O C R S */
function fromTensorflow(tensor: StoredTensor): Float32Array {
  const [R, S, C, O] = tensor.shape;
  const values = tensor.toFloat32();
  return Float32Array.from({ length: values.length }, (_, i) => {
    const tap = i % (R * S);
    const c = Math.floor(i / (R * S)) % C;
    return values[(tap * C + c) * O + Math.floor(i / (R * S * C))];
  });
}

/** Weight and bias of the last dense layer. */
function headOf(wanted: ReadonlyMap<string, Tensor | Counter>): Set<string> {
  const dense = [...wanted].filter(([, member]) => !(member instanceof Counter) && member.axes === 'OC');
  const weight = dense.at(-1)?.[0];
  return new Set(weight ? [weight, weight.replace(/weight$/, 'bias')] : []);
}

/** O 3 R S -> O 1 R S by the sum over the colours, and back by thirds. */
function ofChannels(name: NetworkName, from: readonly number[], to: readonly number[]) {
  const [[O, C = 0, ...kernel], [outputs, channels = 0, ...ours]] = [from, to];
  if (from.length !== 4 || O !== outputs || String(kernel) !== String(ours)) return null;
  const area = kernel[0] * kernel[1];
  if (C === 3 && channels === 1) {
    const apply = (values: Float32Array) =>
      Float32Array.from({ length: O * area }, (_, i) => {
        const at = Math.floor(i / area) * 3 * area + (i % area);
        return values[at] + values[at + area] + values[at + 2 * area];
      });
    const how = sumIsExact(name)
      ? 'the sum over the colours: exact for a grey film'
      : 'the sum over the colours: not exact, since these weights expect each colour with a mean and deviation of its own';
    return { how, apply };
  }
  if (C === 1 && channels === 3) {
    const apply = (values: Float32Array) =>
      Float32Array.from({ length: O * 3 * area }, (_, i) => values[Math.floor(i / (3 * area)) * area + (i % area)] / 3);
    return { how: 'a third for each colour: exact for a grey film, up to rounding', apply };
  }
  return null;
}

function countOf(name: string, tensor: StoredTensor): number {
  if (withoutOnes(tensor.shape).length > 0) {
    throw new WeightFitError(`${name} is [${tensor.shape.join(', ')}] in the file, but a count here.`);
  }
  return tensor.toFloat64()[0];
}

function disagreement(name: string, from: readonly number[], to: readonly number[]): string {
  const remedy = 'choose the network, its base width, classes and channels as they were when the weights were trained';
  return `${name} is [${from.join(', ')}] in the file and [${to.join(', ')}] in this network: ${remedy}.`;
}

const withoutOnes = (shape: readonly number[]) => shape.filter((length) => length !== 1);

const sameBytes = (a: StoredTensor, b: StoredTensor) =>
  a.dtype === b.dtype && String(a.shape) === String(b.shape) && a.data.every((byte, i) => byte === b.data[i]);
