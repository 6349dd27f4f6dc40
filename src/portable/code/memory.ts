/**
 * Loads and stores. Indices are clamped to the array before an address is computed, so no access leaves its binding; inactive lanes load what
 * their clamped index leads to, which nobody uses, and store nothing.
 */
import { leafOffsets, leavesOf, type Type } from '../types/types.ts';
import { type Emitter, isUniform, type Leaf, leaf, scalarOf, type Value, vectorOf } from './values.ts';
import {
  type Code,
  choose,
  extract,
  get,
  I32,
  i32,
  integers,
  lanes,
  loadI32,
  loadLane,
  loadSplat,
  loadV128,
  op,
  S,
  set,
  shuffle,
  storeI32,
  storeLane,
  storeV128,
  V,
  V128,
  ZEROS,
} from './wasm.ts';

/** Lanes that are active: a vector of all ones or none each; null where all are. */
export interface Mask {
  readonly id: number;
  readonly code: Code | null;
}

/** A place in memory: an i32 address that all lanes share, with a constant and, where lanes differ, an offset for each. */
export interface Place {
  readonly type: Type;
  readonly base: Code;
  readonly offset: number;
  /** A vector of byte offsets; null where lanes share the address. */
  readonly perLane: Code | null;
  /** Of a linear index: elements follow one another from `start`, if `fits`. */
  readonly run: { readonly start: Code; readonly fits: Code; readonly stride: number } | null;
}

/** Element `index` of an array of `length` elements (an i32) that begins at `place`. */
export function elementAt(e: Emitter, place: Place, element: Type, stride: number, length: Code, index: Leaf): Place {
  const next = { type: element, offset: place.offset, run: null };
  const last = op(S.sub, length, i32(1));
  if (isUniform(index)) {
    const at = index.form === 'constant' ? scalarOf(index) : e.keep(scalarOf(index), I32);
    const limit = e.keep(last, I32);
    const clamped = choose(at, limit, op(S.lt_u, at, limit));
    return {
      ...next,
      base: e.keep(op(S.add, place.base, op(S.mul, clamped, i32(stride))), I32),
      perLane: place.perLane,
    };
  }
  const limit = e.keep(last, I32);
  const scaled = (v: Code) =>
    stride === 1 << Math.log2(stride) ? lanes(V.shl, v, i32(Math.log2(stride))) : lanes(V.mul, v, integers(stride));
  const clamped = (v: Code) => scaled(lanes(V.min_u, v, lanes(V.splat, limit)));
  if (index.form === 'linear' && place.perLane === null) {
    const start = e.keep(index.code, I32);
    // start + 3 <= limit, without overflow
    const fits = e.keep(op(S.and, op(S.ge_u, limit, i32(3)), op(S.le_u, start, op(S.sub, limit, i32(3)))), I32);
    const run = { start: op(S.add, place.base, op(S.mul, start, i32(stride))), fits, stride };
    return { ...next, base: place.base, perLane: clamped(vectorOf({ ...index, code: start })), run };
  }
  const offsets = clamped(vectorOf(index));
  return {
    ...next,
    base: place.base,
    perLane: e.keep(place.perLane ? lanes(V.add, place.perLane, offsets) : offsets, V128),
  };
}

const isRun = ({ type, run }: Place) =>
  run !== null && run.stride === 4 * leavesOf(type).length && [1, 2, 4].includes(leavesOf(type).length);

export function load(e: Emitter, place: Place): Value {
  const { type, base, offset, perLane } = place;
  const names = leavesOf(type);
  const offsets = leafOffsets(type).map((o) => o + offset);
  if (perLane === null) {
    const leaves = names.map((name, i) =>
      leaf(name, 'uniform', name === 'f32' ? loadSplat(base, offsets[i]) : loadI32(base, offsets[i])),
    );
    return { type, leaves };
  }
  const locals = names.map(() => e.local(V128));
  if (isRun(place)) {
    e.emit(place.run!.fits);
    e.open(0x04);
    const start = e.keep(place.run!.start, I32);
    const loaded = names.map((_, i) => e.keep(loadV128(start, offset + 16 * i), V128));
    untangled(e, loaded).forEach((code, i) => {
      e.emit(set(locals[i], code));
    });
    e.emit(0x05);
    gather(e, base, perLane, offsets, locals);
    e.close();
  } else {
    gather(e, base, perLane, offsets, locals);
  }
  return { type, leaves: names.map((name, i) => leaf(name, 'varying', get(locals[i]))) };
}

