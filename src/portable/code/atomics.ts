/** Atomic operations, lane after lane: one thread runs a dispatch, so that nobody comes between. */
import { WgslError } from '../syntax/lexer.ts';
import type { Expression } from '../syntax/tree.ts';
import { scalar } from '../types/types.ts';
import { type Context, NOTHING } from './context.ts';
import { expression, reference } from './expressions.ts';
import { leaf, type Value, vectorOf } from './values.ts';
import {
  type Code,
  choose,
  extract,
  get,
  I32,
  i32,
  lanes,
  loadI32,
  op,
  S,
  set,
  storeI32,
  V,
  V128,
  ZEROS,
} from './wasm.ts';

const NEW: Record<string, (old: Code, value: Code, signed: boolean) => Code> = {
  atomicAdd: (old, value) => op(S.add, old, value),
  atomicSub: (old, value) => op(S.sub, old, value),
  atomicAnd: (old, value) => op(S.and, old, value),
  atomicOr: (old, value) => op(S.or, old, value),
  atomicXor: (old, value) => op(S.xor, old, value),
  atomicMax: (old, value, signed) => choose(old, value, op(signed ? S.gt_s : S.gt_u, old, value)),
  atomicMin: (old, value, signed) => choose(old, value, op(signed ? S.lt_s : S.lt_u, old, value)),
  atomicExchange: (_, value) => value,
  atomicStore: (_, value) => value,
  atomicLoad: (old) => old,
};

export const isAtomic = (name: string): boolean => Object.hasOwn(NEW, name);

export function atomic(g: Context, node: Expression & { kind: 'call' }): Value {
  const { name } = node.callee;
  const [pointer, operand] = node.args;
  if (pointer?.kind !== 'unary' || pointer.op !== '&')
    throw new WgslError(node, `${name} takes the address of an atomic`);
  const to = reference(g, pointer.of);
  if (to.kind !== 'memory' || to.place.type.kind !== 'atomic')
    throw new WgslError(node, `${name} takes the address of an atomic`);
  if (!to.writable) throw new WgslError(node, 'this is read only');
  const { e } = g;
  const { base, offset, perLane } = to.place;
  const type = scalar(to.place.type.of);
  const signed = to.place.type.of === 'i32';
  const isLoad = name === 'atomicLoad';
  if (node.args.length !== (isLoad ? 1 : 2)) throw new WgslError(node, `${name} takes ${isLoad ? 1 : 2} values`);
  const values = operand ? e.keep(vectorOf(g.as(expression(g, operand), type, node).leaves[0]), V128) : ZEROS;
  const addresses = perLane ? e.keep(lanes(V.add, lanes(V.splat, base), perLane), V128) : null;
  const active = g.mask.code ? e.keep(lanes(V.bitmask, g.mask.code), I32) : i32(15);
  const result = e.local(V128);
  e.emit(set(result, ZEROS));
  g.touched = true;
  for (let lane = 0; lane < 4; lane++) {
    e.emit(op(S.and, active, i32(1 << lane)));
    e.open(0x04);
    const address = addresses ? e.keep(extract(addresses, lane), I32) : base;
    const old = e.keep(loadI32(address, offset), I32);
    if (!isLoad) e.emit(storeI32(address, NEW[name](old, extract(values, lane), signed), offset));
    e.emit([get(result), old, lanes(V.replace), lane, set(result, [])]);
    e.close();
  }
  if (name === 'atomicStore') return NOTHING;
  return { type, leaves: [leaf(to.place.type.of, 'varying', get(result))] };
}
