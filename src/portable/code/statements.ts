/** Code of statements: branches and loops by masks where lanes part, by WebAssembly's own where they do not. */
import { type Place, WgslError } from '../syntax/lexer.ts';
import type { Expression, Statement } from '../syntax/tree.ts';
import { scalar } from '../types/types.ts';
import { hasBarrier, returns } from './barriers.ts';
import type { Context, Target } from './context.ts';
import { combine, constantOf, expression, held, reference, typeOf } from './expressions.ts';
import { store } from './memory.ts';
import { hoisted, loopOver } from './regions.ts';
import { isUniform, type Leaf, scalarOf, type Value, vectorOf } from './values.ts';
import { get, lanes, ONES, op, S, set, V, V128, ZEROS } from './wasm.ts';

const IF = 0x04;
const BLOCK = 0x02;
const LOOP = 0x03;
const ELSE = 0x05;

export function statements(g: Context, body: readonly Statement[]): void {
  if (!g.between) {
    for (const one of body) statement(g, one);
    return;
  }
  // Between barriers: what differs from lane to lane runs in a loop over the subgroups, what does not runs once.
  let run: Statement[] = [];
  const finish = () => {
    if (run.length > 0) loopOver(g, run);
    run = [];
  };
  for (const one of body) {
    if (
      hasBarrier(g.module, one) ||
      returns(one) ||
      (one.kind === 'declare' && run.length === 0) ||
      one.kind === 'break' ||
      one.kind === 'continue'
    ) {
      finish();
      statement(g, one);
    } else {
      run.push(one);
    }
  }
  finish();
}

export function statement(g: Context, node: Statement): void {
  if (g.between && node.kind !== 'loop' && node.kind !== 'if' && node.kind !== 'block' && hasBarrier(g.module, node)) {
    node = hoisted(g, node);
  }
  switch (node.kind) {
    case 'block':
      g.inScope(() => statements(g, node.body));
      return;
    case 'declare':
      if (g.between) loopOver(g, [node]);
      else declare(g, node);
      return;
    case 'assign':
      if (g.between && !g.once) loopOver(g, [node]);
      else assign(g, node);
      return;
    case 'do':
      if (g.between) loopOver(g, [node]);
      else expression(g, node.call);
      return;
    case 'if':
      branch(g, node);
      return;
    case 'loop':
      loop(g, node);
      return;
    case 'return':
      leave(g, node);
      return;
    default:
      jump(g, node);
  }
}

export function declare(g: Context, node: Statement & { kind: 'declare' }, lasting = false): void {
  const wanted = node.type && typeOf(g, node.type);
  if (!node.value && node.how !== 'var') throw new WgslError(node, `"${node.name}" has no value`);
  if (node.how === 'const') {
    constantOf(g, node.value!);
    g.declare(node.name, { kind: 'value', value: expression(g, node.value!) }, node);
    return;
  }
  const value = node.value && held(g, g.as(expression(g, node.value), wanted, node));
  const isConstant = value?.leaves.every(({ form }) => form === 'constant');
  if (node.how === 'let' && (!g.splits || !lasting || isConstant)) {
    g.declare(node.name, { kind: 'value', value: value! }, node);
    return;
  }
  const variable = g.variable(value?.type ?? wanted!, `${g.path}${node.line}:${node.column}`, value, lasting);
  g.declare(node.name, { kind: 'variable', variable }, node);
}

function assign(g: Context, node: Statement & { kind: 'assign' }): void {
  if (!node.to) {
    expression(g, node.value);
    return;
  }
  const to = reference(g, node.to);
  if (to.kind === 'value') throw new WgslError(node, 'this is no variable');
  const type = to.kind === 'leaves' ? to.type : to.place.type;
  let value = expression(g, node.value);
  if (node.op) {
    const old = expression(g, node.to);
    value = combine(g, node.op, old, value, node);
  }
  value = g.as(value, type, node);
  if (value.leaves.length > 1) value = held(g, value);
  if (to.kind === 'leaves') {
    g.assign(to.variable, to.first, value.leaves);
  } else if (to.kind === 'memory') {
    if (!to.writable) throw new WgslError(node, 'this is read only');
    if (type.kind === 'atomic') throw new WgslError(node, 'an atomic is written by atomicStore');
    store(g.e, to.place, value, g.mask);
  } else {
    storeFrame(g, to.place, value);
  }
}

