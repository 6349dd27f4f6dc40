/**
 * Round places for ticks, and how they are written.
 */

/** Integers from 0 to high, about `about` of them, a multiple of 1, 2 or 5 times a power of ten apart. */
export function integerTicks(high: number, about = 5): number[] {
  const rough = Math.max(1, high / about);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((candidate) => candidate >= rough) ?? 1;
  return Array.from({ length: Math.floor(high / step) + 1 }, (_, i) => i * step);
}

const FACTORS = [[1, 2, 3, 4, 5, 6, 7, 8, 9], [1, 2, 5], [1, 3], [1]];

/** Places on a logarithmic axis: as many digits of each power of ten as there is room for, else every other power. */
export function logTicks(low: number, high: number, most = 6): number[] {
  const first = Math.floor(Math.log10(low));
  const decades = Array.from({ length: Math.ceil(Math.log10(high)) - first + 1 }, (_, i) => first + i);
  const inside = (ticks: readonly number[]) => ticks.filter((tick) => tick >= low * 0.9999 && tick <= high * 1.0001);
  const powerOfTen = (exponent: number, factor = 1) => Number(`${factor}e${exponent}`);
  for (const factors of FACTORS) {
    const ticks = inside(decades.flatMap((exponent) => factors.map((factor) => powerOfTen(exponent, factor))));
    if (ticks.length <= most) return ticks;
  }
  const every = Math.ceil(decades.length / most);
  return inside(decades.filter((exponent) => exponent % every === 0).map((exponent) => powerOfTen(exponent)));
}

const SUPERSCRIPTS = '\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079';

/** 0.0002 as 2·10⁻⁴. */
export function scientific(value: number): string {
  const [factor, exponent] = value.toExponential(0).split('e').map(Number);
  const digits = [...String(Math.abs(exponent))].map((digit) => SUPERSCRIPTS[Number(digit)]).join('');
  return `${factor === 1 ? '' : `${factor}\u00b7`}10${exponent < 0 ? '\u207b' : ''}${digits}`;
}
