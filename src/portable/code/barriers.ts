/** Which statements come to a barrier, by themselves or by a function that they call. */
import type { Expression, Module, Statement } from '../syntax/tree.ts';

const BARRIERS = new Set(['workgroupBarrier', 'storageBarrier']);

export function expressionsOf(node: Statement): Expression[] {
  switch (node.kind) {
    case 'block':
      return node.body.flatMap(expressionsOf);
    case 'declare':
      return node.value ? [node.value] : [];
    case 'assign':
      return node.to ? [node.to, node.value] : [node.value];
    case 'if':
      return [node.condition, ...expressionsOf(node.then), ...(node.otherwise ? expressionsOf(node.otherwise) : [])];
    case 'loop':
      return [
        ...(node.first ? expressionsOf(node.first) : []),
        ...(node.condition ? [node.condition] : []),
        ...(node.next ? expressionsOf(node.next) : []),
        ...expressionsOf(node.body),
      ];
    case 'return':
      return node.value ? [node.value] : [];
    case 'do':
      return [node.call];
    default:
      return [];
  }
}

export function callsOf(node: Expression): (Expression & { kind: 'call' })[] {
  switch (node.kind) {
    case 'call':
      return [...node.args.flatMap(callsOf), node];
    case 'index':
      return [...callsOf(node.of), ...callsOf(node.index)];
    case 'member':
    case 'unary':
      return callsOf(node.of);
    case 'binary':
      return [...callsOf(node.left), ...callsOf(node.right)];
    default:
      return [];
  }
}

const known = new WeakMap<object, boolean>();

export function callHasBarrier(module: Module, name: string): boolean {
  if (BARRIERS.has(name)) return true;
  const body = module.functions.get(name)?.body;
  return body !== undefined && hasBarrier(module, body);
}

export function hasBarrier(module: Module, node: Statement): boolean {
  const before = known.get(node);
  if (before !== undefined) return before;
  known.set(node, false); // of a function that calls itself, which is refused elsewhere
  const found = expressionsOf(node).some((one) =>
    callsOf(one).some(({ callee }) => callHasBarrier(module, callee.name)),
  );
  known.set(node, found);
  return found;
}

/** Whether the statement, or one inside it, returns. */
export function returns(node: Statement): boolean {
  if (node.kind === 'return') return true;
  if (node.kind === 'block') return node.body.some(returns);
  if (node.kind === 'if') return returns(node.then) || (node.otherwise !== null && returns(node.otherwise));
  return node.kind === 'loop' && returns(node.body);
}
