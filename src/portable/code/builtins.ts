/** WGSL's functions of numbers. */
import { WgslError } from '../syntax/lexer.ts';
import type { Expression } from '../syntax/tree.ts';
import { nameOf, type ScalarName, scalar, type Type, vector } from '../types/types.ts';
import { binaryLeaf, unaryLeaf } from './arithmetic.ts';
import { call } from './calls.ts';
import type { Context } from './context.ts';
import { common } from './expressions.ts';
import { IN_LIBRARY } from './library.ts';
import {
  concrete,
  constant,
  isFloat,
  isUniform,
  type Leaf,
  leaf,
  scalarOf,
  selectLeaf,
  single,
  type Value,
  vectorOf,
} from './values.ts';
import { choose, extract, I32, lanes, op, S, shuffle, V, V128 } from './wasm.ts';

type Call = Expression & { kind: 'call' };
type ByComponent = (g: Context, args: readonly Leaf[], node: Call) => Leaf;

const both = (...args: readonly Leaf[]) => (args.every(isUniform) ? 'uniform' : 'varying');
const float =
  (opcode: number): ByComponent =>
  (_, args) =>
    leaf('f32', both(...args), lanes(opcode, ...args.map(vectorOf)));
const bin = (g: Context, operator: string, a: Leaf, b: Leaf, node: Call) => binaryLeaf(g.e, operator, a, b, node);

/** The second where it is less (or more), else the first. */
const extreme =
  (isMax: boolean): ByComponent =>
  (g, [a, b], node) => {
    if (a.form === 'constant' && b.form === 'constant') {
      return bin(g, '<', a, b, node).value === (isMax ? 1 : 0)
        ? b
        : bin(g, '<', b, a, node).value === (isMax ? 0 : 1)
          ? b
          : a;
    }
    if (isFloat(a.type)) return float(isMax ? V.pmax : V.pmin)(g, [a, b], node);
    const sign = a.type === 'i32' ? 's' : 'u';
    if (isUniform(a) && isUniform(b)) {
      const [x, y] = [g.e.hold(a), g.e.hold(b)].map(scalarOf);
      return leaf(a.type, 'uniform', choose(x, y, op(isMax ? S[`gt_${sign}`] : S[`lt_${sign}`], x, y)));
    }
    return leaf(a.type, 'varying', lanes(isMax ? V[`max_${sign}`] : V[`min_${sign}`], vectorOf(a), vectorOf(b)));
  };

const sum: ByComponent = (g, [a, b, c], node) => bin(g, '+', bin(g, '*', a, b, node), c, node);

/** Functions of one to three numbers of one type, component by component. */
const COMPONENTS: Record<string, { readonly count: number; readonly floats: boolean; readonly make: ByComponent }> = {
  sqrt: { count: 1, floats: true, make: float(V.sqrt) },
  floor: { count: 1, floats: true, make: float(V.floor) },
  ceil: { count: 1, floats: true, make: float(V.ceil) },
  trunc: { count: 1, floats: true, make: float(V.trunc) },
  round: { count: 1, floats: true, make: float(V.nearest) },
  fract: {
    count: 1,
    floats: true,
    make: (g, [a], node) => {
      const x = g.e.hold(a);
      return bin(g, '-', x, float(V.floor)(g, [x], node), node);
    },
  },
  inverseSqrt: {
    count: 1,
    floats: true,
    make: (g, [a], node) => bin(g, '/', constant('f32', 1), float(V.sqrt)(g, [a], node), node),
  },
  abs: {
    count: 1,
    floats: false,
    make: (g, [a], node) => {
      if (isFloat(a.type)) return float(V.absF)(g, [a], node);
      if (a.type === 'u32') return a;
      const x = g.e.hold(a);
      return selectLeaf(x, unaryLeaf('-', x, node), bin(g, '<', x, constant(x.type, 0), node));
    },
  },
  sign: {
    count: 1,
    floats: false,
    make: (g, [a], node) => {
      const x = g.e.hold(a);
      const zero = constant(x.type, 0);
      const negative = selectLeaf(zero, constant(x.type, -1), bin(g, '<', x, zero, node));
      return selectLeaf(negative, constant(x.type, 1), bin(g, '>', x, zero, node));
    },
  },
  min: { count: 2, floats: false, make: extreme(false) },
  max: { count: 2, floats: false, make: extreme(true) },
  step: {
    count: 2,
    floats: true,
    make: (g, [edge, x], node) => selectLeaf(constant('f32', 0), constant('f32', 1), bin(g, '<=', edge, x, node)),
  },
  clamp: {
    count: 3,
    floats: false,
    make: (g, [x, low, high], node) => extreme(false)(g, [extreme(true)(g, [x, low], node), high], node),
  },
  saturate: {
    count: 1,
    floats: true,
    make: (g, [x], node) =>
      extreme(false)(g, [extreme(true)(g, [x, constant('f32', 0)], node), constant('f32', 1)], node),
  },
  // Two roundings: WGSL allows it, and the bits are the same on processors without a fused instruction.
  fma: { count: 3, floats: true, make: sum },
  mix: {
    count: 3,
    floats: true,
    make: (g, [a, b, t], node) => {
      const share = g.e.hold(t);
      return bin(
        g,
        '+',
        bin(g, '*', a, bin(g, '-', constant('f32', 1), share, node), node),
        bin(g, '*', b, share, node),
        node,
      );
    },
  },
};

