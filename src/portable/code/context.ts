/** What code generation carries with it: names, masks, variables, and where it stands. */
import { type Place as TextPlace, WgslError } from '../syntax/lexer.ts';
import type { Expression, Module, TypeName } from '../syntax/tree.ts';
import { leavesOf, nameOf, type ScalarName, scalar, type Type, VOID, vector } from '../types/types.ts';
import type { Forms, VariableForm } from '../uniformity/forms.ts';
import type { Mask } from './memory.ts';
import type { Subgroups } from './regions.ts';
import {
  concrete,
  constant,
  defaultType,
  type Emitter,
  type Leaf,
  leaf,
  scalarOf,
  type Value,
  vectorOf,
} from './values.ts';
import { type Code, get, I32, lanes, loadV128, set, storeV128, V, V128 } from './wasm.ts';

export interface Slot {
  readonly type: ScalarName;
  readonly form: VariableForm;
  readonly local: number;
}

export interface Variable {
  readonly type: Type;
  readonly key: string;
  readonly maskId: number;
  readonly slots: readonly Slot[];
  /** Where in the frame each leaf's vector lies; null where it has locals. */
  readonly frame: number | null;
  /** Declared between barriers, where a value must last from one loop over the subgroups to the next. */
  readonly lasts: boolean;
}

export type Binding =
  | { readonly kind: 'value'; readonly value: Value }
  | { readonly kind: 'variable'; readonly variable: Variable };

/** A loop or function that lanes may leave at different times. */
export interface Target {
  readonly key: string;
  readonly entryMask: number;
  /** Labels. */
  readonly exit: number;
  readonly next: number;
  /** Of a function: the local of the lanes that are still in it. */
  readonly live: number | null;
  /** Locals of lanes that have returned, or wait for the next turn. */
  readonly gone: number | null;
  readonly waiting: number | null;
}

export interface FunctionFrame {
  readonly target: Target;
  readonly result: Variable | null;
}

export interface Resource {
  readonly base: number;
  readonly bytes: number;
}

export class Context {
  readonly module: Module;
  readonly constants: ReadonlyMap<string, Leaf>;
  readonly forms: Forms;
  readonly e: Emitter;
  scopes: Map<string, Binding>[] = [new Map()];
  mask: Mask = { id: 0, code: null };
  private masks = 1;
  /** Names the place of inlined calls, so that a variable of a function is another one in each. */
  path = '';
  readonly loops: Target[] = [];
  readonly functions: FunctionFrame[] = [];
  /** Module variables by name: where they are. */
  readonly resources = new Map<string, Resource>();
  /** Bindings that code reaches. */
  readonly used = new Set<string>();
  /** Offsets of workgroup variables in the scratch memory. */
  readonly workgroup = new Map<string, { readonly offset: number; readonly type: Type }>();
  /** Bytes of the frame of a subgroup. */
  frameBytes = 0;
  /** Local that holds the frame's address. */
  readonly frame: number;
  /** Whether statements between barriers are generated, outside of a loop over the subgroups. */
  between = false;
  /** Whether subgroups pass barriers one by one, so that what is uniform must be the same for all of them. */
  readonly splits: boolean;
  /** Whether a statement is tried without such a loop. */
  once = false;
  subgroups: Subgroups | null = null;
  /** Bytes of a subgroup's frame as a constant of WebAssembly, known in the end. */
  readonly frameSize: number[] = [];
  /** Whether anything was read that differs from lane to lane. */
  touched = false;
  private readonly types = new Map<string, Type>();

  constructor(
    module: Module,
    constants: ReadonlyMap<string, Leaf>,
    forms: Forms,
    e: Emitter,
    frame: number,
    splits: boolean,
  ) {
    this.module = module;
    this.constants = constants;
    this.forms = forms;
    this.e = e;
    this.frame = frame;
    this.splits = splits;
  }

  newMask(code: Code | null): Mask {
    return { id: this.masks++, code };
  }

  find(name: string): Binding | null {
    for (let i = this.scopes.length - 1; i >= 0; i--) {
      const found = this.scopes[i].get(name);
      if (found) return found;
    }
    return null;
  }

  declare(name: string, binding: Binding, place: TextPlace): void {
    const scope = this.scopes[this.scopes.length - 1];
    if (scope.has(name)) throw new WgslError(place, `"${name}" is declared twice`);
    scope.set(name, binding);
  }

  /** What stands for the value of a call that was taken out of its statement. */
  declareHoisted(name: string, what: Value | Variable): void {
    const binding: Binding = 'leaves' in what ? { kind: 'value', value: what } : { kind: 'variable', variable: what };
    this.scopes[this.scopes.length - 1].set(name, binding);
  }

  inScope(body: () => void): void {
    this.scopes.push(new Map());
    body();
    this.scopes.pop();
  }

