/** A WGSL entry point as a WebAssembly module. */
import { WgslError } from '../syntax/lexer.ts';
import { parse } from '../syntax/parser.ts';
import type { Function as Fn, Module, Parameter } from '../syntax/tree.ts';
import { alignOf, sizeOf, strideOf, type Type, vector } from '../types/types.ts';
import { Forms } from '../uniformity/forms.ts';
import { binaryLeaf, convertLeaf } from './arithmetic.ts';
import { callHasBarrier } from './barriers.ts';
import { body } from './calls.ts';
import { Context } from './context.ts';
import { constantOf, expression, typeOf } from './expressions.ts';
import { LIBRARY } from './library.ts';
import { constant, Emitter, IOTA, type Leaf, leaf, single, type Value } from './values.ts';
import {
  type Code,
  fillMemory,
  flatten,
  get,
  I32,
  i32,
  integers,
  lanes,
  loadI32,
  moduleOf,
  op,
  S,
  set,
  signed,
  V,
  V128,
} from './wasm.ts';

export interface BindingUse {
  readonly binding: number;
  readonly space: 'storage' | 'uniform';
  readonly writable: boolean;
  /** Bytes of the smallest buffer that it takes. */
  readonly least: number;
}

export interface Compiled {
  /** Exports "0": (parameters, scratch, x, y, z), which runs x * y * z workgroups. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** In the order of the parameters in memory: address and bytes of each. */
  readonly bindings: readonly BindingUse[];
  readonly scratchBytes: number;
  readonly workgroupBytes: number;
  readonly workgroupSize: readonly [number, number, number];
}

const LANES = 4;
const MOST_PASSES = 64;
/** Parameters of the function that runs one workgroup, and of the one that runs all. */
const P = { parameters: 0, scratch: 1, group: 2, groups: 5, count: 8 } as const;

let library: Module | null = null;

/** The module with the functions that it may call here. */
export function parsed(code: string): Module {
  library ??= parse(LIBRARY);
  const module = parse(code);
  return { ...module, functions: new Map([...module.functions, ...library.functions]) };
}

export function compile(module: Module, entryPoint: string, given: Readonly<Record<string, number>>): Compiled {
  const entry = module.functions.get(entryPoint);
  if (!entry?.attributes.has('compute'))
    throw new WgslError({ line: 1, column: 1 }, `the entry point "${entryPoint}" is not there`);
  const forms = new Forms();
  for (let pass = 0; pass < MOST_PASSES; pass++) {
    forms.changed = false;
    const made = generate(module, entry, given, forms);
    if (!forms.changed) return made();
  }
  throw new WgslError(entry, 'what differs between invocations cannot be settled');
}

