/**
 * Gaussian random numbers that are the same bits on every engine.
 *
 *   z = quantile(u),  u = (uint32At(key, index) + 1/2) 2^-32
 *
 * One number per index, by inverting the distribution function: |z| is at most 6.34. Box-Muller would need Math.log and
 * Math.cos, whose last bits the language leaves to the engine; here only + - * / and square root occur, which IEEE 754
 * fixes. Source: Wichura 1988, algorithm AS 241 (PPND16), relative error about 1e-16.
 */
import { blockAt, type RandomKey, uint32At } from './random.ts';

// Rational functions of AS 241, highest power first: |u - 1/2| <= 0.425, then r <= 5, then the far tail.
const CENTER = [
  [
    2509.0809287301227, 33430.57558358813, 67265.7709270087, 45921.95393154987, 13731.69376550946, 1971.5909503065513,
    133.14166789178438, 3.3871328727963665,
  ],
  [
    5226.495278852854, 28729.085735721943, 39307.89580009271, 21213.794301586597, 5394.196021424751, 687.1870074920579,
    42.31333070160091, 1,
  ],
];
const SHOULDER = [
  [
    0.0007745450142783414, 0.022723844989269184, 0.2417807251774506, 1.2704582524523684, 3.6478483247632045,
    5.769497221460691, 4.630337846156546, 1.4234371107496835,
  ],
  [
    1.0507500716444169e-9, 0.0005475938084995345, 0.015198666563616457, 0.14810397642748008, 0.6897673349851,
    1.6763848301838038, 2.053191626637759, 1,
  ],
];
const TAIL = [
  [
    2.0103343992922881e-7, 2.7115555687434876e-5, 0.0012426609473880784, 0.026532189526576124, 0.29656057182850487,
    1.7848265399172913, 5.463784911164114, 6.657904643501103,
  ],
  [
    2.0442631033899397e-15, 1.421511758316446e-7, 1.8463183175100548e-5, 0.0007868691311456133, 0.014875361290850615,
    0.1369298809227358, 0.599832206555888, 1,
  ],
];

/** Standard normal quantile of a probability strictly between 0 and 1; NaN elsewhere. */
export function normalQuantile(probability: number): number {
  if (!(probability > 0 && probability < 1)) return Number.NaN;
  const centered = probability - 0.5;
  if (Math.abs(centered) <= 0.425) return centered * ratio(CENTER, 0.180625 - centered * centered);
  const r = Math.sqrt(-logarithm(Math.min(probability, 1 - probability)));
  const z = r <= 5 ? ratio(SHOULDER, r - 1.6) : ratio(TAIL, r - 5);
  return centered < 0 ? -z : z;
}

/** Gaussian of mean 0 and standard deviation 1. @param index from 0 to 2^53 - 1 */
export function normalAt(key: RandomKey, index: number): number {
  return normalQuantile((uint32At(key, index) + 0.5) / 2 ** 32);
}

/** `size` Gaussian numbers, rounded to float32; element i is mean + deviation normalAt(key, i). */
export function normal(size: number, mean: number, deviation: number, key: RandomKey): Float32Array<ArrayBuffer> {
  const values = new Float32Array(size);
  for (let start = 0; start < size; start += 4) {
    const bits = blockAt(key, start, 0);
    for (let i = 0; i < 4 && start + i < size; i++)
      values[start + i] = mean + deviation * normalQuantile((bits[i] + 0.5) / 2 ** 32);
  }
  return values;
}

function ratio([numerator, denominator]: number[][], x: number): number {
  const horner = (coefficients: number[]) => coefficients.reduce((total, c) => total * x + c);
  return horner(numerator) / horner(denominator);
}

/** ln x for 2^-1074 <= x < 1 by exact halving and ln m = 2 artanh((m - 1) / (m + 1)), m in [sqrt(1/2), sqrt 2]. */
function logarithm(x: number): number {
  let mantissa = x;
  let halvings = 0;
  for (; mantissa < Math.SQRT1_2; halvings++) mantissa *= 2;
  const s = (mantissa - 1) / (mantissa + 1);
  let series = 0;
  for (let n = 25; n >= 1; n -= 2) series = series * s * s + 1 / n;
  return 2 * s * series - halvings * Math.LN2;
}
