/**
 * Random numbers as a function of a key and an index: Philox4x32-10, the same bits on every engine and on the GPU.
 *
 *   one block   (x0 x1 x2 x3) = philox(counter, key), ten rounds of
 *               x0, x1, x2, x3 <- hi(B x2) ^ x1 ^ k0, lo(B x2), hi(A x0) ^ x3 ^ k1, lo(A x0);   k0 += W0, k1 += W1
 *   a number    uint32At(key, index, stream) = word (index mod 4) of philox((lo, hi, stream, 0), key),
 *               (lo, hi) the two halves of floor(index / 4)
 *   in [0, 1)   (bits >>> 8) 2^-24, which float32 holds exactly
 *
 * There is no state: an element's number does not depend on which others were asked for, nor on the order. Give every
 * parameter and every purpose its own key by name, and every repetition (a training step) its own stream.
 * src/shaders/lib/philox.wgsl computes the same. Source: Salmon, Moraes, Dror & Shaw 2011, "Parallel random numbers: as
 * easy as 1, 2, 3" (SC11). Not for secrets.
 */

/** Two 32-bit words. */
export type RandomKey = readonly [number, number];

const MULTIPLIER_A = 0xd2511f53;
const MULTIPLIER_B = 0xcd9e8d57;
const WEYL_0 = 0x9e3779b9; // golden ratio
const WEYL_1 = 0xbb67ae85; // sqrt 3 - 1
const ROUNDS = 10;
const TWO_TO_32 = 2 ** 32;

/** Upper 32 bits of a 32 x 32 bit product, from 16-bit halves as a GPU without 64-bit integers must. */
function multiplyHigh(a: number, b: number): number {
  const [aLow, aHigh, bLow, bHigh] = [a & 0xffff, a >>> 16, b & 0xffff, b >>> 16];
  const low = Math.imul(aLow, bLow) >>> 0;
  const middle = (Math.imul(aHigh, bLow) >>> 0) + (low >>> 16); // below 2^32
  const other = (Math.imul(aLow, bHigh) >>> 0) + (middle & 0xffff); // below 2^32
  return (Math.imul(aHigh, bHigh) + (middle >>> 16) + (other >>> 16)) >>> 0;
}

/** One block: four counter words and two key words in, four random words out (into `block` when given). */
export function philox(
  counter: ArrayLike<number>,
  key: RandomKey,
  block: Uint32Array = new Uint32Array(4),
): Uint32Array {
  let [x0, x1, x2, x3] = [counter[0], counter[1], counter[2], counter[3]];
  let [k0, k1] = key;
  for (let round = 0; round < ROUNDS; round++) {
    const highA = multiplyHigh(MULTIPLIER_A, x0);
    const lowA = Math.imul(MULTIPLIER_A, x0);
    const highB = multiplyHigh(MULTIPLIER_B, x2);
    const lowB = Math.imul(MULTIPLIER_B, x2);
    x0 = (highB ^ x1 ^ k0) >>> 0;
    x1 = lowB >>> 0;
    x2 = (highA ^ x3 ^ k1) >>> 0;
    x3 = lowA >>> 0;
    k0 = (k0 + WEYL_0) >>> 0;
    k1 = (k1 + WEYL_1) >>> 0;
  }
  block[0] = x0;
  block[1] = x1;
  block[2] = x2;
  block[3] = x3;
  return block;
}

/**
 * A key of its own for every seed and name: the name's UTF-8 bytes, its length first, are absorbed block by block with
 * Philox under the seed as key.
 *
 * @param seed an integer from 0 to 2^53 - 1, or a bigint from 0 to 2^64 - 1
 * @param name for example "Conv1.0.weight", "dropout", "batches"
 * @throws RangeError when the seed is out of range
 */
export function deriveKey(seed: number | bigint, name: string): RandomKey {
  const valid = typeof seed === 'bigint' ? seed >= 0n && seed < 1n << 64n : Number.isSafeInteger(seed) && seed >= 0;
  if (!valid)
    throw new RangeError(`A seed must be an integer from 0 to 2^53 - 1, or a bigint below 2^64, got ${seed}.`);
  const wide = BigInt(seed);
  const seedKey: RandomKey = [Number(wide & 0xffffffffn), Number(wide >> 32n)];
  const bytes = new TextEncoder().encode(name);
  let state = philox([bytes.length, 0, 0, 0], seedKey);
  for (let start = 0; start < bytes.length; start += 16) {
    const mixed = state.map((word, i) => word ^ littleEndianWord(bytes, start + 4 * i));
    state = philox(mixed, seedKey);
  }
  return [state[0], state[1]];
}

function littleEndianWord(bytes: Uint8Array, start: number): number {
  const byte = (i: number) => bytes[start + i] ?? 0;
  return byte(0) | (byte(1) << 8) | (byte(2) << 16) | (byte(3) << 24);
}

const counter = new Uint32Array(4);
const block = new Uint32Array(4);

/** The four numbers from `index`, a multiple of 4, on; overwritten by the next call. */
export function blockAt(key: RandomKey, index: number, stream: number): Uint32Array {
  const group = Math.floor(index / 4);
  counter[0] = group % TWO_TO_32;
  counter[1] = Math.floor(group / TWO_TO_32);
  counter[2] = stream;
  return philox(counter, key, block);
}

/** 32 random bits. @param index from 0 to 2^53 - 1 @param stream from 0 to 2^32 - 1 */
export function uint32At(key: RandomKey, index: number, stream = 0): number {
  return blockAt(key, index, stream)[index % 4];
}

/** Uniform in [0, 1), a multiple of 2^-24. */
export function uniformAt(key: RandomKey, index: number, stream = 0): number {
  return uniform01(uint32At(key, index, stream));
}

/** 32 bits -> a number in [0, 1), from the upper 24 of them. */
export function uniform01(bits: number): number {
  return (bits >>> 8) * 2 ** -24;
}

/**
 * @param size number of elements
 * @returns element i is low + (high - low) uniformAt(key, i), rounded to float32 (which may round up to high)
 */
export function uniform(size: number, low: number, high: number, key: RandomKey): Float32Array<ArrayBuffer> {
  const values = new Float32Array(size);
  for (let start = 0; start < size; start += 4) {
    const bits = blockAt(key, start, 0);
    for (let i = 0; i < 4; i++) values[start + i] = low + (high - low) * uniform01(bits[i]);
  }
  return values;
}

/**
 * The numbers 0 to size - 1 in an order drawn evenly from all orders (Fisher-Yates; indices drawn without bias by
 * Lemire's rejection).
 */
export function permutation(size: number, key: RandomKey): Uint32Array<ArrayBuffer> {
  const order = Uint32Array.from({ length: size }, (_, i) => i);
  let drawn = 0;
  for (let last = size - 1; last > 0; last--) {
    const choices = last + 1;
    const reject = (TWO_TO_32 - choices) % choices; // 2^32 mod choices
    let bits = uint32At(key, drawn++);
    while (Math.imul(bits, choices) >>> 0 < reject) bits = uint32At(key, drawn++);
    const pick = multiplyHigh(bits, choices);
    [order[last], order[pick]] = [order[pick], order[last]];
  }
  return order;
}
