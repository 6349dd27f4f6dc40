/** A line of a step log that tells itself from others by its step. */
import type { StepRecord } from '../../src/mtunet/records.ts';

export const stepRecord = (step: number): StepRecord => ({
  step,
  epoch: 1,
  loss: 1,
  saliencyLoss: 1,
  classLoss: 1,
  saliencySigma: 1,
  classSigma: 1,
  learningRate: 0.1,
  effectiveSaliencyRate: 0.1,
  effectiveClassRate: 0.1,
});
