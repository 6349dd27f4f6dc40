/** Code of expressions. */
import { WgslError } from '../syntax/lexer.ts';
import type { Expression } from '../syntax/tree.ts';
import { leavesOf, nameOf, offsetOf, type ScalarName, scalar, strideOf, type Type, vector } from '../types/types.ts';
import { binaryLeaf, unaryLeaf } from './arithmetic.ts';
import { call, hasCall } from './calls.ts';
import type { Context, Variable } from './context.ts';
import { elementAt, load, type Place } from './memory.ts';
import {
  concrete,
  constant,
  IOTA,
  isUniform,
  type Leaf,
  leaf,
  selectLeaf,
  single,
  type Value,
  vectorOf,
} from './values.ts';
import { extract, get, i32, lanes, loadLane, loadV128, op, S, V, V128, ZEROS } from './wasm.ts';

/** What an expression names: memory, leaves of a variable, an element of a variable's frame, or a value. */
export type Reference =
  | { readonly kind: 'memory'; readonly place: Place; readonly writable: boolean; readonly bytes: number | null }
  | { readonly kind: 'leaves'; readonly variable: Variable; readonly first: number; readonly type: Type }
  | { readonly kind: 'frame'; readonly variable: Variable; readonly place: Place }
  | { readonly kind: 'value'; readonly value: Value };

export function expression(g: Context, node: Expression): Value {
  switch (node.kind) {
    case 'number':
      return single(constant(node.type, node.value));
    case 'bool':
      return single(constant('bool', node.value ? 1 : 0));
    case 'call':
      return call(g, node);
    case 'binary':
      return binary(g, node);
    case 'unary': {
      if (node.op === '&' || node.op === '*') throw new WgslError(node, 'pointers are supported for atomics only');
      const of = expression(g, node.of);
      const { op: operator } = node;
      return { type: of.type, leaves: of.leaves.map((one) => unaryLeaf(operator, one, node)) };
    }
    default:
      return read(g, reference(g, node));
  }
}

/** Values of several expressions, in order; what is computed before a call of a function is kept from it. */
export function expressions(g: Context, nodes: readonly Expression[]): Value[] {
  return nodes.map((node, i) => {
    const value = expression(g, node);
    return nodes.slice(i + 1).some((later) => hasCall(g.module, later)) ? held(g, value) : value;
  });
}

export const held = (g: Context, { type, leaves }: Value): Value => ({
  type,
  leaves: leaves.map((one) => g.e.hold(one)),
});

export function constantOf(g: Context, node: Expression): number {
  const { leaves } = expression(g, node);
  if (leaves.length !== 1 || leaves[0].form !== 'constant') throw new WgslError(node, 'expected a constant');
  return leaves[0].value;
}

export const typeOf = (g: Context, name: Parameters<Context['type']>[0]): Type =>
  g.type(name, (length) => constantOf(g, length));

function binary(g: Context, node: Expression & { kind: 'binary' }): Value {
  const [left, right] = expressions(g, [node.left, node.right]);
  return combine(g, node.op, left, right, node);
}

/** left op right, with a scalar spread over a vector's components. */
export function combine(
  g: Context,
  operator: string,
  left: Value,
  right: Value,
  node: Expression | { line: number; column: number },
): Value {
  const counts = [left, right].map(({ type }) =>
    type.kind === 'vector' ? type.count : type.kind === 'scalar' ? 1 : 0,
  );
  const count = Math.max(...counts);
  if (counts.includes(0) || counts.some((c) => c !== 1 && c !== count)) {
    throw new WgslError(node, `"${operator}" is not defined for ${nameOf(left.type)} and ${nameOf(right.type)}`);
  }
  const isShift = operator === '<<' || operator === '>>';
  const [a, b] = counts.map((c, i) => {
    const { leaves } = [left, right][i];
    return c === count ? leaves : Array<Leaf>(count).fill(count > 1 ? g.e.hold(leaves[0]) : leaves[0]);
  });
  const results = a.map((x, i) => {
    if (isShift) return binaryLeaf(g.e, operator, x, concrete(b[i], 'u32', node), node);
    const type = common(x.type, b[i].type);
    return binaryLeaf(g.e, operator, concrete(x, type, node), concrete(b[i], type, node), node);
  });
  const type = results[0].type;
  return { type: count === 1 ? scalar(type) : vector(count, type), leaves: results };
}

