import { describe, expect, it } from 'vitest';
import { parse } from '../../../src/portable/syntax/parser.ts';
import shaders from '../../../src/shaders/sources.ts';

describe('the parser', () => {
  it.each(Object.values(shaders).map(({ name, code }) => [name, code] as const))('reads %s', (_, code) => {
    const { functions } = parse(code);
    expect([...functions.keys()]).toEqual([...code.matchAll(/^fn (\w+)/gm)].map(([, name]) => name));
  });

  it('binds operators as WGSL does, and ends template lists at half of ">>"', () => {
    const { constants, variables } = parse(`
/* a /* nested */ comment */
const x = 1 + 2 * 3 == 7 && 1 << 2u < 5;
@group(0) @binding(0) var<storage, read_write> flags : array<atomic<u32>>;`);
    const value = constants.get('x')?.value;
    expect(value).toMatchObject({
      kind: 'binary',
      op: '&&',
      left: { op: '==', left: { op: '+', right: { op: '*' } } },
    });
    expect(variables.get('flags')?.type).toMatchObject({ name: 'array', of: { name: 'atomic', of: { name: 'u32' } } });
  });

  it.each([
    ['fn main( {', '1:10 expected a name and found "{"'],
    ['fn main() {\n  let x = 1', '2:12 expected ";" and found "the end of the text"'],
    ['const a = 1;\nconst a = 2;', '2:1 "a" is declared twice'],
    ['enable f16;', '1:8 the extension "f16" is not supported'],
    ['const a = 1 # 2;', '1:13 "#" is no part of WGSL'],
    ['/* open', '1:1 this comment is not closed'],
    ['const a = 4294967296u;', '1:11 4294967296u is too large for its type'],
    ['requires x;', '1:1 "requires" begins no declaration'],
  ])('says where %j is wrong', (code, message) => {
    expect(() => parse(code)).toThrow(message);
  });
});
