/** WGSL's types, and how their values lie in memory. */
export type ScalarName = 'f32' | 'i32' | 'u32' | 'bool' | 'aint' | 'afloat';

export type Type =
  | { readonly kind: 'scalar'; readonly name: ScalarName }
  | { readonly kind: 'vector'; readonly count: number; readonly of: ScalarName }
  /** length null: as long as its binding. */
  | { readonly kind: 'array'; readonly of: Type; readonly length: number | null }
  | {
      readonly kind: 'struct';
      readonly name: string;
      readonly members: readonly { readonly name: string; readonly type: Type }[];
    }
  | { readonly kind: 'atomic'; readonly of: 'i32' | 'u32' }
  | { readonly kind: 'void' };

const scalars = new Map<ScalarName, Type>();
export function scalar(name: ScalarName): Type {
  const known = scalars.get(name) ?? { kind: 'scalar' as const, name };
  scalars.set(name, known);
  return known;
}
export const vector = (count: number, of: ScalarName): Type => ({ kind: 'vector', count, of });
export const VOID: Type = { kind: 'void' };

export function nameOf(type: Type): string {
  if (type.kind === 'scalar')
    return { aint: 'an integer', afloat: 'a decimal number' }[type.name as 'aint'] ?? type.name;
  if (type.kind === 'vector') return `vec${type.count}<${nameOf(scalar(type.of))}>`;
  if (type.kind === 'array') return `array<${nameOf(type.of)}${type.length === null ? '' : `, ${type.length}`}>`;
  if (type.kind === 'struct') return type.name;
  return type.kind === 'atomic' ? `atomic<${type.of}>` : 'nothing';
}

export function isSame(a: Type, b: Type): boolean {
  if (a.kind === 'scalar' && b.kind === 'scalar') return a.name === b.name;
  if (a.kind === 'vector' && b.kind === 'vector') return a.count === b.count && a.of === b.of;
  if (a.kind === 'array' && b.kind === 'array') return a.length === b.length && isSame(a.of, b.of);
  if (a.kind === 'struct' && b.kind === 'struct') return a.name === b.name;
  return a.kind === b.kind;
}

/** The scalars of a value, in the order of memory. */
export function leavesOf(type: Type): ScalarName[] {
  if (type.kind === 'scalar') return [type.name];
  if (type.kind === 'vector') return Array<ScalarName>(type.count).fill(type.of);
  if (type.kind === 'atomic') return [type.of];
  if (type.kind === 'array') {
    const one = leavesOf(type.of);
    return Array.from({ length: type.length ?? 0 }, () => one).flat();
  }
  return type.kind === 'struct' ? type.members.flatMap((member) => leavesOf(member.type)) : [];
}

const up = (bytes: number, to: number) => Math.ceil(bytes / to) * to;

export function alignOf(type: Type): number {
  if (type.kind === 'vector') return type.count === 2 ? 8 : 16;
  if (type.kind === 'array') return alignOf(type.of);
  return type.kind === 'struct' ? Math.max(...type.members.map((member) => alignOf(member.type))) : 4;
}

/** Bytes; of an array without a length, none. */
export function sizeOf(type: Type): number {
  if (type.kind === 'vector') return 4 * type.count;
  if (type.kind === 'array') return strideOf(type.of) * (type.length ?? 0);
  if (type.kind !== 'struct') return type.kind === 'void' ? 0 : 4;
  const last = type.members.length - 1;
  return up(offsetOf(type, last) + sizeOf(type.members[last].type), alignOf(type));
}

export const strideOf = (element: Type): number => up(sizeOf(element), alignOf(element));

export function offsetOf(type: Type & { kind: 'struct' }, index: number): number {
  let offset = 0;
  for (let i = 0; i <= index; i++) {
    offset = up(offset, alignOf(type.members[i].type));
    if (i < index) offset += sizeOf(type.members[i].type);
  }
  return offset;
}

/** Where in memory each leaf lies, in bytes from the value's beginning. */
export function leafOffsets(type: Type): number[] {
  if (type.kind === 'vector') return Array.from({ length: type.count }, (_, i) => 4 * i);
  if (type.kind === 'array') {
    const one = leafOffsets(type.of);
    return Array.from({ length: type.length ?? 0 }, (_, i) => one.map((o) => o + i * strideOf(type.of))).flat();
  }
  if (type.kind === 'struct')
    return type.members.flatMap((member, i) => leafOffsets(member.type).map((o) => o + offsetOf(type, i)));
  return type.kind === 'void' ? [] : [0];
}
