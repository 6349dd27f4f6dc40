/**
 * Kernels with barriers whose workgroups are several subgroups. Between two barriers, statements run for one subgroup after the other; what
 * lasts from one such region to the next lies in a frame for each subgroup. Statements that are the same for the whole workgroup run once.
 */
import { WgslError } from '../syntax/lexer.ts';
import type { Expression, Statement } from '../syntax/tree.ts';
import { callHasBarrier, callsOf } from './barriers.ts';
import { call } from './calls.ts';
import type { Context } from './context.ts';
import { declare, statement } from './statements.ts';
import { get, i32, op, S, set } from './wasm.ts';

/** Parameters of the whole that regions need; set by module.ts. */
export interface Subgroups {
  readonly count: number;
  /** Locals: the subgroup's number, and the first frame. */
  readonly number: number;
  readonly frames: number;
}

/** The statements, in a loop over the subgroups where they have to be. Declarations stay visible. */
export function loopOver(g: Context, body: readonly Statement[]): void {
  const rest = [...body];
  // What begins the same for all runs once.
  while (rest.length > 0 && runsOnce(g, rest[0])) rest.shift();
  if (rest.length === 0) return;
  const { e } = g;
  const { count, number, frames } = g.subgroups!;
  e.emit(set(number, i32(0)), set(g.frame, get(frames)));
  const top = e.open(0x03);
  g.between = false;
  for (const one of rest) {
    if (one.kind === 'declare') declare(g, one, true);
    else statement(g, one);
  }
  g.between = true;
  e.emit(set(g.frame, op(S.add, get(g.frame), [0x41, g.frameSize])));
  e.emit(set(number, op(S.add, get(number), i32(1))));
  e.branch(top, op(S.lt_u, get(number), i32(count)));
  e.close();
}

/** Generates the statement without a loop, and takes that back if it is not the same for all lanes. */
function runsOnce(g: Context, one: Statement): boolean {
  if (one.kind !== 'declare' && one.kind !== 'assign') return false;
  const { e } = g;
  const [length, touched] = [e.code.length, g.touched];
  const scope = g.scopes[g.scopes.length - 1];
  const { frameBytes } = g;
  g.touched = false;
  g.once = true;
  if (one.kind === 'declare') declare(g, one, true);
  else statement(g, one);
  g.once = false;
  const isSame = !g.touched;
  g.touched = touched || g.touched;
  if (isSame) return true;
  e.code.length = length;
  g.frameBytes = frameBytes;
  if (one.kind === 'declare') scope.delete(one.name);
  return false;
}

/** The statement with each call that comes to a barrier replaced by a name for what it gave. */
export function hoisted(g: Context, node: Statement): Statement {
  const replaced = (of: Expression): Expression => {
    if (!callsOf(of).some(({ callee }) => callHasBarrier(g.module, callee.name))) return of;
    switch (of.kind) {
      case 'call': {
        if (of.args.some((arg) => callsOf(arg).some(({ callee }) => callHasBarrier(g.module, callee.name)))) {
          throw new WgslError(of, 'a barrier in an argument is not supported');
        }
        if (!callHasBarrier(g.module, of.callee.name)) return { ...of, args: of.args.map(replaced) };
        const name = `barrier ${g.path}${of.line}:${of.column}`;
        const value = call(g, of);
        if (value.leaves.length > 0) g.declareHoisted(name, value);
        return { kind: 'name', name, line: of.line, column: of.column };
      }
      case 'index':
        return { ...of, of: replaced(of.of), index: replaced(of.index) };
      case 'member':
      case 'unary':
        return { ...of, of: replaced(of.of) };
      case 'binary':
        if (of.op === '&&' || of.op === '||') throw new WgslError(of, 'a barrier in a condition is not supported');
        return { ...of, left: replaced(of.left), right: replaced(of.right) };
      default:
        return of;
    }
  };
  if (node.kind === 'do') {
    replaced(node.call);
    return { kind: 'block', body: [], line: node.line, column: node.column };
  }
  if (node.kind === 'declare' && node.value) return { ...node, value: replaced(node.value) };
  if (node.kind === 'assign') return { ...node, value: replaced(node.value) };
  if (node.kind === 'return' && node.value) return { ...node, value: replaced(node.value) };
  return node;
}
