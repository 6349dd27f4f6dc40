/**
 * npm run test:implementations [-- --json] [-- --only <part of a name>]
 *
 * The operations' tests, the recorded networks and trainings of MT-UNet and the check of a machine on every WebGPU implementation that this
 * machine has. One table, or one JSON line each. Exit code 1 when a test failed.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { bundleTests, type Target } from './bundle.ts';
import type { Outcome } from './entry.ts';
import { findPlaces } from './places.ts';

interface Row {
  readonly implementation: string;
  readonly adapter: string;
  readonly passed: number;
  readonly failed: number;
  readonly not_run: number;
  /** In units of the tolerance; null where nothing ran. */
  readonly largest_error: number | null;
  readonly failures?: readonly string[];
  /** Why it was not run. */
  readonly why?: string;
}

const { values: flags } = parseArgs({ options: { json: { type: 'boolean' }, only: { type: 'string' } } });
const note = (line: string) => process.stderr.write(`${line}\n`);

/** Inside the repository: the bundle for Node asks for packages by name. */
const folder = join('coverage', 'implementations');
mkdirSync(folder, { recursive: true });
const bundles = new Map<Target, Promise<string>>();
async function bundled(target: Target): Promise<string> {
  const place = join(process.cwd(), folder, target);
  if (!bundles.has(target)) bundles.set(target, bundleTests(target, place));
  await bundles.get(target);
  return place;
}

/** Said by src/platform where there is no device at all. */
const NO_ADAPTER = /no WebGPU adapter was found|found no adapter|has no WebGPU|is not to be had/i;

const rows: Row[] = [];
for (const place of await findPlaces()) {
  const { implementation } = place;
  if (flags.only && !implementation.toLowerCase().includes(flags.only.toLowerCase())) continue;
  const none = { implementation, adapter: '', passed: 0, failed: 0, not_run: 0, largest_error: null };
  if ('why' in place) {
    rows.push({ ...none, why: place.why });
    continue;
  }
  note(`${implementation} ...`);
  try {
    const { runtime, ...outcome }: Outcome = await place.run(await bundled(place.target), (line) => note(`  ${line}`));
    rows.push({ implementation: `${implementation} (${short(runtime)})`, ...outcome });
  } catch (problem) {
    const why = (problem as Error).message;
    rows.push(NO_ADAPTER.test(why) ? { ...none, why } : { ...none, failed: 1, failures: [why] });
  }
}

/** Of a user agent, the browser and its version. */
function short(runtime: string): string {
  return /(Firefox|Chrome)\/[\d.]+/.exec(runtime)?.[0] ?? runtime;
}

// What did not run at all counts with every test that ran elsewhere.
const tests = Math.max(1, ...rows.map(({ passed, failed, not_run }) => passed + failed + not_run));
const counted = rows.map((row) => (row.why ? { ...row, not_run: tests } : row));

if (flags.json) for (const row of counted) console.log(JSON.stringify(row));
else {
  const header = ['implementation', 'adapter', 'passed', 'failed', 'not run', 'largest error'];
  const cells = counted.map((row) => [
    row.implementation,
    row.adapter || '-',
    ...[row.passed, row.failed, row.not_run].map(String),
    row.largest_error === null ? '-' : `${row.largest_error} of the tolerance`,
  ]);
  for (const line of [header, header.map(() => '---'), ...cells]) console.log(`| ${line.join(' | ')} |`);
  for (const { implementation, why, failures } of counted) {
    if (why) console.log(`\n${implementation} was not run: ${why}.`);
    for (const failure of failures ?? []) console.log(`\n${implementation}: ${failure}`);
  }
}
if (counted.some(({ failed }) => failed > 0)) process.exitCode = 1;
