/** One tensor of a safetensors file: its type, its bytes, and its values in the types that the engine computes with. */
import { quote, SafetensorsError } from './safetensors-header.ts';

/** Bytes of one element. */
const ITEM_BYTES = {
  F64: 8,
  F32: 4,
  F16: 2,
  BF16: 2,
  I64: 8,
  I32: 4,
  I16: 2,
  I8: 1,
  U64: 8,
  U32: 4,
  U16: 2,
  U8: 1,
  BOOL: 1,
} as const;

export const KNOWN_DTYPES = Object.keys(ITEM_BYTES).join(' ');

export type SafetensorsDtype = keyof typeof ITEM_BYTES;

/** What is written: the elements as a typed array of the same kind (F16 and BF16: Uint16Array), or their raw bytes. */
export interface TensorData {
  readonly dtype: SafetensorsDtype;
  /** Row-major; [] is a scalar. */
  readonly shape: readonly number[];
  readonly data: ArrayBufferView;
}

/** What is read. Can be written again as it is. */
export interface StoredTensor extends TensorData {
  /** A view into the file's bytes, not a copy, and aligned to nothing. */
  readonly data: Uint8Array;
  /** Floats rounded to float32. @throws SafetensorsError when an integer is not exactly a float32 */
  toFloat32(): Float32Array<ArrayBuffer>;
  /** Every value exactly. @throws SafetensorsError when an integer is not exactly a float64 */
  toFloat64(): Float64Array<ArrayBuffer>;
  /** Every value exactly. @throws SafetensorsError for a tensor of floats */
  toBigInts(): bigint[];
}

/** Typed arrays that hold each type's elements; JavaScript has none for the two 16-bit floats. */
export const ARRAY_KINDS: Record<SafetensorsDtype, string> = {
  F64: 'Float64Array',
  F32: 'Float32Array',
  F16: 'Uint16Array',
  BF16: 'Uint16Array',
  I64: 'BigInt64Array',
  I32: 'Int32Array',
  I16: 'Int16Array',
  I8: 'Int8Array',
  U64: 'BigUint64Array',
  U32: 'Uint32Array',
  U16: 'Uint16Array',
  U8: 'Uint8Array',
  BOOL: 'Uint8Array',
};

export function isDtype(dtype: string): dtype is SafetensorsDtype {
  return Object.hasOwn(ITEM_BYTES, dtype);
}

/** Bytes that a shape needs; not a safe integer when that is more than any file has. */
export function byteLength(dtype: SafetensorsDtype, shape: readonly number[]): number {
  return shape.includes(0) ? 0 : shape.reduce((product, size) => product * size, ITEM_BYTES[dtype]);
}

export class FileTensor implements StoredTensor {
  readonly name: string;
  readonly dtype: SafetensorsDtype;
  readonly shape: readonly number[];
  readonly data: Uint8Array;

  constructor(name: string, dtype: SafetensorsDtype, shape: readonly number[], data: Uint8Array) {
    this.name = name;
    this.dtype = dtype;
    this.shape = shape;
    this.data = data;
  }

  toFloat32(): Float32Array<ArrayBuffer> {
    if (this.dtype === 'F32') return this.#elements(Float32Array);
    if (this.dtype === 'BF16') {
      // bfloat16 is the upper half of a float32.
      return new Float32Array(Uint32Array.from(this.#elements(Uint16Array), (bits) => bits << 16).buffer);
    }
    if (this.dtype === 'F16') return Float32Array.from(this.#elements(Uint16Array), halfToNumber);
    if (this.dtype === 'F64') return Float32Array.from(this.#elements(Float64Array));
    return this.#exactly(Float32Array.from(this.toBigInts(), Number), 'float32');
  }

  toFloat64(): Float64Array<ArrayBuffer> {
    if (this.dtype === 'F64') return this.#elements(Float64Array);
    if (this.dtype.includes('F')) return Float64Array.from(this.toFloat32());
    return this.#exactly(Float64Array.from(this.toBigInts(), Number), 'float64');
  }

  toBigInts(): bigint[] {
    return Array.from<number | bigint, bigint>(this.#integers(), BigInt);
  }

  #integers(): ArrayLike<number> | ArrayLike<bigint> {
    switch (this.dtype) {
      case 'I64':
        return this.#elements(BigInt64Array);
      case 'U64':
        return this.#elements(BigUint64Array);
      case 'I32':
        return this.#elements(Int32Array);
      case 'U32':
        return this.#elements(Uint32Array);
      case 'I16':
        return this.#elements(Int16Array);
      case 'U16':
        return this.#elements(Uint16Array);
      case 'I8':
        return this.#elements(Int8Array);
      case 'U8':
      case 'BOOL':
        return this.#elements(Uint8Array);
      default:
        throw new SafetensorsError(`Tensor ${quote(this.name)} holds ${this.dtype}, not integers.`);
    }
  }

  /** A copy, because the file aligns nothing. Platforms with WebGPU are little-endian, as the file is. */
  #elements<T>(kind: new (buffer: ArrayBuffer) => T): T {
    return new kind(this.data.slice().buffer);
  }

  #exactly<T extends Float32Array | Float64Array>(values: T, type: string): T {
    const wanted = this.toBigInts();
    const index = wanted.findIndex((integer, i) => BigInt(values[i]) !== integer);
    if (index < 0) return values;
    throw new SafetensorsError(
      `Tensor ${quote(this.name)} holds ${wanted[index]} at index ${index}, which ${type} cannot hold: use toBigInts.`,
    );
  }
}

/** 1 sign bit, 5 exponent bits, 10 fraction bits. */
export function halfToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 0x1f) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