/** Of two types the one that both can be: abstract numbers give way. */
export function common(a: ScalarName, b: ScalarName): ScalarName {
  if (a === b) return a;
  if (a === 'aint' || (a === 'afloat' && b !== 'aint')) return b;
  return a;
}

export function reference(g: Context, node: Expression): Reference {
  if (node.kind === 'name') return named(g, node);
  if (node.kind === 'member') return member(g, reference(g, node.of), node);
  if (node.kind !== 'index') return { kind: 'value', value: expression(g, node) };
  let base = reference(g, node.of);
  if (base.kind === 'value' && hasCall(g.module, node.index)) base = { kind: 'value', value: held(g, base.value) };
  const index = expression(g, node.index);
  const one = index.leaves[0];
  if (index.leaves.length !== 1 || !['aint', 'i32', 'u32'].includes(one.type))
    throw new WgslError(node.index, 'an index is an integer');
  return element(g, base, one.type === 'aint' ? concrete(one, one.value < 0 ? 'i32' : 'u32', node) : one, node);
}

function named(g: Context, node: Expression & { kind: 'name' }): Reference {
  const { name } = node;
  const local = g.find(name);
  if (local?.kind === 'value' && !local.value.leaves.every(isUniform)) g.touched = true;
  if (local?.kind === 'value') return { kind: 'value', value: local.value };
  if (local) return { kind: 'leaves', variable: local.variable, first: 0, type: local.variable.type };
  const known = g.constants.get(name);
  if (known) return { kind: 'value', value: single(known) };
  const constantNode = g.module.constants.get(name);
  if (constantNode?.value) {
    const value = expression(g, constantNode.value);
    return { kind: 'value', value: constantNode.type ? g.as(value, typeOf(g, constantNode.type), node) : value };
  }
  const shared = g.workgroup.get(name);
  if (shared) {
    const place = { type: shared.type, base: get(1), offset: shared.offset, perLane: null, run: null };
    return { kind: 'memory', place, writable: true, bytes: null };
  }
  const declared = g.module.variables.get(name);
  const resource = g.resources.get(name);
  if (!declared || !resource) throw new WgslError(node, `unknown name "${name}"`);
  g.used.add(name);
  const place = { type: typeOf(g, declared.type!), base: get(resource.base), offset: 0, perLane: null, run: null };
  return { kind: 'memory', place, writable: declared.access === 'read_write', bytes: resource.bytes };
}

function member(g: Context, base: Reference, node: Expression & { kind: 'member' }): Reference {
  const type = base.kind === 'value' ? base.value.type : base.kind === 'leaves' ? base.type : base.place.type;
  let chosen: number[];
  let result: Type;
  if (type.kind === 'vector') {
    const letters = /^[xyzw]+$/.test(node.name) ? 'xyzw' : 'rgba';
    chosen = [...node.name].map((letter) => letters.indexOf(letter));
    if (chosen.length > 4 || chosen.some((i) => i < 0 || i >= type.count))
      throw new WgslError(node, `${nameOf(type)} has no "${node.name}"`);
    result = chosen.length === 1 ? scalar(type.of) : vector(chosen.length, type.of);
    if (chosen.length > 1) {
      const { leaves } = read(g, base);
      const kept = new Map([...new Set(chosen)].map((i) => [i, g.e.hold(leaves[i])]));
      return { kind: 'value', value: { type: result, leaves: chosen.map((i) => kept.get(i)!) } };
    }
  } else {
    const index = type.kind === 'struct' ? type.members.findIndex(({ name }) => name === node.name) : -1;
    if (type.kind !== 'struct' || index < 0) throw new WgslError(node, `${nameOf(type)} has no member "${node.name}"`);
    result = type.members[index].type;
    const first = type.members.slice(0, index).reduce((sum, { type: t }) => sum + leavesOf(t).length, 0);
    if (base.kind === 'memory') {
      return {
        ...base,
        place: { ...base.place, type: result, offset: base.place.offset + offsetOf(type, index), run: null },
      };
    }
    chosen = leavesOf(result).map((_, i) => first + i);
  }
  if (base.kind === 'value')
    return { kind: 'value', value: { type: result, leaves: chosen.map((i) => base.value.leaves[i]) } };
  if (base.kind === 'leaves') return { ...base, first: base.first + chosen[0], type: result };
  const step = base.kind === 'frame' ? 16 : 4;
  return {
    ...base,
    place: { ...base.place, type: result, offset: base.place.offset + step * (chosen[0] ?? 0), run: null },
  };
}