/** Each leaf of a frame is a vector; see expressions.ts. */
function storeFrame(g: Context, { base, offset, perLane }: Parameters<typeof store>[1], value: Value): void {
  g.touched = true;
  value.leaves.forEach((one, i) => {
    const at = {
      type: scalar('u32'),
      base,
      offset: offset + 16 * i,
      perLane: g.e.keep(perLane ?? ZEROS, V128),
      run: null,
    };
    const own = lanes(V.add, at.perLane, [0xfd, 12, ...[0, 4, 8, 12].flatMap((b) => [b, 0, 0, 0])]);
    store(
      g.e,
      { ...at, perLane: g.e.keep(own, V128) },
      { type: at.type, leaves: [{ ...one, type: one.type, form: 'varying', code: vectorOf(one) }] },
      g.mask,
    );
  });
}

export function condition(g: Context, node: Expression): Leaf {
  const value = g.as(expression(g, node), scalar('bool'), node);
  return value.leaves[0];
}

function branch(g: Context, node: Statement & { kind: 'if' }): void {
  const test = condition(g, node.condition);
  const { e } = g;
  if (test.form === 'constant') {
    const taken = test.value ? node.then : node.otherwise;
    if (taken) statement(g, taken);
    return;
  }
  if (isUniform(test)) {
    const before = g.mask;
    e.emit(scalarOf(test));
    e.open(IF);
    statement(g, node.then);
    const after = g.mask;
    g.mask = before;
    if (node.otherwise) {
      e.emit(ELSE);
      statement(g, node.otherwise);
    }
    e.close();
    // Lanes that have left are marked in a local of one of the scopes around, so that only the name of the mask is new.
    if (after.id !== before.id || g.mask.id !== before.id) g.mask = g.newMask(before.code);
    return;
  }
  if (g.between) throw new WgslError(node, 'a barrier stands where not all invocations of the workgroup come to');
  const before = g.mask;
  const truth = e.keep(vectorOf(test), V128);
  const [then, otherwise] = [e.local(V128), e.local(V128)];
  e.emit(set(then, g.andMask(truth)));
  e.emit(set(otherwise, before.code ? lanes(V.andnot, before.code, truth) : lanes(V.not, truth)));
  g.mask = g.newMask(get(then));
  let inside = g.mask.id;
  e.emit(lanes(V.any, get(then)));
  e.open(IF);
  statement(g, node.then);
  let left = g.mask.id !== inside;
  e.close();
  if (node.otherwise) {
    g.mask = g.newMask(get(otherwise));
    inside = g.mask.id;
    e.emit(lanes(V.any, get(otherwise)));
    e.open(IF);
    statement(g, node.otherwise);
    left ||= g.mask.id !== inside;
    e.close();
  }
  g.mask = before;
  if (left && before.code) {
    e.emit(set(localOf(before.code), lanes(V.or, get(then), get(otherwise))));
    g.mask = g.newMask(before.code);
    const { target } = g.functions[g.functions.length - 1];
    if (localOf(before.code) === target.live) {
      e.branch(target.exit, op(S.eqz, lanes(V.any, before.code)));
    }
  }
}

/** Masks that change are locals of the scope that they belong to. */
function localOf(code: unknown): number {
  const [, bytes] = code as [number, number[]];
  return bytes.reduce((sum, byte, i) => sum + (byte & 0x7f) * 2 ** (7 * i), 0);
}

