/** mtunet devices: which adapters exist, which one is used and why. */

import type { Command } from 'commander';
import { listAdapters } from '#gpu-host';

export function register(program: Command): void {
  program
    .command('devices')
    .description('which adapters exist, which one is used and why')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  mtunet devices')
    .action(({ json }: { json?: boolean }) => printDevices(json ?? false));
}

async function printDevices(asJson: boolean): Promise<void> {
  const reports = await listAdapters();
  if (asJson) {
    console.log(JSON.stringify(reports, null, 2));
    return;
  }
  for (const { name, driver, backend, rung, used, available, why, source, limits, features, advice } of reports) {
    console.log(`${used ? '*' : ' '} ${name || source}  (${rung}${backend ? `, ${backend}` : ''})`);
    const rows: [string, string][] = [
      ['why', why],
      ['driver', driver],
      ['source', source],
    ];
    if (available) {
      const mebibytes = (bytes: number) => `${(bytes / 2 ** 20).toFixed(0)} MiB`;
      const shown = Object.entries(limits ?? {}).map(
        ([limit, value]) => `${limit} ${/Size$/.test(limit) && value >= 2 ** 20 ? mebibytes(value) : value}`,
      );
      rows.push(['limits', shown.join(', ')], ['features', [...(features ?? [])].join(', ')]);
    }
    if (advice) rows.push(['faster', advice]);
    for (const [key, value] of rows) if (value) console.log(`    ${key.padEnd(9)}${value}`);
  }
}
