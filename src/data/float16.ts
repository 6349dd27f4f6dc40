/** IEEE 754 binary16, which JavaScript has no array for: values in [0, 1] only need the positive half. */

const scratch = new Float32Array(1);
const bits = new Uint32Array(scratch.buffer);

/** Bits of the binary16 nearest to a value, ties to even. */
export function toFloat16(value: number): number {
  scratch[0] = value;
  const sign = (bits[0] >>> 16) & 0x8000;
  const magnitude = Math.abs(scratch[0]);
  if (Number.isNaN(magnitude)) return sign | 0x7e00;
  if (magnitude >= 65520) return sign | 0x7c00;
  const exponent = Math.max(-14, Math.floor(Math.log2(magnitude || 1e-30)));
  const scaled = (magnitude / 2 ** exponent) * 1024; // exact: powers of two
  const floor = Math.floor(scaled);
  const rest = scaled - floor;
  const rounded = rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? floor + 1 : floor;
  // Below 2^-14 there is no hidden bit; a mantissa that overflows carries into the exponent by itself.
  return sign | (rounded + (exponent + 14) * 1024);
}

const TABLE = Float32Array.from({ length: 65536 }, (_, half) => {
  const exponent = (half >>> 10) & 31;
  const mantissa = half & 1023;
  const sign = half & 0x8000 ? -1 : 1;
  if (exponent === 31) return mantissa ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (exponent === 0 ? mantissa * 2 ** -24 : (mantissa + 1024) * 2 ** (exponent - 25));
});

export function fromFloat16(halves: Uint16Array): Float32Array {
  const values = new Float32Array(halves.length);
  for (let i = 0; i < values.length; i++) values[i] = TABLE[halves[i]];
  return values;
}