function generate(module: Module, entry: Fn, given: Readonly<Record<string, number>>, forms: Forms): () => Compiled {
  const e = new Emitter(P.count);
  const constants = new Map<string, Leaf>();
  const [number, frames, frame] = [e.local(I32), e.local(I32), e.local(I32)];
  // Sizes are constants, for which no code is needed.
  const early = new Context(module, constants, forms, new Emitter(0), 0, false);
  overrides(early, constants, given);
  const size = workgroupSize(early, entry);
  const threads = size[0] * size[1] * size[2];
  const count = Math.ceil(threads / LANES);
  const splits = count > 1 && callHasBarrier(module, entry.name);
  if (splits && threads % LANES !== 0)
    throw new WgslError(entry, 'a workgroup with barriers has a multiple of four invocations');
  const g = new Context(module, constants, forms, e, frame, splits);
  const used = declare(g);
  const workgroupBytes = layOut(g);

  e.emit(set(frames, op(S.add, get(P.scratch), i32(workgroupBytes))), set(frame, get(frames)), set(number, i32(0)));
  if (workgroupBytes > 0) e.emit(fillMemory(get(P.scratch), i32(0), i32(workgroupBytes)));
  g.subgroups = { count, number, frames };
  if (splits) {
    g.between = true;
    run(g, entry, size, number, true);
  } else {
    const top = e.open(0x03);
    if (threads % LANES !== 0) {
      const mask = e.local(V128);
      const index = lanes(V.add, lanes(V.splat, op(S.mul, get(number), i32(LANES))), IOTA);
      e.emit(set(mask, lanes(V.lt_u, index, integers(threads))));
      g.mask = g.newMask(get(mask));
    }
    run(g, entry, size, number, false);
    e.emit(set(number, op(S.add, get(number), i32(1))));
    e.branch(top, op(S.lt_u, get(number), i32(count)));
    e.close();
  }
  return () => {
    const frameBytes = Math.max(16, g.frameBytes);
    g.frameSize.splice(0, g.frameSize.length, ...signed(frameBytes));
    const names = [...used].filter((name) => g.used.has(name));
    const prologue: Code[] = names.map((name, i) => {
      const { base, bytes } = g.resources.get(name)!;
      return [set(base, loadI32(get(P.parameters), 8 * i)), set(bytes, loadI32(get(P.parameters), 8 * i + 4))];
    });
    const code = flatten([prologue, e.code]);
    const bytes = moduleOf([runAll(), { parameters: P.count, locals: e.locals, code }]);
    const scratchBytes = workgroupBytes + frameBytes * (splits ? count : 1);
    return { bytes, bindings: names.map((name) => useOf(g, name)), scratchBytes, workgroupBytes, workgroupSize: size };
  };
}

function overrides(g: Context, into: Map<string, Leaf>, given: Readonly<Record<string, number>>): void {
  for (const name of Object.keys(given)) {
    if (g.module.constants.get(name)?.how !== 'override')
      throw new WgslError({ line: 1, column: 1 }, `there is no override "${name}"`);
  }
  for (const [name, node] of g.module.constants) {
    if (node.how !== 'override') continue;
    const value = node.value && g.as(expression(g, node.value), node.type && typeOf(g, node.type), node).leaves[0];
    const type = value?.type ?? (node.type && typeOf(g, node.type));
    const wanted = typeof type === 'string' ? type : type?.kind === 'scalar' ? type.name : null;
    if (!wanted || (!Object.hasOwn(given, name) && !value))
      throw new WgslError(node, `the override "${name}" has no value`);
    into.set(
      name,
      Object.hasOwn(given, name) ? convertLeaf(g.e, constant('afloat', given[name]), wanted, node) : value!,
    );
  }
}

function workgroupSize(g: Context, entry: Fn): [number, number, number] {
  const sizes = (entry.attributes.get('workgroup_size') ?? []).map((node) => constantOf(g, node));
  if (sizes.length === 0) throw new WgslError(entry, 'an entry point has a workgroup_size');
  const [x, y = 1, z = 1] = sizes;
  return [x, y, z];
}

/** Locals for the address and the bytes of every binding; the answer are their names by number. */
function declare(g: Context): string[] {
  const found = [...g.module.variables.values()].filter(({ space }) => space === 'storage' || space === 'uniform');
  for (const { name } of found) g.resources.set(name, { base: g.e.local(I32), bytes: g.e.local(I32) });
  return found.map(({ name }) => name);
}

function useOf(g: Context, name: string): BindingUse {
  const node = g.module.variables.get(name)!;
  const number = (attribute: string) => constantOf(g, node.attributes.get(attribute)![0]);
  if (!node.attributes.has('binding') || !node.attributes.has('group') || number('group') !== 0) {
    throw new WgslError(node, 'bindings are supported in group 0 only');
  }
  const type = typeOf(g, node.type!);
  const least = type.kind === 'array' && type.length === null ? strideOf(type.of) : sizeOf(type);
  return { binding: number('binding'), space: node.space as 'storage', writable: node.access === 'read_write', least };
}

