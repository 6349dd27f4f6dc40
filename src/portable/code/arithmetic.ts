/** Operators on scalars. Every rounding is IEEE 754's, one operation at a time, so results are the same on every processor. */
import { type Place, WgslError } from '../syntax/lexer.ts';
import { nameOf, type ScalarName, scalar } from '../types/types.ts';
import {
  constant,
  type Emitter,
  isFloat,
  isUniform,
  type Leaf,
  leaf,
  scalarOf,
  selectLeaf,
  vectorOf,
} from './values.ts';
import { type Code, choose, extract, I32, i32, integers, lanes, op, S, shuffle, V, V128 } from './wasm.ts';

const COMPARE = new Set(['==', '!=', '<', '>', '<=', '>=']);
const FLOATS: Record<string, number> = { '+': V.addF, '-': V.subF, '*': V.mulF, '/': V.divF };
const FLOAT_COMPARES: Record<string, number> = {
  '==': V.eqF,
  '!=': V.neF,
  '<': V.ltF,
  '>': V.gtF,
  '<=': V.leF,
  '>=': V.geF,
};
const VECTORS: Record<string, number> = {
  '+': V.add,
  '-': V.sub,
  '*': V.mul,
  '&': V.and,
  '|': V.or,
  '^': V.xor,
  '==': V.eq,
  '!=': V.ne,
};
const SCALARS: Record<string, number> = {
  '+': S.add,
  '-': S.sub,
  '*': S.mul,
  '&': S.and,
  '|': S.or,
  '^': S.xor,
  '==': S.eq,
  '!=': S.ne,
  '<<': S.shl,
};
const ORDER: Record<string, readonly ['lt' | 'gt' | 'le' | 'ge']> = {
  '<': ['lt'],
  '>': ['gt'],
  '<=': ['le'],
  '>=': ['ge'],
};

/** a op b, both of one type (of shifts, b is u32). */
export function binaryLeaf(e: Emitter, operator: string, a: Leaf, b: Leaf, place: Place): Leaf {
  const { type } = a;
  const result: ScalarName = COMPARE.has(operator) ? 'bool' : type;
  if (!isDefined(operator, type))
    throw new WgslError(place, `"${operator}" is not defined for ${nameOf(scalar(type))}`);
  if (a.form === 'constant' && b.form === 'constant') return constant(result, folded(operator, a, b, place));
  if (isFloat(type)) {
    if (COMPARE.has(operator)) {
      const mask = lanes(FLOAT_COMPARES[operator], vectorOf(a), vectorOf(b));
      return isUniform(a) && isUniform(b) ? leaf('bool', 'uniform', lanes(V.any, mask)) : leaf('bool', 'varying', mask);
    }
    if (operator === '%') return floatRemainder(e, a, b);
    const form = isUniform(a) && isUniform(b) ? 'uniform' : 'varying';
    return leaf('f32', form, lanes(FLOATS[operator], vectorOf(a), vectorOf(b)));
  }
  if (operator === '&&' || operator === '||') return binaryLeaf(e, operator[0], a, b, place);
  if (operator === '/' || operator === '%') return quotient(e, operator, a, b);
  const sign = type === 'i32' ? 's' : 'u';
  if (isUniform(a) && isUniform(b)) {
    const code = ORDER[operator]
      ? S[`${ORDER[operator][0]}_${sign}`]
      : operator === '>>'
        ? S[`shr_${sign}`]
        : SCALARS[operator];
    return leaf(result, 'uniform', op(code, scalarOf(a), scalarOf(b)));
  }
  const linear = a.form === 'linear' && isUniform(b) && (operator === '+' || operator === '-');
  if (linear) return leaf(type, 'linear', op(SCALARS[operator], a.code, scalarOf(b)));
  if (b.form === 'linear' && isUniform(a) && operator === '+')
    return leaf(type, 'linear', op(S.add, scalarOf(a), b.code));
  if (operator === '<<' || operator === '>>') return shifted(e, operator, a, b);
  const code = ORDER[operator] ? V[`${ORDER[operator][0]}_${sign}`] : VECTORS[operator];
  return leaf(result, 'varying', lanes(code, vectorOf(a), vectorOf(b)));
}

function isDefined(operator: string, type: ScalarName): boolean {
  if (operator === '==' || operator === '!=') return true;
  if (operator === '&&' || operator === '||') return type === 'bool';
  if (operator === '&' || operator === '|') return !isFloat(type);
  if (['^', '<<', '>>'].includes(operator)) return type !== 'bool' && !isFloat(type);
  return type !== 'bool';
}

