/** mtunet gradcheck: the paper's derivations, every operation and the whole network, each derivative three ways. */
import type { Command } from 'commander';
import { presets, resolveConfig } from '../../mtunet/config.ts';
import { type CheckRow, checkGradients, type GradientReport } from '../../mtunet/gradcheck/index.ts';
import { EXIT } from '../failure.ts';
import { withGpu } from '../gpu-session.ts';
import { whole } from '../options.ts';

export function register(program: Command): void {
  program
    .command('gradcheck')
    .description('derivatives three ways: closed form, differences, reverse mode on the device')
    .option('--model <preset>', `width and image size of the network: ${Object.keys(presets).join(', ')}`, 'tiny')
    .option('--samples <count>', 'random points for each row; the worst is told', whole(1), 5)
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  mtunet gradcheck --model tiny --samples 5\n\nExit code 1 if any row fails.')
    .action(async ({ model, samples, json }: { model: string; samples: number; json?: boolean }) => {
      const { network, height, width } = resolveConfig(model);
      await withGpu(async (gpu) => {
        const report = await checkGradients(gpu, { base: network.base, height, width }, samples);
        if (json) console.log(JSON.stringify({ adapter: gpu.description.name, model, samples, ...report }, null, 2));
        else print(report);
        if (report.verdict === 'fail') process.exitCode = EXIT.failure;
      });
    });
}

const HEADINGS: Record<CheckRow['group'], string> = {
  paper: 'The paper: closed form, float64 differences, reverse mode on the device',
  operation: 'Operations: differences of the float64 operation along a random direction, reverse mode on the device',
  network: 'The network: differences of the float64 loss along halves of the gradient, reverse mode on the device',
};

function print({ rows, passed, failed }: GradientReport): void {
  const number = (value: number | null) => (value === null ? '' : value.toPrecision(8)).padStart(15);
  for (const group of ['paper', 'operation', 'network'] as const) {
    console.log(`\n${HEADINGS[group]}`);
    for (const row of rows.filter((one) => one.group === group)) {
      const verdict = row.verdict === 'pass' ? 'pass' : 'FAIL';
      const error = `${row.error.toExponential(1)} of ${row.tolerance.toExponential(0)}`;
      console.log(
        `${verdict}  ${row.name.padEnd(24)}${number(row.analytic)}${number(row.difference)}${number(row.autograd)}  ${error.padEnd(17)} ${row.statement}`,
      );
    }
  }
  console.log(`\n${passed} passed, ${failed} failed`);
}
