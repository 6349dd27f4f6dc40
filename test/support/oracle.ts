/** Recorded reference values: test/golden, or the folder of the same layout that the variable GOLDEN names. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { parseGolden } from './browser-files.ts';

export const goldenFolder = process.env.GOLDEN ?? 'test/golden';

/** A JSON file under the golden folder; "NaN", "Infinity" and "-Infinity" stand for themselves. */
// biome-ignore lint/suspicious/noExplicitAny: the tables differ from file to file, and each test states what it reads
export function readGolden(path: string): any {
  return parseGolden(readFileSync(join(goldenFolder, path), 'utf8'));
}

/** |got - want| <= absolute + relative |want|; NaN and the infinities only equal themselves; null only null. */
export function expectClose(
  got: number | null | undefined,
  want: number | null,
  { absolute = 0, relative = 0 },
  what = '',
): void {
  const close =
    Object.is(got, want) ||
    got === want ||
    (typeof got === 'number' && want !== null && Math.abs(got - want) <= absolute + relative * Math.abs(want));
  expect(
    close && (want === null || Number.isFinite(want) || Object.is(got, want)),
    `${what}: got ${got}, want ${want}`,
  ).toBe(true);
}