function folded(operator: string, { type, value: a }: Leaf, { value: b }: Leaf, place: Place): number {
  const wrap = (x: number) => (type === 'u32' ? x >>> 0 : type === 'i32' ? x | 0 : type === 'f32' ? Math.fround(x) : x);
  const whole = !isFloat(type);
  switch (operator) {
    case '+':
      return wrap(a + b);
    case '-':
      return wrap(a - b);
    case '*':
      return whole && type !== 'aint' ? wrap(Math.imul(a, b)) : wrap(a * b);
    case '/':
      if (whole && b === 0) throw new WgslError(place, 'division by zero');
      return wrap(whole ? Math.trunc(a / b) : a / b);
    case '%':
      if (whole && b === 0) throw new WgslError(place, 'division by zero');
      return wrap(a % b);
    case '<<':
      return type === 'aint' ? a * 2 ** b : wrap(a << b);
    case '>>':
      return type === 'u32' ? a >>> b : a >> b;
    case '&':
    case '&&':
      return wrap(a & b);
    case '|':
    case '||':
      return wrap(a | b);
    case '^':
      return wrap(a ^ b);
  }
  const truth = { '==': a === b, '!=': a !== b, '<': a < b, '>': a > b, '<=': a <= b, '>=': a >= b }[operator];
  return truth ? 1 : 0;
}

/** x - y trunc(x / y), as WGSL defines it. */
function floatRemainder(e: Emitter, a: Leaf, b: Leaf): Leaf {
  const [x, y] = [e.hold(a), e.hold(b)];
  const whole = lanes(V.trunc, lanes(V.divF, vectorOf(x), vectorOf(y)));
  const form = isUniform(a) && isUniform(b) ? 'uniform' : 'varying';
  return leaf('f32', form, lanes(V.subF, vectorOf(x), lanes(V.mulF, vectorOf(y), whole)));
}

function shifted(e: Emitter, operator: string, a: Leaf, b: Leaf): Leaf {
  const code = operator === '<<' ? V.shl : a.type === 'i32' ? V.shr_s : V.shr_u;
  if (isUniform(b)) return leaf(a.type, 'varying', lanes(code, vectorOf(a), scalarOf(b)));
  const [x, by] = [e.keep(vectorOf(a), V128), e.keep(vectorOf(b), V128)];
  const scalarCode = operator === '<<' ? S.shl : a.type === 'i32' ? S.shr_s : S.shr_u;
  let result: Code = x;
  for (let i = 0; i < 4; i++) {
    result = [result, op(scalarCode, extract(x, i), extract(by, i)), lanes(V.replace), i];
  }
  return leaf(a.type, 'varying', result);
}

/** Where the divisor is 0, WGSL's quotient is the dividend; where the quotient overflows, too. */
function quotient(e: Emitter, operator: string, a: Leaf, b: Leaf): Leaf {
  const { type } = a;
  const isSigned = type === 'i32';
  if (isUniform(a) && isUniform(b)) {
    const [x, y] = [e.hold(a), e.hold(b)];
    let divisor = scalarOf(y);
    if (b.form !== 'constant' || b.value === 0) divisor = choose(i32(1), divisor, op(S.eqz, divisor));
    const divided = isSigned ? S.div_s : S.div_u;
    if (!isSigned || (b.form === 'constant' && b.value !== -1)) {
      return leaf(type, 'uniform', op(operator === '/' ? divided : isSigned ? S.rem_s : S.rem_u, scalarOf(x), divisor));
    }
    // The least integer divided by -1 would trap.
    const safe = e.keep(divisor, I32);
    const isMinus = e.keep(op(S.eq, safe, i32(-1)), I32);
    const value = op(divided, scalarOf(x), choose(i32(1), safe, isMinus));
    const negated = choose(op(S.sub, i32(0), scalarOf(x)), value, isMinus);
    if (operator === '/') return leaf(type, 'uniform', negated);
    return leaf(type, 'uniform', op(S.sub, scalarOf(x), op(S.mul, negated, safe)));
  }
  const x = e.keep(vectorOf(a), V128);
  if (!isSigned && b.form === 'constant' && b.value > 0 && (b.value & (b.value - 1)) === 0) {
    if (operator === '%') return leaf(type, 'varying', lanes(V.and, x, integers(b.value - 1)));
    return leaf(type, 'varying', lanes(V.shr_u, x, i32(Math.log2(b.value))));
  }
  let y = vectorOf(b);
  if (b.form !== 'constant' || b.value === 0) {
    const divisor = e.keep(y, V128);
    y = lanes(V.sub, divisor, lanes(V.eq, divisor, integers(0)));
  }
  y = e.keep(y, V128);
  // A quotient of two 32-bit integers, rounded to float64, never reaches the next integer.
  const [toDouble, fromDouble] = isSigned ? [V.toDoubleS, V.fromDoubleS] : [V.toDoubleU, V.fromDoubleU];
  const upper = (v: Code) => shuffle(v, v, [2, 3, 2, 3]);
  const low = lanes(fromDouble, lanes(V.divD, lanes(toDouble, x), lanes(toDouble, y)));
  const high = lanes(fromDouble, lanes(V.divD, lanes(toDouble, upper(x)), lanes(toDouble, upper(y))));
  let result = shuffle(low, high, [0, 1, 4, 5]);
  if (isSigned && (b.form !== 'constant' || b.value === -1)) {
    result = lanes(V.select, lanes(V.neg, x), result, lanes(V.eq, y, integers(0xffffffff)));
  }
  if (operator === '%') result = lanes(V.sub, x, lanes(V.mul, result, y));
  return leaf(type, 'varying', result);
}

