/** mtunet data: prepare clinical films and gaze for training, check what was prepared, inspect a picture, write an invented example. */
import type { Command } from 'commander';
import { registerCheck } from './data-check.ts';
import { registerExample } from './data-example.ts';
import { registerInspect } from './data-inspect.ts';
import { registerPrepare } from './data-prepare.ts';

export function register(program: Command): void {
  const data = program.command('data').description('prepare and check clinical films with gaze, inspect a picture');
  for (const add of [registerPrepare, registerCheck, registerInspect, registerExample]) add(data);
}
