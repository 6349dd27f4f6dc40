/** Errors that a user can act on: one sentence, and the exit code that goes with it. */

export const EXIT = { success: 0, failure: 1, usage: 2, interrupted: 130 } as const;

/** The command was called wrongly: exit code 2. */
export class UsageError extends Error {}

/** The command could not do its work: exit code 1. */
export class Failure extends Error {}

/** The sentence for an error of any kind, without a stack trace. */
export function sentence(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.trim().replace(/\s*$/, '');
}
