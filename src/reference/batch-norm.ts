/** Batch normalisation of N C H W with PyTorch's semantics, statistics in two passes. */
import { at, tabulate, type Values } from './values.ts';

export interface BatchNormInputs {
  readonly input: Values<'NCHW'>;
  readonly weight: Values<'C'>;
  readonly bias: Values<'C'>;
  readonly runningMean: Values<'C'>;
  readonly runningVariance: Values<'C'>;
}

export interface BatchNormOptions {
  readonly training: boolean;
  readonly epsilon?: number;
  readonly momentum?: number;
  readonly activation?: 'relu' | 'none';
}

function channelOf(input: Values, c: number): number[] {
  const [N, , H, W] = input.shape;
  const found: number[] = [];
  for (let n = 0; n < N; n++) for (let h = 0; h < H; h++) for (let w = 0; w < W; w++) found.push(at(input, n, c, h, w));
  return found;
}

export function batchNorm(
  { input, weight, bias, runningMean, runningVariance }: BatchNormInputs,
  { training, epsilon = 1e-5, momentum = 0.1, activation = 'none' }: BatchNormOptions,
) {
  const C = input.shape[1];
  const mean = Float64Array.from(runningMean.data);
  const variance = Float64Array.from(runningVariance.data);
  const newMean = tabulate('C', [C], (c) => runningMean.data[c]);
  const newVariance = tabulate('C', [C], (c) => runningVariance.data[c]);
  if (training) {
    for (let c = 0; c < C; c++) {
      const elements = channelOf(input, c);
      mean[c] = elements.reduce((total, x) => total + x, 0) / elements.length;
      const squares = elements.reduce((total, x) => total + (x - mean[c]) ** 2, 0);
      variance[c] = squares / elements.length;
      newMean.data[c] = (1 - momentum) * runningMean.data[c] + momentum * mean[c];
      newVariance.data[c] = (1 - momentum) * runningVariance.data[c] + (momentum * squares) / (elements.length - 1);
    }
  }
  const output = tabulate('NCHW', input.shape, (n, c, h, w) => {
    const normalised = (at(input, n, c, h, w) - mean[c]) / Math.sqrt(variance[c] + epsilon);
    const y = at(weight, c) * normalised + at(bias, c);
    return activation === 'relu' ? Math.max(y, 0) : y;
  });
  return { output, newMean, newVariance };
}