function element(g: Context, base: Reference, index: Leaf, node: Expression): Reference {
  const type = base.kind === 'value' ? base.value.type : base.kind === 'leaves' ? base.type : base.place.type;
  if (type.kind !== 'array' && type.kind !== 'vector') throw new WgslError(node, `${nameOf(type)} has no elements`);
  const of = type.kind === 'array' ? type.of : scalar(type.of);
  const count = type.kind === 'array' ? type.length : type.count;
  if (index.form === 'constant' && count !== null && (index.value < 0 || index.value >= count)) {
    throw new WgslError(node, `index ${index.value} lies outside of ${nameOf(type)}`);
  }
  const width = leavesOf(of).length;
  if (base.kind === 'memory') {
    const stride = type.kind === 'array' ? strideOf(of) : 4;
    const length = count === null ? op(S.div_u, get(base.bytes!), i32(stride)) : i32(count);
    const place =
      count === null && stride === 1 << Math.log2(stride)
        ? op(S.shr_u, get(base.bytes!), i32(Math.log2(stride)))
        : length;
    return { ...base, place: elementAt(g.e, base.place, of, stride, place, index) };
  }
  if (base.kind === 'frame')
    return { ...base, place: elementAt(g.e, base.place, of, 16 * width, i32(count!), wide(g, index)) };
  if (index.form === 'constant') {
    const first = index.value * width;
    if (base.kind === 'leaves') return { ...base, first: base.first + first, type: of };
    return { kind: 'value', value: { type: of, leaves: base.value.leaves.slice(first, first + width) } };
  }
  if (base.kind === 'leaves') {
    if (base.variable.frame === null) {
      g.forms.note(`${base.variable.key} framed`);
      return { ...base, type: of };
    }
    const place = { type, base: get(g.frame), offset: base.variable.frame + 16 * base.first, perLane: null, run: null };
    return {
      kind: 'frame',
      variable: base.variable,
      place: elementAt(g.e, place, of, 16 * width, i32(count!), wide(g, index)),
    };
  }
  // A value: choose among its elements.
  const at = g.e.hold(index);
  const { leaves } = held(g, base.value);
  const picked = Array.from({ length: width }, (_, k) => {
    let result = leaves[k];
    for (let i = 1; i < count!; i++) {
      const isIt = binaryLeaf(g.e, '==', at, constant(at.type, i), node);
      result = g.e.hold(selectLeaf(result, leaves[i * width + k], isIt));
    }
    return result;
  });
  return { kind: 'value', value: { type: of, leaves: picked } };
}

/** Elements of frames are vectors of four lanes each, so a linear index is no run of neighbours there. */
const wide = (_: Context, index: Leaf): Leaf =>
  index.form === 'linear' ? { ...index, form: 'varying', code: vectorOf(index) } : index;

export function read(g: Context, from: Reference): Value {
  if (from.kind === 'value') return from.value;
  if (from.kind === 'leaves') {
    const count = leavesOf(from.type).length;
    return { type: from.type, leaves: g.read(from.variable).slice(from.first, from.first + count) };
  }
  if (from.kind === 'memory') {
    const { type } = from.place;
    if (type.kind === 'atomic') return load(g.e, { ...from.place, type: scalar(type.of) });
    return load(g.e, from.place);
  }
  g.touched = true;
  const { type, base, offset, perLane } = from.place;
  const leaves = leavesOf(type).map((name, i) => {
    if (perLane === null) return leaf(name, 'varying', g.e.keep(loadV128(base, offset + 16 * i), V128));
    const all = g.e.keep(lanes(V.add, lanes(V.add, lanes(V.splat, base), perLane), lanes(V.shl, IOTA, i32(2))), V128);
    let code = ZEROS;
    for (let lane = 0; lane < 4; lane++) code = loadLane(extract(all, lane), code, lane, offset + 16 * i);
    return leaf(name, 'varying', g.e.keep(code, V128));
  });
  return { type, leaves };
}
