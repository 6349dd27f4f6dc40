/** WGSL text as a syntax tree: recursive descent. What the grammar here does not know is an error with line and column. */
import { numberOf, type Place, type Token, tokensOf, WgslError } from './lexer.ts';
import type {
  Attributes,
  Block,
  Constant,
  Declaration,
  Expression,
  Function as Fn,
  Module,
  ModuleVariable,
  Parameter,
  Statement,
  Struct,
  TypeName,
} from './tree.ts';

/** From loosest to tightest. */
const LEVELS = [
  ['||'],
  ['&&'],
  ['|'],
  ['^'],
  ['&'],
  ['==', '!='],
  ['<', '>', '<=', '>='],
  ['<<', '>>'],
  ['+', '-'],
  ['*', '/', '%'],
];
const SHIFT_LEVEL = 7;
const GENERIC = new Set(['array', 'vec2', 'vec3', 'vec4', 'atomic', 'bitcast', 'ptr']);
const ASSIGNMENTS = new Set(['=', '+=', '-=', '*=', '/=', '%=', '&=', '|=', '^=', '<<=', '>>=']);
const EXTENSIONS = new Set(['subgroups']);

export const parse = (code: string): Module => new Parser(tokensOf(code)).module();

class Parser {
  private readonly tokens: Token[];
  private at = 0;

  constructor(tokens: Token[]) {
    this.tokens = tokens;
  }

  module(): Module {
    const structs = new Map<string, Struct>();
    const aliases = new Map<string, TypeName>();
    const constants = new Map<string, Constant>();
    const variables = new Map<string, ModuleVariable>();
    const functions = new Map<string, Fn>();
    const names = new Set<string>();
    const add = <T>(map: Map<string, T>, name: string, place: Place, value: T) => {
      if (names.has(name)) throw new WgslError(place, `"${name}" is declared twice`);
      names.add(name);
      map.set(name, value);
    };
    while (this.peek.kind !== 'end') {
      if (this.take(';')) continue;
      const attributes = this.attributes();
      const place = this.peek;
      const word = this.word();
      if (word === 'enable') {
        do {
          const token = this.peek;
          if (!EXTENSIONS.has(this.word()))
            throw new WgslError(token, `the extension "${token.text}" is not supported`);
        } while (this.take(','));
        this.expect(';');
      } else if (word === 'struct') {
        const name = this.word();
        this.expect('{');
        const members = this.parameters('}');
        add(structs, name, place, { name, members, ...at(place) });
      } else if (word === 'alias') {
        const name = this.word();
        this.expect('=');
        add(aliases, name, place, this.type());
        this.expect(';');
      } else if (word === 'const' || word === 'override') {
        const name = this.word();
        const type = this.take(':') ? this.type() : null;
        const value = this.take('=') ? this.expression() : null;
        this.expect(';');
        add(constants, name, place, { how: word, name, type, value, ...at(place) });
      } else if (word === 'var') {
        let [space, access] = ['private', 'read_write'];
        if (this.take('<')) {
          space = this.word();
          access = this.take(',') ? this.word() : space === 'storage' || space === 'uniform' ? 'read' : access;
          this.close();
        }
        const name = this.word();
        const type = this.take(':') ? this.type() : null;
        const value = this.take('=') ? this.expression() : null;
        this.expect(';');
        add(variables, name, place, { name, space, access, type, value, attributes, ...at(place) });
      } else if (word === 'fn') {
        const name = this.word();
        this.expect('(');
        const parameters = this.parameters(')');
        let result: TypeName | null = null;
        if (this.take('->')) {
          this.attributes();
          result = this.type();
        }
        add(functions, name, place, { name, attributes, parameters, result, body: this.block(), ...at(place) });
      } else {
        throw new WgslError(place, `"${word}" begins no declaration`);
      }
    }
    return { structs, aliases, constants, variables, functions };
  }

  private get peek(): Token {
    return this.tokens[this.at];
  }

  private take(text: string): boolean {
    if (this.peek.text !== text || this.peek.kind === 'end') return false;
    this.at++;
    return true;
  }

