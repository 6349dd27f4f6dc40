/**
 * Ctrl-C, SIGTERM, a terminal that closes, and SIGUSR1 (which batch systems send before the time is up) ask for an end at the next step,
 * after a checkpoint; a second one ends the program at once.
 */
import { EXIT } from './failure.ts';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGUSR1'] as const;

export function interruptSignal(announce: (message: string) => void): { signal: AbortSignal; dispose(): void } {
  const controller = new AbortController();
  const listener = (name: NodeJS.Signals) => {
    if (controller.signal.aborted) process.exit(EXIT.interrupted);
    announce(`${name}: stopping after this step; once more stops at once.`);
    controller.abort();
  };
  for (const name of SIGNALS) process.on(name, listener);
  return {
    signal: controller.signal,
    dispose() {
      for (const name of SIGNALS) process.off(name, listener);
    },
  };
}
