/** Shell completion: `mtunet completion bash` prints a script that asks this program what fits. */
import tab from '@bomb.sh/tab/commander';
import type { Command } from 'commander';
import { presets } from '../mtunet/config.ts';
import { networkNames } from '../mtunet/networks.ts';
import { schemeNames } from '../mtunet/schemes/index.ts';

/** Values of options by name, whatever the command. They are suggestions: the configuration's schema is what refuses a wrong one. */
const values: Readonly<Record<string, readonly string[]>> = {
  preset: Object.keys(presets),
  scheme: schemeNames,
  network: networkNames,
  split: ['train', 'valid', 'test'],
};

/** To be called when all commands are registered. */
export function addCompletion(program: Command): void {
  // Only while the shell asks: --help would list them a second time.
  const asked = process.argv[2] === 'complete' ? program.commands : [];
  for (const { options } of asked) {
    for (const option of options) option.argChoices ??= values[option.attributeName()] as string[] | undefined;
  }
  tab(program, { completionCommandName: 'completion' });
}
