/**
 * Medians, spreads and how numbers are written. What is not a finite number (a null, a NaN, the null that JSON makes of
 * a NaN) has no part in any of them and is written n/a.
 */

export type Value = number | null | undefined;

export function isNumber(value: Value): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}

/** Null where there is nothing to take a median of. */
export function median(values: readonly Value[]): number | null {
  const sorted = values.filter(isNumber).sort((a, b) => a - b);
  if (sorted.length === 0) return null;
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** Sample standard deviation (n - 1); null below two values. */
export function sampleStd(values: readonly Value[]): number | null {
  const numbers = values.filter(isNumber);
  if (numbers.length < 2) return null;
  const mean = numbers.reduce((sum, value) => sum + value, 0) / numbers.length;
  return Math.sqrt(numbers.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (numbers.length - 1));
}

export const NOT_AVAILABLE = 'n/a';

/** Three digits after the point, as in the paper's tables. */
export function fixed(value: Value, digits = 3): string {
  if (!isNumber(value)) return NOT_AVAILABLE;
  const text = value.toFixed(digits);
  return Number(text) === 0 ? text.replace('-', '') : text.replace('-', '\u2212');
}

export function percent(value: Value): string {
  return isNumber(value) ? `${Math.round(value * 100)} %` : NOT_AVAILABLE;
}

export function duration(seconds: Value): string {
  if (!isNumber(seconds)) return NOT_AVAILABLE;
  if (seconds < 10) return `${fixed(seconds, 1)} s`;
  if (seconds < 120) return `${Math.round(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 120 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** "a", "a and b", "a, b and c" */
export function enumerate(items: readonly string[]): string {
  return items.length < 2 ? items.join('') : `${items.slice(0, -1).join(', ')} and ${items[items.length - 1]}`;
}

export function count(n: number, one: string, many = `${one}s`): string {
  return `${n} ${n === 1 ? one : many}`;
}

const FEW = ['no', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine', 'ten'];

/** Small numbers as words, for prose. */
export function inWords(n: number): string {
  return FEW[n] ?? String(n);
}
