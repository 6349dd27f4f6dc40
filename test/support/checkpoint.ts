/** A checkpoint of no network, which tells itself from others by its steps. */
import type { Checkpoint } from '../../src/mtunet/checkpoint.ts';

const empty = { tensors: new Map(), counters: new Map() };

export const emptyCheckpoint = (steps: number): Checkpoint => ({
  current: {
    network: empty,
    scheme: empty,
    memory: null,
    optimizer: {
      steps,
      learningRate: 0.1,
      moments: new Map([['w.exp_avg', { shape: [2], values: Float32Array.of(1, steps) }]]),
    },
  },
  best: null,
  progress: { steps },
});
