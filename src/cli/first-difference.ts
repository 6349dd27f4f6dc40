/** The first place at which two values differ once they are JSON, with both values; null when they are equal to the bit. */
export function firstDifference(stored: unknown, found: unknown, place = ''): string | null {
  return compare(plain(stored), plain(found), place);
}

// JSON writes every float64 so that it reads back the same, and NaN as null.
const plain = (value: unknown): unknown => (value === undefined ? undefined : JSON.parse(JSON.stringify(value)));

function compare(stored: unknown, found: unknown, place: string): string | null {
  if (isBranch(stored) && isBranch(found)) {
    for (const key of new Set([...Object.keys(stored), ...Object.keys(found)])) {
      const difference = compare(own(stored, key), own(found, key), place ? `${place} ${key}` : key);
      if (difference) return difference;
    }
    return null;
  }
  return Object.is(stored, found) ? null : `${place} is ${short(stored)} there and ${short(found)} here`;
}

type Branch = Readonly<Record<string, unknown>>;
const isBranch = (value: unknown): value is Branch => typeof value === 'object' && value !== null;
const own = (branch: Branch, key: string) => (Object.hasOwn(branch, key) ? branch[key] : undefined);

function short(value: unknown): string {
  const text = JSON.stringify(value) ?? 'missing';
  return text.length > 80 ? `${text.slice(0, 80)}...` : text;
}