function loop(g: Context, node: Statement & { kind: 'loop' }): void {
  const { e } = g;
  const key = `${g.path}${node.line}:${node.column}`;
  const before = g.mask;
  const parts = g.forms.has(`${key} parts`);
  g.scopes.push(new Map());
  if (parts) {
    if (g.between) throw new WgslError(node, 'a barrier stands in a loop that invocations leave at different times');
    const live = e.local(V128);
    e.emit(set(live, before.code ?? ONES));
    g.mask = g.newMask(get(live));
  }
  if (node.first) statement(g, node.first);
  const entry = g.mask;
  const waiting = parts ? e.local(V128) : null;
  const exit = e.open(BLOCK);
  const top = e.open(LOOP);
  if (node.condition) {
    const test = condition(g, node.condition);
    if (isUniform(test)) {
      e.branch(exit, op(S.eqz, scalarOf(test)));
    } else if (parts) {
      e.emit(set(localOf(entry.code), lanes(V.and, entry.code!, vectorOf(test))));
    } else {
      g.forms.note(`${key} parts`);
    }
  }
  if (parts) e.branch(exit, op(S.eqz, lanes(V.any, entry.code!)));
  if (waiting !== null) e.emit(set(waiting, ZEROS));
  const next = e.open(BLOCK);
  const target: Target = { key, entryMask: entry.id, exit, next, live: null, gone: null, waiting };
  g.loops.push(target);
  statement(g, node.body);
  g.loops.pop();
  e.close();
  if (waiting !== null) e.emit(set(localOf(entry.code), lanes(V.or, entry.code!, get(waiting))));
  const left = g.mask.id !== entry.id;
  // Lanes that return from inside would else come back with the next turn's name of the mask.
  if (left && !parts) g.forms.note(`${key} parts`);
  g.mask = entry;
  if (node.next) statement(g, node.next);
  e.branch(top);
  e.close();
  e.close();
  g.scopes.pop();
  g.mask = before;
  const { gone } = g.functions[g.functions.length - 1].target;
  if (left && gone !== null && before.code) {
    e.emit(set(localOf(before.code), lanes(V.andnot, before.code, get(gone))));
    g.mask = g.newMask(before.code);
  }
}

function jump(g: Context, node: Statement & Place): void {
  const target = g.loops[g.loops.length - 1];
  if (!target) throw new WgslError(node, `"${node.kind}" stands in no loop`);
  const isBreak = node.kind === 'break';
  if (g.mask.id === target.entryMask) {
    g.e.branch(isBreak ? target.exit : target.next);
    return;
  }
  g.forms.note(`${target.key} parts`);
  if (target.waiting === null || !g.mask.code) return;
  if (!isBreak) g.e.emit(set(target.waiting, lanes(V.or, get(target.waiting), g.mask.code)));
  depart(g);
}

/** The lanes that are active leave. */
function depart(g: Context): void {
  g.e.emit(set(localOf(g.mask.code), ZEROS));
  g.mask = g.newMask(g.mask.code);
}

function leave(g: Context, node: Statement & { kind: 'return' }): void {
  const { target, result } = g.functions[g.functions.length - 1];
  if (node.value && result && g.between) {
    g.declareHoisted('the result', result);
    const to = { kind: 'name', name: 'the result', line: node.line, column: node.column } as const;
    loopOver(g, [{ ...node, kind: 'assign', to, op: '', value: node.value }]);
  } else if (node.value) {
    if (!result) throw new WgslError(node, 'this function returns nothing');
    const value = held(g, g.as(expression(g, node.value), result.type, node));
    g.assign(result, 0, value.leaves);
  } else if (result) {
    throw new WgslError(node, 'this function returns a value');
  }
  if (g.mask.id === target.entryMask) {
    g.e.branch(target.exit);
    return;
  }
  g.forms.note(`${target.key} parts`);
  if (target.gone === null || !g.mask.code) return;
  g.e.emit(set(target.gone, lanes(V.or, get(target.gone), g.mask.code)));
  depart(g);
}
