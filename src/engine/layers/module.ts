/**
 * A module is plain data: tensors, counters and further modules under their published names.
 *
 * Names join with dots to PyTorch's state_dict names (`Conv1.0.weight`), because people bring checkpoints.
 */

import type { Gpu } from '../gpu.ts';
import { normal } from '../normal.ts';
import type { NamedTensor } from '../optimizers/optimizer.ts';
import { deriveKey, type RandomKey, uniform } from '../random.ts';
import { ShapeError, sameShape } from '../shape.ts';
import { empty, type Tensor, write } from '../tensor.ts';

/** A whole number that belongs to the state but not to the device, such as num_batches_tracked. */
export class Counter {
  value = 0;
}

export type Initial =
  | { readonly kind: 'uniform'; readonly bound: number }
  | { readonly kind: 'normal'; readonly deviation: number }
  | { readonly kind: 'constant'; readonly value: number };

/** Tensors by state_dict name (float32) and counters (whole numbers). */
export interface StateDict {
  readonly tensors: ReadonlyMap<string, { readonly shape: readonly number[]; readonly values: Float32Array }>;
  readonly counters: ReadonlyMap<string, number>;
}

export interface StateEntry {
  readonly name: string;
  readonly member: Tensor | Counter;
  readonly initial: Initial | null;
}

export abstract class Module {
  training = true;

  /** Tensors, counters and modules in state_dict order. */
  abstract members(): Readonly<Record<string, Module | Tensor | Counter>>;

  /** How this module's own tensors begin; see initialise(). */
  protected initials(): Readonly<Record<string, Initial>> {
    return {};
  }

  /** Training or evaluation mode, here and below. */
  train(training = true): this {
    this.training = training;
    for (const member of Object.values(this.members())) {
      if (member instanceof Module) member.train(training);
    }
    return this;
  }

  *entries(prefix = ''): Generator<StateEntry> {
    const initials = this.initials();
    for (const [key, member] of Object.entries(this.members())) {
      if (member instanceof Module) yield* member.entries(`${prefix}${key}.`);
      else yield { name: `${prefix}${key}`, member, initial: initials[key] ?? null };
    }
  }

  /** Every module below this one with its name, itself first. */
  *modules(prefix = ''): Generator<{ name: string; module: Module }> {
    yield { name: prefix.replace(/\.$/, ''), module: this };
    for (const [key, member] of Object.entries(this.members())) {
      if (member instanceof Module) yield* member.modules(`${prefix}${key}.`);
    }
  }

  /** What an optimizer trains. */
  *parameters(): Generator<NamedTensor> {
    for (const { name, member } of this.entries()) {
      if (!(member instanceof Counter) && member.requiresGradient) yield { name, tensor: member };
    }
  }

  get parameterCount(): number {
    let count = 0;
    for (const { tensor } of this.parameters()) count += tensor.size;
    return count;
  }

  /**
   * Draws the initial values. Each tensor's random numbers depend on the seed and its name alone, so two networks that share a part
   * share its initial values. With null the values stay open, for loadStateDict() to bring.
   */
  initialise(seed: number | null): this {
    for (const { name, member, initial } of this.entries()) {
      if (member instanceof Counter) {
        member.value = 0;
        continue;
      }
      (member as { name: string }).name = name;
      if (seed === null) continue;
      if (!initial) throw new Error(`${name}: no initial value is defined for this tensor.`);
      write(member, drawn(initial, member.size, deriveKey(seed, name)));
    }
    for (const { name, module } of this.modules()) module.reseed(seed ?? 0, name);
    return this;
  }

  /** Tells a module with random numbers of its own (dropout) where they come from. */
  protected reseed(_seed: number, _name: string): void {}

  async stateDict(): Promise<StateDict> {
    const tensors: NamedTensor[] = [];
    const counters = new Map<string, number>();
    for (const { name, member } of this.entries()) {
      if (member instanceof Counter) counters.set(name, member.value);
      else tensors.push({ name, tensor: member });
    }
    const [first] = tensors;
    if (!first) return { tensors: new Map(), counters };
    const values = await first.tensor.gpu.step(() => tensors.map(({ tensor }) => tensor));
    const read = tensors.map(({ name, tensor }, i) => {
      const value = values[i] as Float32Array | number;
      return [
        name,
        { shape: tensor.shape, values: typeof value === 'number' ? Float32Array.of(value) : value },
      ] as const;
    });
    return { tensors: new Map(read), counters };
  }

  /** Takes all values from `state`; a tensor that is missing, superfluous or of another shape is an error and nothing is changed. */
  loadStateDict(state: StateDict): this {
    const wanted = new Map([...this.entries()].map((entry) => [entry.name, entry.member]));
    const given = new Set([...state.tensors.keys(), ...state.counters.keys()]);
    const missing = [...wanted.keys()].filter((name) => !given.has(name));
    const surplus = [...given].filter((name) => !wanted.has(name));
    if (missing.length + surplus.length > 0) {
      const list = (names: string[]) =>
        names.length === 0 ? 'none' : `${names.slice(0, 5).join(', ')}${names.length > 5 ? ', ...' : ''}`;
      throw new Error(
        `state: the names do not fit this network; missing: ${list(missing)}; superfluous: ${list(surplus)}.`,
      );
    }
    for (const [name, { shape, values }] of state.tensors) {
      const member = wanted.get(name)!;
      if (member instanceof Counter) throw new Error(`state: ${name} is a tensor in the file, but a counter here.`);
      if (!sameShape(shape, member.shape)) {
        throw new ShapeError('state', `${name} has another shape in the file`, {
          network: member,
          file: { axes: member.axes, shape },
        });
      }
      if (values.length !== member.size)
        throw new ShapeError('state', `${name} has ${values.length} values in the file`, { network: member });
    }
    for (const name of state.counters.keys()) {
      if (!(wanted.get(name) instanceof Counter))
        throw new Error(`state: ${name} is a counter in the file, but a tensor here.`);
    }
    for (const [name, { values }] of state.tensors) write(wanted.get(name) as Tensor, values);
    for (const [name, value] of state.counters) (wanted.get(name) as Counter).value = value;
    return this;
  }

  /** Gives back every tensor. */
  dispose(): void {
    for (const { member } of this.entries()) {
      if (!(member instanceof Counter)) member.releaseIfAlive();
    }
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

function drawn(initial: Initial, size: number, key: RandomKey): Float32Array {
  if (initial.kind === 'constant') return new Float32Array(size).fill(initial.value);
  return initial.kind === 'normal'
    ? normal(size, 0, initial.deviation, key)
    : uniform(size, -initial.bound, initial.bound, key);
}

/** A lasting tensor whose values come from initialise() or loadStateDict(). */
export function stateTensor<Axes extends string>(
  gpu: Gpu,
  axes: Axes,
  shape: readonly number[],
  name: string,
  trainable: boolean,
): Tensor<Axes> {
  if (gpu.stepOpen)
    throw new Error(`${name}: a module must be made outside a step, or its tensors would pass with it.`);
  const tensor = empty(gpu, axes, shape, name);
  tensor.requiresGradient = trainable;
  return tensor;
}