/** Lane addresses, and each leaf of each lane. */
function gather(e: Emitter, base: Code, perLane: Code, offsets: readonly number[], locals: readonly number[]): void {
  const addresses = addressesOf(e, base, perLane);
  if (offsets.length === 4 && offsets.every((o, i) => o === offsets[0] + 4 * i)) {
    const rows = addresses.map((address) => e.keep(loadV128(address, offsets[0]), V128));
    untangled(e, rows).forEach((code, i) => {
      e.emit(set(locals[i], code));
    });
    return;
  }
  offsets.forEach((offset, i) => {
    let code: Code = loadSplat(addresses[0], offset);
    for (let lane = 1; lane < 4; lane++) code = loadLane(addresses[lane], code, lane, offset);
    e.emit(set(locals[i], code));
  });
}

function addressesOf(e: Emitter, base: Code, perLane: Code): Code[] {
  const all = e.keep(lanes(V.add, lanes(V.splat, base), perLane), V128);
  return [0, 1, 2, 3].map((lane) => e.keep(extract(all, lane), I32));
}

/** 1, 2 or 4 vectors of consecutive elements as vectors of their components; and 4 back again. */
function untangled(e: Emitter, rows: readonly Code[]): Code[] {
  if (rows.length === 1) return [...rows];
  if (rows.length === 2) return [shuffle(rows[0], rows[1], [0, 2, 4, 6]), shuffle(rows[0], rows[1], [1, 3, 5, 7])];
  const [a, b, c, d] = rows;
  const [ab, cd] = [e.keep(shuffle(a, b, [0, 4, 1, 5]), V128), e.keep(shuffle(c, d, [0, 4, 1, 5]), V128)];
  const [AB, CD] = [e.keep(shuffle(a, b, [2, 6, 3, 7]), V128), e.keep(shuffle(c, d, [2, 6, 3, 7]), V128)];
  return [
    shuffle(ab, cd, [0, 1, 4, 5]),
    shuffle(ab, cd, [2, 3, 6, 7]),
    shuffle(AB, CD, [0, 1, 4, 5]),
    shuffle(AB, CD, [2, 3, 6, 7]),
  ];
}

function tangled(e: Emitter, columns: readonly Code[]): Code[] {
  if (columns.length !== 2) return untangled(e, columns);
  return [shuffle(columns[0], columns[1], [0, 4, 1, 5]), shuffle(columns[0], columns[1], [2, 6, 3, 7])];
}

export function store(e: Emitter, place: Place, value: Value, mask: Mask): void {
  const { type, base, offset } = place;
  const offsets = leafOffsets(type).map((o) => o + offset);
  if (place.perLane === null && value.leaves.every(isUniform)) {
    if (mask.code) {
      e.emit(lanes(V.any, mask.code));
      e.open(0x04);
    }
    value.leaves.forEach((one, i) => {
      if (one.type === 'f32') e.emit(storeLane(base, vectorOf(one), 0, offsets[i]));
      else e.emit(storeI32(base, scalarOf(one), offsets[i]));
    });
    if (mask.code) e.close();
    return;
  }
  const columns = value.leaves.map((one) => e.keep(vectorOf(one), V128));
  if (!isRun(place)) {
    scatter(e, base, place.perLane ?? ZEROS, offsets, columns, mask);
    return;
  }
  const { fits, start } = place.run!;
  e.emit(mask.code ? op(S.and, fits, lanes(V.all, mask.code)) : fits);
  e.open(0x04);
  const to = e.keep(start, I32);
  tangled(e, columns).forEach((row, i) => {
    e.emit(storeV128(to, row, offset + 16 * i));
  });
  e.emit(0x05);
  scatter(e, base, place.perLane!, offsets, columns, mask);
  e.close();
}

/** Lane by lane. */
function scatter(
  e: Emitter,
  base: Code,
  perLane: Code,
  offsets: readonly number[],
  columns: readonly Code[],
  mask: Mask,
): void {
  const addresses = addressesOf(e, base, perLane);
  const bits = mask.code ? e.keep(lanes(V.bitmask, mask.code), I32) : null;
  addresses.forEach((address, lane) => {
    if (bits) {
      e.emit(op(S.and, bits, i32(1 << lane)));
      e.open(0x04);
    }
    columns.forEach((column, i) => {
      e.emit(storeLane(address, column, lane, offsets[i]));
    });
    if (bits) e.close();
  });
}
