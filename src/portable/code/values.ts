/** Values as code generation sees them: scalars by their form across the subgroup. */
import { type Place, WgslError } from '../syntax/lexer.ts';
import { leavesOf, nameOf, type ScalarName, scalar, type Type } from '../types/types.ts';
import type { Form } from '../uniformity/forms.ts';
import { type Code, choose, extract, floats, get, i32, integers, lanes, op, S, unsigned, V } from './wasm.ts';

/**
 * One scalar of a value. `code` gives, by form and type: of an f32 always a vector; of other uniform ones an i32 (a bool: 0 or 1); of a linear one
 * the i32 of lane 0; of a varying one a vector (a bool: all ones or none). Of a constant it is empty, and `value` counts.
 */
export interface Leaf {
  readonly type: ScalarName;
  readonly form: Form;
  readonly code: Code;
  readonly value: number;
}

export interface Value {
  readonly type: Type;
  readonly leaves: readonly Leaf[];
}

export const constant = (type: ScalarName, value: number): Leaf => ({ type, form: 'constant', code: [], value });
export const leaf = (type: ScalarName, form: Form, code: Code): Leaf => ({ type, form, code, value: Number.NaN });
export const single = (one: Leaf): Value => ({ type: scalar(one.type), leaves: [one] });

export const isUniform = ({ form }: Leaf) => form === 'constant' || form === 'uniform';
export const isFloat = (type: ScalarName) => type === 'f32' || type === 'afloat';

export const IOTA = integers(0, 1, 2, 3);

/** The leaf for all four lanes. */
export function vectorOf({ type, form, code, value }: Leaf): Code {
  if (form === 'constant') {
    if (isFloat(type)) return floats(value);
    return integers(type === 'bool' ? -value : value);
  }
  if (type === 'f32' || form === 'varying') return code;
  if (form === 'linear') return lanes(V.add, lanes(V.splat, code), IOTA);
  return type === 'bool' ? lanes(V.splat, op(S.sub, i32(0), code)) : lanes(V.splat, code);
}

/** The i32 that a uniform leaf holds: of an f32 its bits. */
export function scalarOf({ type, form, code, value }: Leaf): Code {
  if (form === 'constant') return type === 'f32' ? i32(new Int32Array(Float32Array.of(value).buffer)[0]) : i32(value);
  return type === 'f32' ? extract(code, 0) : code;
}

export const zeroOf = (type: Type): Value => ({ type, leaves: leavesOf(type).map((name) => constant(name, 0)) });

/** A leaf of constant form as the concrete type; WGSL's abstract numbers become what is wanted. */
export function concrete(one: Leaf, type: ScalarName, place: Place): Leaf {
  if (one.type === type) return one;
  const becomes = one.type === 'aint' ? type !== 'bool' : one.type === 'afloat' && isFloat(type);
  if (!becomes) {
    throw new WgslError(place, `expected ${nameOf(scalar(type))} and found ${nameOf(scalar(one.type))}`);
  }
  const { value } = one;
  if (type === 'u32' && (value < 0 || value >= 2 ** 32)) throw new WgslError(place, `${value} is no u32`);
  if (type === 'i32' && (value < -(2 ** 31) || value >= 2 ** 31)) throw new WgslError(place, `${value} is no i32`);
  return constant(type, type === 'f32' ? Math.fround(value) : value);
}

/** What WGSL takes an abstract number for where nothing says otherwise. */
export const defaultType = (type: ScalarName): ScalarName =>
  type === 'aint' ? 'i32' : type === 'afloat' ? 'f32' : type;

/** Where code goes, and its locals. */
export class Emitter {
  readonly parameters: number;
  readonly locals: number[] = [];
  code: Code[] = [];
  /** Open blocks. */
  depth = 0;

  constructor(parameters: number) {
    this.parameters = parameters;
  }

  emit(...code: Code[]): void {
    this.code.push(...code);
  }

  local(type: number): number {
    this.locals.push(type);
    return this.parameters + this.locals.length - 1;
  }

  /** The value of the code, which runs once, for use more than once. */
  keep(code: Code, type: number): Code {
    const local = this.local(type);
    this.emit([code, 0x21, unsigned(local)]);
    return get(local);
  }

  /** The leaf for use more than once. */
  hold(one: Leaf): Leaf {
    if (one.form === 'constant') return one;
    const isVector = one.type === 'f32' || one.form === 'varying';
    return { ...one, code: this.keep(one.code, isVector ? 0x7b : 0x7f) };
  }

  /** Opens a block, loop or if; the answer names it for branch(). */
  open(opcode: number): number {
    this.emit([opcode, 0x40]);
    return ++this.depth;
  }

  close(): void {
    this.depth--;
    this.emit(0x0b);
  }

  branch(label: number, condition: Code | null = null): void {
    const to = this.depth - label;
    this.emit(condition === null ? [0x0c, to] : [condition, 0x0d, to]);
  }
}

/** value where the condition holds, else other. All of one type. */
export function selectLeaf(other: Leaf, value: Leaf, condition: Leaf): Leaf {
  if (condition.form === 'constant') return condition.value ? value : other;
  if (condition.form === 'uniform') {
    if (value.type === 'f32' || !isUniform(value) || !isUniform(other)) {
      const form = isUniform(value) && isUniform(other) ? 'uniform' : 'varying';
      return leaf(value.type, form, choose(vectorOf(value), vectorOf(other), condition.code));
    }
    return leaf(value.type, 'uniform', choose(scalarOf(value), scalarOf(other), condition.code));
  }
  return leaf(value.type, 'varying', lanes(V.select, vectorOf(value), vectorOf(other), condition.code));
}