export function unaryLeaf(operator: '-' | '!' | '~', a: Leaf, place: Place): Leaf {
  const { type } = a;
  const fits =
    operator === '!'
      ? type === 'bool'
      : operator === '~'
        ? type === 'i32' || type === 'u32'
        : type !== 'bool' && type !== 'u32';
  if (!fits) throw new WgslError(place, `"${operator}" is not defined for ${nameOf(scalar(type))}`);
  if (a.form === 'constant') {
    const value =
      operator === '-' ? (a.value === 0 && !isFloat(type) ? 0 : -a.value) : operator === '!' ? 1 - a.value : ~a.value;
    return constant(type, type === 'u32' ? value >>> 0 : type === 'i32' ? value | 0 : value);
  }
  if (isFloat(type)) return leaf(type, a.form, lanes(V.negF, vectorOf(a)));
  if (isUniform(a)) {
    const code = scalarOf(a);
    return leaf(
      type,
      'uniform',
      operator === '-' ? op(S.sub, i32(0), code) : operator === '!' ? op(S.eqz, code) : op(S.xor, code, i32(-1)),
    );
  }
  return leaf(type, 'varying', lanes(operator === '-' ? V.neg : V.not, vectorOf(a)));
}

/** T(x) for scalars: conversions saturate. */
export function convertLeaf(e: Emitter, a: Leaf, to: ScalarName, place: Place): Leaf {
  const from = a.type;
  if (from === to) return a;
  if (a.form === 'constant') return constant(to, convertedConstant(a, to, place));
  const form = a.form === 'varying' || (a.form === 'linear' && (to === 'f32' || to === 'bool')) ? 'varying' : a.form;
  if (to === 'bool') return binaryLeaf(e, '!=', a, constant(from, 0), place);
  if (from === 'bool') return selectLeaf(constant(to, 0), constant(to, 1), a);
  if (to === 'f32') return leaf(to, form, lanes(from === 'i32' ? V.fromIntS : V.fromIntU, vectorOf(a)));
  if (from === 'f32') {
    const whole = lanes(to === 'i32' ? V.toIntS : V.toIntU, vectorOf(a));
    return leaf(to, form, form === 'uniform' ? extract(whole, 0) : whole);
  }
  return { ...a, type: to };
}

function convertedConstant({ type, value }: Leaf, to: ScalarName, place: Place): number {
  if (to === 'bool') return value !== 0 ? 1 : 0;
  if (to === 'f32') return Math.fround(value);
  const isAbstract = type === 'aint' || type === 'afloat';
  const [least, most] = to === 'u32' ? [0, 2 ** 32 - 1] : [-(2 ** 31), 2 ** 31 - 1];
  const whole = Math.trunc(value);
  if (isFloat(type)) return Number.isNaN(whole) ? 0 : Math.min(most, Math.max(least, whole));
  if (isAbstract && (whole < least || whole > most)) throw new WgslError(place, `${value} is no ${to}`);
  return to === 'u32' ? whole >>> 0 : whole | 0;
}

export function bitcastLeaf(a: Leaf, to: ScalarName): Leaf {
  if (a.form === 'constant') {
    const from = a.type === 'f32' ? Float32Array.of(a.value) : Uint32Array.of(a.value);
    const bits = from.buffer;
    // A constant NaN would lose its payload as a number.
    if (to === 'f32') {
      const value = new Float32Array(bits)[0];
      return Number.isNaN(value) ? leaf('f32', 'uniform', integers(new Uint32Array(bits)[0])) : constant('f32', value);
    }
    return constant(to, to === 'u32' ? new Uint32Array(bits)[0] : new Int32Array(bits)[0]);
  }
  if (a.type === to) return a;
  if (to === 'f32') return leaf('f32', isUniform(a) ? 'uniform' : 'varying', vectorOf(a));
  if (a.type === 'f32') return leaf(to, a.form, isUniform(a) ? scalarOf(a) : a.code);
  return { ...a, type: to };
}
