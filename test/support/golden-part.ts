/** A folder of recorded values: in GOLDEN, or in test/golden where that set, which may be an older one, has no such folder. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';

export function goldenPart(name: string): string {
  const given = process.env.GOLDEN && join(process.env.GOLDEN, name);
  return given && existsSync(given) ? given : join('test/golden', name);
}
