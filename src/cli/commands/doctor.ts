/** mtunet doctor: whether this machine's adapter computes what it should, and how fast. */
import { existsSync, readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { runtime } from '#gpu-host';
import { checkMachine, compareReports, type MachineReport } from '../../doctor/index.ts';
import { openGpu } from '../../engine/index.ts';
import { resolveConfig } from '../../mtunet/config.ts';
import { EXIT, UsageError } from '../failure.ts';
import { tuneAndStore } from '../kernel-choices.ts';
import { note } from '../messages.ts';
import { whole } from '../options.ts';
import { ProgressBar } from '../progress-bar.ts';
import { packageVersion } from '../provenance.ts';
import { writeWhole } from '../whole-file.ts';

/** Of the synthetic data, and of the paper's. */
const CLASSES = 3;

interface DoctorFlags {
  json?: boolean;
  out?: string;
  autotune?: boolean;
  compare?: string[];
  adapter?: string;
  seconds: number;
}

export function register(program: Command): void {
  program
    .command('doctor')
    .description('check this machine: every operation against float64, then speeds; about a minute')
    .option('--json', 'print the report as JSON')
    .option('--out <file>', 'also write the report to this file, to attach to an issue')
    .option('--autotune', 'also find and store the fastest kernels for the presets that could be timed')
    .option('--compare <file...>', 'set two reports side by side instead')
    .option('--adapter <name>', 'hardware, software, embedded, or a part of a name (default: as MTUNET_ADAPTER says)')
    .option('--seconds <count>', 'how long it should take, about', whole(1), 60)
    .addHelpText(
      'after',
      '\nExamples:\n  mtunet doctor --out report.json\n  mtunet doctor --compare mine.json yours.json\n\nExit code 1 if the verdict is faulty.',
    )
    .action(async (flags: DoctorFlags) => {
      if (flags.compare) return compare(flags.compare);
      if (flags.adapter !== undefined) process.env.MTUNET_ADAPTER = flags.adapter;
      const bar = new ProgressBar();
      const report = await checkMachine({
        open: () => openGpu(),
        version: `mtunet ${packageVersion}`,
        runtime,
        seconds: flags.seconds,
        onProgress: (share, what) => bar.draw(share, what),
      }).finally(() => bar.clear());
      if (flags.out !== undefined) writeWhole(flags.out, `${JSON.stringify(report, null, 2)}\n`);
      if (flags.json) console.log(JSON.stringify(report, null, 2));
      else print(report);
      if (flags.out !== undefined) note(`report: ${flags.out}`);
      if (report.verdict === 'faulty') process.exitCode = EXIT.failure;
      else if (flags.autotune) await storeKernels(report);
    });
}

/** Of the presets whose step was timed: the others are too large for this adapter, or for the time. */
async function storeKernels({ speed }: MachineReport): Promise<void> {
  using gpu = await openGpu();
  for (const { name } of speed) {
    const [, preset] = /^step of preset (\w+)$/.exec(name) ?? [];
    if (!preset) continue;
    note(`preset ${preset}:`);
    await tuneAndStore(gpu, resolveConfig(preset), CLASSES, 'fast');
  }
}

function print({ adapter, operations, speed, not_run, summary, seconds }: MachineReport): void {
  console.log(`${adapter.name}, ${adapter.driver}, ${adapter.backend}`);
  console.log(`features: ${adapter.features.join(', ') || 'none beyond the default'}`);
  for (const { name, passed, largest_error, where, problem } of operations) {
    if (passed) continue;
    const error = largest_error === null ? '' : `error ${largest_error.toPrecision(2)} times the tolerance`;
    console.log(`FAILED  ${name}: ${[error, where, problem].filter(Boolean).join('; ')}`);
  }
  console.log(`${operations.filter(({ passed }) => passed).length} of ${operations.length} checks passed`);
  for (const { name, value, unit, lowest, highest } of speed)
    console.log(`  ${name.padEnd(34)}${String(value).padStart(9)} ${unit.padEnd(8)} (${lowest} to ${highest})`);
  for (const why of new Set(not_run.map((one) => one.why))) {
    const names = not_run.filter((one) => one.why === why).map(({ name }) => name);
    console.log(
      `not run, ${why}: ${names.length > 4 ? `${names.slice(0, 3).join(', ')} and ${names.length - 3} more` : names.join(', ')}`,
    );
  }
  console.log(`${summary} (${seconds} s)`);
}

function compare(files: readonly string[]): void {
  if (files.length !== 2)
    throw new UsageError(
      `--compare was given ${files.length} file${files.length === 1 ? '' : 's'}; it wants two reports of mtunet doctor --out.`,
    );
  console.log(compareReports(readReport(files[0]), readReport(files[1])));
}

function readReport(path: string): MachineReport {
  if (!existsSync(path)) throw new UsageError(`${path} does not exist; make it with: mtunet doctor --out ${path}`);
  let report: Partial<MachineReport>;
  try {
    report = JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    throw new UsageError(`${path} is not JSON; make a report with: mtunet doctor --out ${path}`);
  }
  if (report?.format !== 'mtunet doctor 1' || !Array.isArray(report.operations) || !Array.isArray(report.speed))
    throw new UsageError(
      `${path} is no report of this version of mtunet doctor; make one with: mtunet doctor --out ${path}`,
    );
  return report as MachineReport;
}