  private expect(text: string): void {
    if (!this.take(text)) throw new WgslError(this.peek, `expected "${text}" and found "${this.peek.text}"`);
  }

  private word(): string {
    const token = this.peek;
    if (token.kind !== 'word') throw new WgslError(token, `expected a name and found "${token.text}"`);
    this.at++;
    return token.text;
  }

  /** The end of a template list, which may be the first half of ">>". */
  private close(): void {
    const token = this.peek;
    if (token.kind === 'sign' && token.text.length > 1 && token.text.startsWith('>')) {
      this.tokens[this.at] = { ...token, text: token.text.slice(1), column: token.column + 1 };
    } else {
      this.expect('>');
    }
  }

  private attributes(): Attributes {
    const found = new Map<string, Expression[]>();
    while (this.take('@')) {
      const name = this.word();
      found.set(name, this.take('(') ? this.list(')') : []);
    }
    return found;
  }

  private parameters(end: string): Parameter[] {
    const found: Parameter[] = [];
    while (!this.take(end)) {
      const attributes = this.attributes();
      const place = this.peek;
      const name = this.word();
      this.expect(':');
      found.push({ name, type: this.type(), attributes, ...at(place) });
      if (!this.take(',')) {
        this.expect(end);
        break;
      }
    }
    return found;
  }

  private type(): TypeName {
    const place = this.peek;
    const name = this.word();
    let of: TypeName | null = null;
    let length: Expression | null = null;
    if (GENERIC.has(name) && this.take('<')) {
      of = this.type();
      if (this.take(',') && this.peek.text !== '>') length = this.binary(SHIFT_LEVEL + 1);
      this.take(',');
      this.close();
    }
    return { name, of, length, ...at(place) };
  }

  private list(end: string): Expression[] {
    const found: Expression[] = [];
    while (!this.take(end)) {
      found.push(this.expression());
      if (!this.take(',')) {
        this.expect(end);
        break;
      }
    }
    return found;
  }

  private block(): Block {
    const place = this.peek;
    this.expect('{');
    const body: Statement[] = [];
    while (!this.take('}')) {
      if (this.peek.kind === 'end') throw new WgslError(place, 'this block is not closed');
      if (!this.take(';')) body.push(this.statement());
    }
    return { kind: 'block', body, ...at(place) };
  }

  private statement(): Statement {
    const place = at(this.peek);
    if (this.peek.text === '{') return this.block();
    if (this.take('if')) return this.branch(place);
    if (this.take('for')) {
      this.expect('(');
      const first = this.take(';') ? null : this.simple();
      if (first) this.expect(';');
      const condition = this.peek.text === ';' ? null : this.expression();
      this.expect(';');
      const next = this.peek.text === ')' ? null : this.simple();
      this.expect(')');
      return { kind: 'loop', first, condition, next, body: this.block(), ...place };
    }
    if (this.take('while')) {
      const condition = this.expression();
      return { kind: 'loop', first: null, condition, next: null, body: this.block(), ...place };
    }
    if (this.take('loop'))
      return { kind: 'loop', first: null, condition: null, next: null, body: this.block(), ...place };
    if (this.take('return')) {
      const value = this.peek.text === ';' ? null : this.expression();
      this.expect(';');
      return { kind: 'return', value, ...place };
    }
    for (const kind of ['break', 'continue'] as const) {
      if (!this.take(kind)) continue;
      this.expect(';');
      return { kind, ...place };
    }
    const statement = this.simple();
    this.expect(';');
    return statement;
  }

  private branch(place: Place): Statement {
    const condition = this.expression();
    const then = this.block();
    const next = this.peek;
    let otherwise: Statement | null = null;
    if (this.take('else')) otherwise = this.take('if') ? this.branch(at(next)) : this.block();
    return { kind: 'if', condition, then, otherwise, ...place };
  }