/** Places of workgroup variables in the scratch memory. */
function layOut(g: Context): number {
  let offset = 0;
  for (const { name, space, type, ...place } of g.module.variables.values()) {
    if (space === 'private') throw new WgslError(place, 'variables of the space "private" are not supported');
    if (space !== 'workgroup') continue;
    const known: Type = typeOf(g, type!);
    offset = Math.ceil(offset / alignOf(known)) * alignOf(known);
    g.workgroup.set(name, { offset, type: known });
    offset += sizeOf(known);
  }
  return Math.ceil(offset / 16) * 16;
}

function run(g: Context, entry: Fn, size: readonly [number, number, number], number: number, lasting: boolean): void {
  g.scopes = [new Map()];
  for (const parameter of entry.parameters) {
    const value = builtinValue(g, parameter, size, number);
    g.declare(parameter.name, { kind: 'value', value: g.as(value, typeOf(g, parameter.type), parameter) }, parameter);
  }
  body(g, entry, lasting);
}

function builtinValue(
  g: Context,
  parameter: Parameter,
  size: readonly [number, number, number],
  number: number,
): Value {
  const [attribute] = parameter.attributes.get('builtin') ?? [];
  const name = attribute?.kind === 'name' ? attribute.name : '';
  const three = (of: (axis: number) => Leaf): Value => ({ type: vector(3, 'u32'), leaves: [0, 1, 2].map(of) });
  const index = leaf('u32', 'linear', op(S.mul, get(number), i32(LANES)));
  const group = (axis: number) => leaf('u32', 'uniform', get(P.group + axis));
  const local = (axis: number): Leaf => {
    if (size.every((length, i) => i === axis || length === 1)) return index;
    if (size[axis] === 1) return constant('u32', 0);
    // Computed where it is read: between barriers each subgroup has its own.
    const before = size.slice(0, axis).reduce((a, b) => a * b, 1);
    const scaled = binaryLeaf(g.e, '/', { ...index }, constant('u32', before), parameter);
    return binaryLeaf(g.e, '%', scaled, constant('u32', size[axis]), parameter);
  };
  if (g.splits && size.filter((length) => length > 1).length > 1 && /^(local|global)_invocation_id$/.test(name)) {
    throw new WgslError(parameter, 'workgroups of several axes with barriers are not supported');
  }
  switch (name) {
    case 'workgroup_id':
      return three(group);
    case 'num_workgroups':
      return three((axis) => leaf('u32', 'uniform', get(P.groups + axis)));
    case 'local_invocation_index':
      return single(index);
    case 'local_invocation_id':
      return three(local);
    case 'global_invocation_id':
      return three((axis) => {
        const first = binaryLeaf(g.e, '*', group(axis), constant('u32', size[axis]), parameter);
        return size[axis] === 1 ? first : binaryLeaf(g.e, '+', first, local(axis), parameter);
      });
    case 'subgroup_invocation_id':
      return single(leaf('u32', 'linear', i32(0)));
    case 'subgroup_size':
      return single(constant('u32', LANES));
    case 'subgroup_id':
      return single(
        g.splits ? leaf('u32', 'varying', lanes(V.splat, get(number))) : leaf('u32', 'uniform', get(number)),
      );
    case 'num_subgroups':
      return single(constant('u32', g.subgroups?.count ?? 1));
    default:
      throw new WgslError(parameter, `the parameter ${parameter.name} is no built-in value that is supported`);
  }
}

/** (parameters, scratch, x, y, z): the function of one workgroup, for all of them in order. */
function runAll() {
  const e = new Emitter(5);
  const places = [e.local(I32), e.local(I32), e.local(I32)];
  const around = (axis: number) => {
    if (axis < 0) {
      e.emit(get(0), get(1), places.map(get), get(2), get(3), get(4), [0x10, 1]);
      return;
    }
    e.emit(set(places[axis], i32(0)));
    const top = e.open(0x03);
    around(axis - 1);
    e.emit(set(places[axis], op(S.add, get(places[axis]), i32(1))));
    e.branch(top, op(S.lt_u, get(places[axis]), get(2 + axis)));
    e.close();
  };
  around(2);
  return { parameters: 5, locals: e.locals, code: e.code };
}