  /** The type that a name stands for. `lengthOf` computes an array's. */
  type(name: TypeName, lengthOf: (e: Expression) => number): Type {
    const { of, length } = name;
    const short = /^vec([234])([fiu])$/.exec(name.name);
    if (short) return vector(Number(short[1]), ({ f: 'f32', i: 'i32', u: 'u32' } as const)[short[2] as 'f']);
    if (['f32', 'i32', 'u32', 'bool'].includes(name.name)) return scalar(name.name as ScalarName);
    const long = /^vec([234])$/.exec(name.name);
    if (long && of) {
      const element = this.type(of, lengthOf);
      if (element.kind === 'scalar') return vector(Number(long[1]), element.name);
    }
    if (name.name === 'array' && of)
      return { kind: 'array', of: this.type(of, lengthOf), length: length && lengthOf(length) };
    if (name.name === 'atomic' && of) {
      const element = this.type(of, lengthOf);
      if (element.kind === 'scalar' && (element.name === 'u32' || element.name === 'i32'))
        return { kind: 'atomic', of: element.name };
    }
    const known = this.types.get(name.name);
    if (known) return known;
    const alias = this.module.aliases.get(name.name);
    const struct = this.module.structs.get(name.name);
    if (!alias && !struct) throw new WgslError(name, `"${name.name}" is no type that is supported`);
    const made: Type = alias
      ? this.type(alias, lengthOf)
      : {
          kind: 'struct',
          name: name.name,
          members: struct!.members.map((member) => {
            if (member.attributes.size) throw new WgslError(member, 'attributes of members are not supported');
            return { name: member.name, type: this.type(member.type, lengthOf) };
          }),
        };
    this.types.set(name.name, made);
    return made;
  }

  isType(name: string): boolean {
    return (
      /^(vec[234][fiu]?|array|f32|i32|u32|bool)$/.test(name) ||
      this.module.aliases.has(name) ||
      this.module.structs.has(name)
    );
  }

  /** The value with concrete types, or as exactly this type. */
  as(value: Value, type: Type | null, place: TextPlace): Value {
    const wanted = type ?? this.concreteType(value.type);
    const names = leavesOf(wanted);
    const shape = (t: Type) => (t.kind === 'vector' ? t.count : t.kind === 'scalar' ? 1 : 0);
    const fits =
      wanted.kind === 'scalar' || wanted.kind === 'vector'
        ? shape(wanted) === shape(value.type)
        : nameOf(wanted) === nameOf(value.type);
    if (!fits || names.length !== value.leaves.length) {
      throw new WgslError(place, `expected ${nameOf(wanted)} and found ${nameOf(value.type)}`);
    }
    return { type: wanted, leaves: value.leaves.map((one, i) => concrete(one, names[i], place)) };
  }

  private concreteType(type: Type): Type {
    if (type.kind === 'scalar') return scalar(defaultType(type.name));
    return type.kind === 'vector' ? vector(type.count, defaultType(type.of)) : type;
  }

  variable(type: Type, key: string, value: Value | null, lasts = false): Variable {
    const isFramed = this.forms.has(`${key} framed`);
    const names = leavesOf(type);
    let frame: number | null = null;
    if (isFramed) {
      frame = this.frameBytes;
      this.frameBytes += 16 * names.length;
    }
    const slots = isFramed
      ? []
      : names.map((name, i) => {
          const form = this.forms.of(`${key}.${i}`);
          return { type: name, form, local: this.e.local(name === 'f32' || form === 'varying' ? V128 : I32) };
        });
    const made = { type, key, maskId: this.mask.id, slots, frame, lasts };
    if (value) this.assign(made, 0, value.leaves, true);
    else
      this.assign(
        made,
        0,
        names.map((name) => constant(name, 0)),
        true,
      );
    return made;
  }

  /** Sets leaves `first`, ... of the variable in the lanes that are active. */
  assign(variable: Variable, first: number, leaves: readonly Leaf[], isNew = false): void {
    const blends = !isNew && variable.maskId !== this.mask.id && this.mask.code !== null;
    leaves.forEach((one, i) => {
      if (variable.frame !== null) {
        this.touched = true;
        const at = variable.frame + 16 * (first + i);
        const value = vectorOf(one);
        const old = loadV128(get(this.frame), at);
        this.e.emit(storeV128(get(this.frame), blends ? lanes(V.select, value, old, this.mask.code!) : value, at));
        return;
      }
      const slot = variable.slots[first + i];
      // Between barriers, a loop over the subgroups would do this once for each of them.
      const repeats = this.splits && variable.lasts && !this.between && !isNew;
      let form: VariableForm = one.form === 'constant' ? 'uniform' : one.form;
      if (blends || repeats) form = 'varying';
      if (slot.form === 'linear' && form === 'uniform') form = 'varying';
      if (this.rankOf(form) > this.rankOf(slot.form)) {
        this.forms.weaken(`${variable.key}.${first + i}`, form);
        return;
      }
      if (slot.form !== 'uniform' && this.splits && variable.lasts) this.forms.note(`${variable.key} framed`);
      if (slot.form !== 'uniform') this.touched = true;
      const isVector = slot.type === 'f32' || slot.form === 'varying';
      const code = isVector ? vectorOf(one) : one.form === 'linear' ? one.code : scalarOf(one);
      this.e.emit(set(slot.local, blends ? lanes(V.select, code, get(slot.local), this.mask.code!) : code));
    });
  }

  read(variable: Variable): Leaf[] {
    if (variable.frame === null) {
      return variable.slots.map(({ type, form, local }) => {
        if (form !== 'uniform') this.touched = true;
        if (form !== 'uniform' && this.splits && variable.lasts) this.forms.note(`${variable.key} framed`);
        return leaf(type, form, get(local));
      });
    }
    this.touched = true;
    return leavesOf(variable.type).map((name, i) =>
      leaf(name, 'varying', loadV128(get(this.frame), variable.frame! + 16 * i)),
    );
  }

  private rankOf(form: VariableForm): number {
    return ['uniform', 'linear', 'varying'].indexOf(form);
  }

  /** Lanes that the mask has and `lanesOf` has not. */
  andMask(code: Code): Code {
    return this.mask.code ? lanes(V.and, this.mask.code, code) : code;
  }
}

export const NOTHING: Value = { type: VOID, leaves: [] };
