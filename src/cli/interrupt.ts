/** Ctrl-C (and SIGTERM) ask for an end at the next step; a second one ends the program at once. */
import { EXIT } from './failure.ts';

export function interruptSignal(announce: (message: string) => void): { signal: AbortSignal; dispose(): void } {
  const controller = new AbortController();
  const listener = (name: NodeJS.Signals) => {
    if (controller.signal.aborted) process.exit(EXIT.interrupted);
    announce(`${name}: stopping after this step; once more stops at once.`);
    controller.abort();
  };
  process.on('SIGINT', listener);
  process.on('SIGTERM', listener);
  return {
    signal: controller.signal,
    dispose() {
      process.off('SIGINT', listener);
      process.off('SIGTERM', listener);
    },
  };
}
