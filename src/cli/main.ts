#!/usr/bin/env node
/** The command line: mtunet <command>. Output goes to stdout, progress and errors to stderr; exit code 2 for usage, 1 for failure. */
import { Command, CommanderError } from 'commander';
import { ConfigError } from '../mtunet/config.ts';
import * as compare from './commands/compare.ts';
import * as data from './commands/data.ts';
import * as devices from './commands/devices.ts';
import * as doctor from './commands/doctor.ts';
import * as equilibrium from './commands/equilibrium.ts';
import * as evaluate from './commands/evaluate.ts';
import * as experiment from './commands/experiment.ts';
import * as exportCommand from './commands/export.ts';
import * as gradcheck from './commands/gradcheck.ts';
import * as models from './commands/models.ts';
import * as predict from './commands/predict.ts';
import * as report from './commands/report.ts';
import * as reproduce from './commands/reproduce.ts';
import * as resume from './commands/resume.ts';
import * as train from './commands/train.ts';
import * as verify from './commands/verify.ts';
import * as weights from './commands/weights.ts';
import * as worker from './commands/worker.ts';
import { addCompletion } from './completion.ts';
import { EXIT, sentence, UsageError } from './failure.ts';
import { note } from './messages.ts';
import { packageVersion } from './provenance.ts';

/** In the order in which --help lists them. */
const commands = [
  reproduce,
  train,
  resume,
  evaluate,
  verify,
  predict,
  compare,
  experiment,
  models,
  data,
  weights,
  exportCommand,
  report,
  gradcheck,
  equilibrium,
  devices,
  doctor,
  worker,
];

const program = new Command('mtunet')
  .description('MT-UNet and its multi-task learning schemes on WebGPU: train, evaluate, report.')
  .version(packageVersion)
  .showSuggestionAfterError()
  .exitOverride();

for (const { register } of commands) register(program);
addCompletion(program);

// A reader that has seen enough, such as `head`, closes the pipe; that is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit();
});

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? EXIT.success : EXIT.usage;
  } else {
    note(`mtunet: ${sentence(error)}`);
    process.exitCode = error instanceof UsageError || error instanceof ConfigError ? EXIT.usage : EXIT.failure;
  }
}
