import { expect, it } from 'vitest';
import type { EpochRecord } from '../../src/mtunet/records.ts';
import { onset } from '../../src/report/vicious-circle.ts';

/** Epochs with these class losses and weights. */
function epochs(
  train: readonly number[],
  valid: readonly number[],
  weight: readonly number[],
  reset = 0,
): EpochRecord[] {
  return train.map((loss, i) => ({
    epoch: i + 1,
    train: { loss, saliencyLoss: null, classLoss: loss },
    valid: { loss: valid[i], saliencyLoss: null, classLoss: valid[i] },
    validAccuracy: null,
    saliencySigma: null,
    classSigma: 1 / Math.sqrt(weight[i]),
    learningRate: 1e-3,
    best: false,
    reset: i + 1 === reset,
    seconds: 1,
  }));
}

const falling = [1, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3];
const turning = [1, 0.95, 0.9, 0.8, 0.85, 1, 1.1, 1.2];
const growing = [1, 1, 1, 1.1, 1.2, 1.3, 1.4, 1.5];
const fixed = falling.map(() => 1);

it('a validation loss that turns up while training loss falls and weight grows is a circle, and starts at the turn', () => {
  expect(onset(epochs(falling, turning, growing), 'class')).toEqual({
    task: 'class',
    epoch: 4,
    evident: 7,
    circle: true,
  });
});

it('with a weight that does not grow it is overfitting alone', () => {
  expect(onset(epochs(falling, turning, fixed), 'class')).toMatchObject({ epoch: 4, circle: false });
  expect(onset(epochs(falling, turning, [...growing].reverse()), 'class')).toMatchObject({ circle: false });
});

it('is neither where the training loss stays, where the validation loss follows, or where a task is missing', () => {
  expect(onset(epochs(fixed, turning, growing), 'class')).toBeNull();
  expect(onset(epochs(falling, falling, growing), 'class')).toBeNull();
  expect(onset(epochs(falling, turning, growing), 'saliency')).toBeNull();
});

it('a reset begins a new stretch, in which the losses before it do not count', () => {
  expect(onset(epochs(falling, turning, growing, 5), 'class')).toBeNull();
  expect(
    onset(epochs([...falling, ...falling], [...falling, ...turning], [...fixed, ...growing], 8), 'class'),
  ).toMatchObject({
    epoch: 12,
    circle: true,
  });
});
