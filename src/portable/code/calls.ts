/** Calls: of types, of WGSL's own functions, and of the module's, which are generated in place. */
import { WgslError } from '../syntax/lexer.ts';
import type { Expression, Function as Fn, Module } from '../syntax/tree.ts';
import { isSame, leavesOf, nameOf, type ScalarName, type Type, VOID, vector } from '../types/types.ts';
import { bitcastLeaf, convertLeaf } from './arithmetic.ts';
import { atomic, isAtomic } from './atomics.ts';
import { callHasBarrier, callsOf } from './barriers.ts';
import { builtin, isBuiltin } from './builtins.ts';
import { type Binding, type Context, NOTHING, type Target } from './context.ts';
import { common, expression, expressions, held, typeOf } from './expressions.ts';
import { loopOver } from './regions.ts';
import { statements } from './statements.ts';
import { concrete, type Value, zeroOf } from './values.ts';
import { get, ONES, set, V128, ZEROS } from './wasm.ts';

type Call = Expression & { kind: 'call' };

export const hasCall = (module: Module, node: Expression): boolean =>
  callsOf(node).some(({ callee }) => module.functions.has(callee.name) || isAtomic(callee.name));

export function call(g: Context, node: Call): Value {
  const { name } = node.callee;
  const fn = g.module.functions.get(name);
  if (fn) return inlined(g, fn, node);
  if (g.isType(name)) return constructed(g, node);
  if (name === 'workgroupBarrier' || name === 'storageBarrier') {
    if (g.splits && !g.between)
      throw new WgslError(node, 'a barrier stands where not all invocations of the workgroup come to');
    return NOTHING;
  }
  if (name === 'bitcast') return bits(g, node);
  if (isAtomic(name)) return atomic(g, node);
  if (isBuiltin(name)) return builtin(g, node, expressions(g, node.args));
  throw new WgslError(node, `the function "${name}" is not known`);
}

function bits(g: Context, node: Call): Value {
  const to = node.callee.of && typeOf(g, node.callee.of);
  if (!to || node.args.length !== 1 || (to.kind !== 'scalar' && to.kind !== 'vector'))
    throw new WgslError(node, 'bitcast<T>(value)');
  const value = g.as(expression(g, node.args[0]), null, node);
  const names = leavesOf(to);
  if (names.length !== value.leaves.length)
    throw new WgslError(node, `${nameOf(value.type)} and ${nameOf(to)} are of different sizes`);
  return { type: to, leaves: value.leaves.map((one, i) => bitcastLeaf(one, names[i])) };
}

function constructed(g: Context, node: Call): Value {
  const { callee, args } = node;
  const values = expressions(g, args);
  let type: Type;
  const bare = /^vec([234])$/.exec(callee.name);
  if (callee.name === 'array' && !callee.of) {
    const of = g.as(values[0], null, node).type;
    type = { kind: 'array', of, length: values.length };
  } else if (bare && !callee.of) {
    const name = values.flatMap(({ leaves }) => leaves).reduce<ScalarName>((sum, one) => common(sum, one.type), 'aint');
    type = vector(Number(bare[1]), name === 'aint' ? 'i32' : name === 'afloat' ? 'f32' : name);
  } else {
    type = typeOf(g, callee);
    if (type.kind === 'array' && type.length === null) type = { ...type, length: values.length };
  }
  if (args.length === 0) return zeroOf(type);
  if (type.kind === 'scalar') {
    if (values.length !== 1 || values[0].leaves.length !== 1)
      throw new WgslError(node, `${nameOf(type)} takes one scalar`);
    return { type, leaves: [convertLeaf(g.e, values[0].leaves[0], type.name, node)] };
  }
  if (type.kind === 'vector') return vectorFrom(g, type, values, node);
  const wanted =
    type.kind === 'struct'
      ? type.members.map((m) => m.type)
      : type.kind === 'array'
        ? Array<Type>(type.length!).fill(type.of)
        : [];
  if (wanted.length !== values.length)
    throw new WgslError(node, `${nameOf(type)} takes ${wanted.length} values, not ${values.length}`);
  return { type, leaves: values.flatMap((value, i) => g.as(value, wanted[i], node).leaves) };
}

function vectorFrom(g: Context, type: Type & { kind: 'vector' }, values: readonly Value[], node: Call): Value {
  const leaves = values.flatMap((value) => value.leaves);
  if (values.length === 1 && leaves.length === 1) {
    const one = g.e.hold(concrete(leaves[0], type.of, node));
    return { type, leaves: Array(type.count).fill(one) };
  }
  if (leaves.length !== type.count)
    throw new WgslError(node, `${nameOf(type)} takes ${type.count} scalars, not ${leaves.length}`);
  const converts = values.length === 1;
  return {
    type,
    leaves: leaves.map((one) => (converts ? convertLeaf(g.e, one, type.of, node) : concrete(one, type.of, node))),
  };
}

function inlined(g: Context, fn: Fn, node: Call): Value {
  if (node.args.length !== fn.parameters.length) {
    throw new WgslError(node, `${fn.name} takes ${fn.parameters.length} values, not ${node.args.length}`);
  }
  const path = `${g.path}${node.line}:${node.column} `;
  if (path.split(' ').length > 40) throw new WgslError(node, `${fn.name} calls itself`);
  const isBetween = g.between && callHasBarrier(g.module, fn.name);
  if (g.splits && !isBetween && callHasBarrier(g.module, fn.name)) {
    throw new WgslError(node, 'a barrier stands where not all invocations of the workgroup come to');
  }
  let bound: Binding[];
  if (isBetween) {
    bound = fn.parameters.map((parameter, i) => {
      const name = `${path}${parameter.name}`;
      loopOver(g, [
        {
          kind: 'declare',
          how: 'let',
          name,
          type: null,
          value: node.args[i],
          line: node.line,
          column: node.column + i / 100,
        },
      ]);
      return g.find(name)!;
    });
  } else {
    bound = expressions(g, node.args).map((value, i) => ({
      kind: 'value',
      value: held(g, g.as(value, typeOf(g, fn.parameters[i].type), node)),
    }));
  }
  const outer = g.path;
  const scopes = g.scopes;
  const inner = new Map(fn.parameters.map(({ name }, i) => [name, bound[i]] as const));
  // The types of parameters are read where the function stands.
  g.scopes = [inner];
  g.path = path;
  const { between } = g;
  g.between = isBetween;
  const result = body(g, fn, isBetween);
  g.between = between;
  g.scopes = scopes;
  g.path = outer;
  return result;
}

/** The function's statements; its parameters are in scope. */
export function body(g: Context, fn: Fn, lasting: boolean): Value {
  const { e } = g;
  const type = fn.result ? typeOf(g, fn.result) : VOID;
  const key = `${g.path}${fn.name}`;
  const before = g.mask;
  const parts = g.forms.has(`${key} parts`);
  const [live, gone] = parts ? [e.local(V128), e.local(V128)] : [null, null];
  if (live !== null && gone !== null) {
    e.emit(set(live, before.code ?? ONES), set(gone, ZEROS));
    g.mask = g.newMask(get(live));
  }
  const variable = isSame(type, VOID) ? null : g.variable(type, `${key} result`, zeroOf(type), lasting);
  const exit = e.open(0x02);
  const target: Target = { key, entryMask: g.mask.id, exit, next: exit, live, gone, waiting: null };
  g.functions.push({ target, result: variable });
  statements(g, fn.body.body);
  g.functions.pop();
  e.close();
  g.mask = before;
  return variable ? { type, leaves: g.read(variable) } : NOTHING;
}
