/** Ctrl-C, SIGTERM and a scheduler's SIGUSR1 ask for an end at the next step; a second one ends the program at once. */
import { EXIT } from './failure.ts';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGUSR1'] as const;

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
