/** WebAssembly's binary format: instructions as nested lists of bytes, and a module of them. */
export type Code = number | readonly Code[];

export const I32 = 0x7f;
export const V128 = 0x7b;
export const EMPTY = 0x40;

export function unsigned(value: number): number[] {
  const bytes: number[] = [];
  let rest = value >>> 0;
  do {
    bytes.push((rest & 0x7f) | (rest > 0x7f ? 0x80 : 0));
    rest >>>= 7;
  } while (rest > 0);
  return bytes;
}

export function signed(value: number): number[] {
  const bytes: number[] = [];
  let rest = value | 0;
  for (;;) {
    const byte = rest & 0x7f;
    rest >>= 7;
    const done = (rest === 0 && !(byte & 0x40)) || (rest === -1 && Boolean(byte & 0x40));
    bytes.push(done ? byte : byte | 0x80);
    if (done) return bytes;
  }
}

const simd = (opcode: number) => [0xfd, ...unsigned(opcode)];

export const i32 = (value: number): Code => [0x41, signed(value)];
export const get = (local: number): Code => [0x20, unsigned(local)];
export const set = (local: number, value: Code): Code => [value, 0x21, unsigned(local)];
/** value if condition else other */
export const choose = (value: Code, other: Code, condition: Code): Code => [value, other, condition, 0x1b];

const words = (values: ArrayBuffer): number[] => [...new Uint8Array(values)];
export const v128 = (bits: Uint32Array): Code => [simd(12), words(bits.slice().buffer)];
export const floats = (value: number): Code => v128(new Uint32Array(new Float32Array(4).fill(value).buffer));
export const integers = (a: number, b = a, c = a, d = a): Code => v128(Uint32Array.of(a, b, c, d));
export const ONES = integers(0xffffffff);
export const ZEROS = integers(0);

/** A plain instruction after its operands. */
export const op = (code: number, ...operands: Code[]): Code => [...operands, code];
export const lanes = (opcode: number, ...operands: Code[]): Code => [...operands, simd(opcode)];
export const shuffle = (a: Code, b: Code, order: readonly number[]): Code => [
  a,
  b,
  simd(13),
  order.flatMap((lane) => [0, 1, 2, 3].map((byte) => lane * 4 + byte)),
];
export const extract = (vector: Code, lane: number): Code => [vector, simd(27), lane];

const memory = (align: number, offset: number): Code => [align, unsigned(offset)];
export const loadI32 = (address: Code, offset = 0): Code => [address, 0x28, memory(2, offset)];
export const storeI32 = (address: Code, value: Code, offset = 0): Code => [address, value, 0x36, memory(2, offset)];
export const loadV128 = (address: Code, offset = 0): Code => [address, simd(0), memory(2, offset)];
export const storeV128 = (address: Code, value: Code, offset = 0): Code => [
  address,
  value,
  simd(11),
  memory(2, offset),
];
export const loadSplat = (address: Code, offset = 0): Code => [address, simd(9), memory(2, offset)];
export const loadLane = (address: Code, vector: Code, lane: number, offset = 0): Code => [
  address,
  vector,
  simd(86),
  memory(2, offset),
  lane,
];
export const storeLane = (address: Code, vector: Code, lane: number, offset = 0): Code => [
  address,
  vector,
  simd(90),
  memory(2, offset),
  lane,
];
export const fillMemory = (address: Code, value: Code, bytes: Code): Code => [address, value, bytes, 0xfc, 11, 0];

/** Scalar instructions on i32. */
export const S = {
  eqz: 0x45,
  eq: 0x46,
  ne: 0x47,
  lt_s: 0x48,
  lt_u: 0x49,
  gt_s: 0x4a,
  gt_u: 0x4b,
  le_s: 0x4c,
  le_u: 0x4d,
  ge_s: 0x4e,
  ge_u: 0x4f,
  clz: 0x67,
  ctz: 0x68,
  popcnt: 0x69,
  add: 0x6a,
  sub: 0x6b,
  mul: 0x6c,
  div_s: 0x6d,
  div_u: 0x6e,
  rem_s: 0x6f,
  rem_u: 0x70,
  and: 0x71,
  or: 0x72,
  xor: 0x73,
  shl: 0x74,
  shr_s: 0x75,
  shr_u: 0x76,
} as const;

/** Vector instructions. */
export const V = {
  splat: 17,
  splatF: 19,
  replace: 28,
  eq: 55,
  ne: 56,
  lt_s: 57,
  lt_u: 58,
  gt_s: 59,
  gt_u: 60,
  le_s: 61,
  le_u: 62,
  ge_s: 63,
  ge_u: 64,
  eqF: 65,
  neF: 66,
  ltF: 67,
  gtF: 68,
  leF: 69,
  geF: 70,
  not: 77,
  and: 78,
  andnot: 79,
  or: 80,
  xor: 81,
  select: 82,
  any: 83,
  ceil: 103,
  floor: 104,
  trunc: 105,
  nearest: 106,
  abs: 160,
  neg: 161,
  all: 163,
  bitmask: 164,
  shl: 171,
  shr_s: 172,
  shr_u: 173,
  add: 174,
  sub: 177,
  mul: 181,
  min_s: 182,
  min_u: 183,
  max_s: 184,
  max_u: 185,
  absF: 224,
  negF: 225,
  sqrt: 227,
  addF: 228,
  subF: 229,
  mulF: 230,
  divF: 231,
  pmin: 234,
  pmax: 235,
  divD: 243,
  toIntS: 248,
  toIntU: 249,
  fromIntS: 250,
  fromIntU: 251,
  fromDoubleS: 252,
  fromDoubleU: 253,
  toDoubleS: 254,
  toDoubleU: 255,
} as const;

export function flatten(code: Code, into: number[] = []): number[] {
  if (typeof code === 'number') into.push(code);
  else for (const part of code) flatten(part, into);
  return into;
}

export interface WasmFunction {
  readonly parameters: number;
  /** Types of the locals beyond the parameters, which are all i32. */
  readonly locals: readonly number[];
  readonly code: Code;
}

/** A module that imports memory as "m" "m" and exports its functions as "0", "1", ... */
export function moduleOf(functions: readonly WasmFunction[]): Uint8Array<ArrayBuffer> {
  const section = (id: number, ...content: Code[]) => {
    const bytes = flatten(content);
    return [id, unsigned(bytes.length), bytes];
  };
  const list = (items: readonly Code[]): Code => [unsigned(items.length), items];
  const bodies = functions.map(({ locals, code }) => {
    const body = flatten([list(locals.map((type) => [1, type])), code, 0x0b]);
    return [unsigned(body.length), body];
  });
  return Uint8Array.from(
    flatten([
      [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
      section(1, list(functions.map(({ parameters }) => [0x60, list(Array<number>(parameters).fill(I32)), list([])]))),
      section(2, list([[1, 0x6d, 1, 0x6d, 2, 0, 0]])),
      section(3, list(functions.map((_, i) => unsigned(i)))),
      section(7, list(functions.map((_, i) => [1, 0x30 + i, 0, unsigned(i)]))),
      section(10, list(bodies)),
    ]),
  );
}