  /** What may stand in the head of a for. */
  private simple(): Statement {
    const place = at(this.peek);
    for (const how of ['let', 'const', 'var'] as const) {
      if (!this.take(how)) continue;
      if (how === 'var' && this.take('<')) {
        if (this.word() !== 'function')
          throw new WgslError(place, 'a variable of a function lies in the space "function"');
        this.close();
      }
      const name = this.word();
      const type = this.take(':') ? this.type() : null;
      const value = this.take('=') ? this.expression() : null;
      return { kind: 'declare', how, name, type, value, ...place } satisfies Declaration;
    }
    if (this.peek.text === '_' && this.tokens[this.at + 1].text === '=') {
      this.at += 2;
      return { kind: 'assign', to: null, op: '', value: this.expression(), ...place };
    }
    const to = this.unary();
    const token = this.peek;
    if (token.text === '++' || token.text === '--') {
      this.at++;
      return {
        kind: 'assign',
        to,
        op: token.text[0],
        value: { kind: 'number', value: 1, type: 'aint', ...place },
        ...place,
      };
    }
    if (ASSIGNMENTS.has(token.text)) {
      this.at++;
      return { kind: 'assign', to, op: token.text.slice(0, -1), value: this.expression(), ...place };
    }
    if (to.kind !== 'call') throw new WgslError(token, `expected an assignment and found "${token.text}"`);
    return { kind: 'do', call: to, ...place };
  }

  private expression(): Expression {
    return this.binary(0);
  }

  private binary(level: number): Expression {
    if (level >= LEVELS.length) return this.unary();
    let left = this.binary(level + 1);
    while (this.peek.kind === 'sign' && LEVELS[level].includes(this.peek.text)) {
      const token = this.peek;
      this.at++;
      left = { kind: 'binary', op: token.text, left, right: this.binary(level + 1), ...at(token) };
    }
    return left;
  }

  private unary(): Expression {
    const token = this.peek;
    if (token.kind === 'sign' && ['-', '!', '~', '&', '*'].includes(token.text)) {
      this.at++;
      return { kind: 'unary', op: token.text as '-', of: this.unary(), ...at(token) };
    }
    let of = this.primary();
    for (;;) {
      const place = at(this.peek);
      if (this.take('[')) {
        of = { kind: 'index', of, index: this.expression(), ...place };
        this.expect(']');
      } else if (this.take('.')) {
        of = { kind: 'member', of, name: this.word(), ...place };
      } else {
        return of;
      }
    }
  }

  private primary(): Expression {
    const token = this.peek;
    if (this.take('(')) {
      const inner = this.expression();
      this.expect(')');
      return inner;
    }
    if (token.kind === 'number') {
      this.at++;
      return number(token);
    }
    if (token.text === 'true' || token.text === 'false') {
      this.at++;
      return { kind: 'bool', value: token.text === 'true', ...at(token) };
    }
    if (token.kind !== 'word') throw new WgslError(token, `expected an expression and found "${token.text}"`);
    const callee = this.type();
    if (this.take('(')) return { kind: 'call', callee, args: this.list(')'), ...at(token) };
    return { kind: 'name', name: callee.name, ...at(token) };
  }
}

const at = ({ line, column }: Place): Place => ({ line, column });

function number(token: Token): Expression {
  const isHex = /^0[xX]/.test(token.text);
  const suffix =
    /[iuh]$/.exec(token.text)?.[0] ?? (!isHex || /[pP]/.test(token.text) ? /f$/.exec(token.text)?.[0] : undefined);
  if (suffix === 'h') throw new WgslError(token, 'numbers of half precision are not supported');
  const text = suffix ? token.text.slice(0, -1) : token.text;
  const isFloat = suffix === 'f' || (isHex ? /[.pP]/.test(text) : /[.eE]/.test(text));
  const type = suffix === 'u' ? 'u32' : suffix === 'i' ? 'i32' : suffix === 'f' ? 'f32' : isFloat ? 'afloat' : 'aint';
  const value = numberOf(text);
  const fits = type === 'u32' ? value < 2 ** 32 : type === 'i32' ? value < 2 ** 31 : true;
  if (!fits) throw new WgslError(token, `${token.text} is too large for its type`);
  return { kind: 'number', value: type === 'f32' ? Math.fround(value) : value, type, ...at(token) };
}