const OTHERS = new Set([
  'select',
  'dot',
  'any',
  'all',
  'subgroupBroadcast',
  'subgroupBroadcastFirst',
  'subgroupShuffle',
]);

export const isBuiltin = (name: string): boolean =>
  Object.hasOwn(COMPONENTS, name) || Object.hasOwn(IN_LIBRARY, name) || OTHERS.has(name);

const countOf = ({ type }: Value) => (type.kind === 'vector' ? type.count : 1);
const typeFor = (count: number, name: ScalarName): Type => (count === 1 ? scalar(name) : vector(count, name));

export function builtin(g: Context, node: Call, given: readonly Value[]): Value {
  const { name } = node.callee;
  const expect = (count: number) => {
    if (given.length !== count) throw new WgslError(node, `${name} takes ${count} values, not ${given.length}`);
  };
  for (const { type } of given) {
    if (type.kind !== 'scalar' && type.kind !== 'vector' && name !== 'select')
      throw new WgslError(node, `${name} is not defined for ${nameOf(type)}`);
  }
  if (Object.hasOwn(IN_LIBRARY, name)) {
    expect(1);
    const args = g.as(given[0], typeFor(countOf(given[0]), 'f32'), node);
    const leaves = args.leaves.map((one) => libraryCall(g, IN_LIBRARY[name], one, node));
    return { type: args.type, leaves };
  }
  const known = Object.hasOwn(COMPONENTS, name) ? COMPONENTS[name] : null;
  if (known) {
    expect(known.count);
    return byComponent(g, node, given, known.floats, (args) => known.make(g, args, node));
  }
  switch (name) {
    case 'select':
      expect(3);
      return selected(g, node, given);
    case 'dot':
      expect(2);
      return dot(g, node, given);
    case 'any':
    case 'all': {
      expect(1);
      const leaves = g.as(given[0], typeFor(countOf(given[0]), 'bool'), node).leaves;
      return single(leaves.reduce((a, b) => bin(g, name === 'any' ? '|' : '&', a, b, node)));
    }
    case 'subgroupBroadcastFirst':
      expect(1);
      return broadcast(g, g.as(given[0], null, node), constant('u32', 0), node);
    default:
      expect(2);
      return broadcast(
        g,
        g.as(given[0], null, node),
        concrete(given[1].leaves[0], given[1].leaves[0].type === 'i32' ? 'i32' : 'u32', node),
        node,
      );
  }
}

function libraryCall(g: Context, name: string, argument: Leaf, node: Call): Leaf {
  const path = g.path;
  g.scopes.push(new Map([['the argument', { kind: 'value', value: single(g.e.hold(argument)) } as const]]));
  const place = { line: node.line, column: node.column };
  const callee = { name, of: null, length: null, ...place };
  const value = call(g, { kind: 'call', callee, args: [{ kind: 'name', name: 'the argument', ...place }], ...place });
  g.scopes.pop();
  g.path = path;
  return value.leaves[0];
}

