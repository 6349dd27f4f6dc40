/** Two-dimensional convolution and its three gradients: every product, one after another. */
import { type Values, zeros } from './values.ts';

type Pair = number | readonly [number, number];

export interface ConvOptions {
  readonly stride?: Pair;
  readonly padding?: Pair;
  readonly dilation?: Pair;
  readonly groups?: number;
}

export interface ConvInputs {
  readonly input: Values<'NCHW'>;
  readonly weight: Values<'OCRS'>;
  readonly bias?: Values<'C'>;
}

const pair = (value: Pair) => (typeof value === 'number' ? [value, value] : value);

function outputShape({ input, weight }: ConvInputs, { stride = 1, padding = 0, dilation = 1 }: ConvOptions) {
  const [N, , H, W] = input.shape;
  const [O, , R, S] = weight.shape;
  const length = (size: number, taps: number, axis: number) =>
    Math.floor((size + 2 * pair(padding)[axis] - pair(dilation)[axis] * (taps - 1) - 1) / pair(stride)[axis]) + 1;
  return [N, O, length(H, R, 0), length(W, S, 1)];
}

/** Visits every product input[i] * weight[k] that output[j] sums, by the three positions. */
function eachProduct(inputs: ConvInputs, options: ConvOptions, visit: (i: number, k: number, j: number) => void): void {
  const { stride = 1, padding = 0, dilation = 1, groups = 1 } = options;
  const [, C, H, W] = inputs.input.shape;
  const [, perGroup, R, S] = inputs.weight.shape;
  const [N, O, P, Q] = outputShape(inputs, options);
  for (let n = 0; n < N; n++) {
    for (let o = 0; o < O; o++) {
      const group = Math.floor(o / (O / groups));
      for (let p = 0; p < P; p++) {
        for (let q = 0; q < Q; q++) {
          for (let c = 0; c < perGroup; c++) {
            for (let r = 0; r < R; r++) {
              for (let s = 0; s < S; s++) {
                const h = p * pair(stride)[0] + r * pair(dilation)[0] - pair(padding)[0];
                const w = q * pair(stride)[1] + s * pair(dilation)[1] - pair(padding)[1];
                if (h < 0 || h >= H || w < 0 || w >= W) continue;
                const i = ((n * C + group * perGroup + c) * H + h) * W + w;
                const k = ((o * perGroup + c) * R + r) * S + s;
                visit(i, k, ((n * O + o) * P + p) * Q + q);
              }
            }
          }
        }
      }
    }
  }
}

export function conv2d(inputs: ConvInputs, options: ConvOptions = {}): Values<'NCHW'> {
  const { input, weight, bias } = inputs;
  const output = zeros('NCHW', outputShape(inputs, options));
  const [, O, P, Q] = output.shape;
  if (bias)
    output.data.forEach((_, j) => {
      output.data[j] = bias.data[Math.floor(j / (P * Q)) % O];
    });
  eachProduct(inputs, options, (i, k, j) => {
    output.data[j] += input.data[i] * weight.data[k];
  });
  return output;
}

/** Gradients of sum(output * upstream). */
export function conv2dGradients(inputs: ConvInputs, upstream: Values, options: ConvOptions = {}) {
  const input = zeros('NCHW', inputs.input.shape);
  const weight = zeros('OCRS', inputs.weight.shape);
  const [O, , ,] = inputs.weight.shape;
  const bias = zeros('C', [O]);
  const [, , P, Q] = upstream.shape;
  eachProduct(inputs, options, (i, k, j) => {
    input.data[i] += upstream.data[j] * inputs.weight.data[k];
    weight.data[k] += upstream.data[j] * inputs.input.data[i];
  });
  upstream.data.forEach((value, j) => {
    bias.data[Math.floor(j / (P * Q)) % O] += value;
  });
  return inputs.bias ? { input, weight, bias } : { input, weight };
}
