/** What is said when a training step has no finite loss. */

/** A loss that is not a number, with the operation that made it. Nothing was changed by the step. */
export class NonFiniteLossError extends Error {
  constructor(loss: number, step: number, origin: string | null, learningRate: number) {
    const where = origin
      ? `the first tensor that is not finite comes from ${origin}`
      : 'and the same step, run again with every operation checked, was finite';
    super(
      `The loss is ${loss} at step ${step}: ${where}; lower the learning rate (now ${learningRate}) or check the data, then resume.`,
    );
    this.name = 'NonFiniteLossError';
  }
}