function byComponent(
  g: Context,
  node: Call,
  given: readonly Value[],
  floats: boolean,
  make: (args: readonly Leaf[]) => Leaf,
): Value {
  const count = Math.max(...given.map(countOf));
  let name = given.flatMap(({ leaves }) => leaves).reduce<ScalarName>((a, b) => common(a, b.type), 'aint');
  if (floats && name === 'aint') name = 'afloat';
  name = name === 'afloat' ? 'f32' : name === 'aint' ? 'i32' : name;
  if (name === 'bool' || (floats && name !== 'f32'))
    throw new WgslError(node, `${node.callee.name} is not defined for ${name}`);
  const columns = given.map((value) => {
    if (countOf(value) !== count && countOf(value) !== 1)
      throw new WgslError(node, `${node.callee.name}: vectors of different sizes`);
    const leaves = value.leaves.map((one) => concrete(one, name, node));
    return leaves.length === count ? leaves : Array<Leaf>(count).fill(g.e.hold(leaves[0]));
  });
  return { type: typeFor(count, name), leaves: columns[0].map((_, i) => make(columns.map((column) => column[i]))) };
}

function selected(g: Context, node: Call, [no, yes, condition]: readonly Value[]): Value {
  const names = [no, yes].map(({ leaves }) => leaves.reduce<ScalarName>((a, b) => common(a, b.type), 'aint'));
  const name = common(names[0], names[1]);
  const type = typeFor(countOf(no), name === 'aint' ? 'i32' : name === 'afloat' ? 'f32' : name);
  const [other, value] = [g.as(no, type, node), g.as(yes, type, node)];
  const tests = g.as(condition, typeFor(countOf(condition), 'bool'), node).leaves;
  if (tests.length !== 1 && tests.length !== other.leaves.length)
    throw new WgslError(node, 'select: vectors of different sizes');
  const test = tests.length === 1 && other.leaves.length > 1 ? [g.e.hold(tests[0])] : tests;
  return {
    type,
    leaves: other.leaves.map((one, i) => selectLeaf(one, value.leaves[i], test[test.length === 1 ? 0 : i])),
  };
}

function dot(g: Context, node: Call, [a, b]: readonly Value[]): Value {
  const [x, y] = [g.as(a, null, node), g.as(b, null, node)];
  const products = x.leaves.map((one, i) => bin(g, '*', one, y.leaves[i], node));
  return single(products.reduce((total, one) => bin(g, '+', total, one, node)));
}

/** Lane `index` of the value for all lanes. */
function broadcast(g: Context, { type, leaves }: Value, index: Leaf, node: Call): Value {
  if (!isUniform(index) && node.callee.name !== 'subgroupShuffle')
    throw new WgslError(node, 'the lane of a broadcast is the same for all');
  const results = leaves.map((one) => {
    if (isUniform(one)) return one;
    g.touched = true;
    const vector = vectorOf(one);
    if (index.form !== 'constant') {
      const lane = g.e.hold(index);
      const source = g.e.keep(vector, V128);
      let result: Leaf = leaf(one.type, 'varying', shuffle(source, source, [0, 0, 0, 0]));
      for (let i = 1; i < 4; i++) {
        const isIt = bin(g, '==', lane, constant(lane.type, i), node);
        result = selectLeaf(result, leaf(one.type, 'varying', shuffle(source, source, [i, i, i, i])), isIt);
      }
      return result;
    }
    if (index.value > 3) throw new WgslError(node, `a subgroup has no lane ${index.value}`);
    const i = index.value;
    const source = g.e.keep(vector, V128);
    const all = shuffle(source, source, [i, i, i, i]);
    if (g.splits) return leaf(one.type, 'varying', all);
    if (one.type === 'f32') return leaf('f32', 'uniform', all);
    if (one.type === 'bool') return leaf('bool', 'uniform', op(S.ne, extract(source, i), [0x41, 0]));
    return leaf(one.type, 'uniform', g.e.keep(extract(source, i), I32));
  });
  return { type, leaves: results };
}
