/** What is said when a training step has no finite loss. */
import { LABEL_TERMS } from '../engine/ops/cross-entropy.ts';

export interface LossProblem {
  /** Of the scheme, with its remedy: a sigma that has left its range. */
  readonly scheme: string | null;
  /** The first tensor that is not finite, by the operation that made it; null when a second run of the step was finite. */
  readonly origin: string | null;
  readonly learningRate: number;
}

/** A loss that is not a number, with the operation that made it. Nothing was changed by the step. */
export class NonFiniteLossError extends Error {
  constructor(loss: number, step: number, problem: LossProblem) {
    super(`The loss is ${loss} at step ${step}: ${reason(problem)}, then resume.`);
    this.name = 'NonFiniteLossError';
  }
}

function reason({ scheme, origin, learningRate }: LossProblem): string {
  if (scheme) return scheme;
  if (origin === LABEL_TERMS) return "a label is none of the network's classes; correct the labels of the data";
  const where = origin
    ? `the first tensor that is not finite comes from ${origin}`
    : 'and the same step, run again with every operation checked, was finite';
  return `${where}; lower the learning rate (now ${learningRate}) or check the data`;
}
