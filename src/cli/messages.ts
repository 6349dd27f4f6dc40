/** What every command says on stderr; stdout is for results. */
import { EXIT } from './failure.ts';

export const note = (message: string) => process.stderr.write(`${message}\n`);

/** After Ctrl-C: how to go on, and the exit code. */
export function interrupted(run: string): void {
  note(`Stopped; nothing is lost. Go on with: npx mtunet resume ${run}`);
  process.exitCode = EXIT.interrupted;
}
