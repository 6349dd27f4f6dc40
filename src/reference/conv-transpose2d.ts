/** Transposed convolution: every input element adds a copy of the kernel, times itself, to the output. */
import { at, positionOf, type Values, zeros } from './values.ts';

export interface ConvTransposeInputs {
  readonly input: Values<'NCHW'>;
  /** C O/groups R S, as in PyTorch. */
  readonly weight: Values;
  readonly bias?: Values<'C'>;
}

export function convTranspose2d(
  { input, weight, bias }: ConvTransposeInputs,
  { stride = 1, padding = 0, outputPadding = 0, groups = 1 } = {},
): Values<'NCHW'> {
  const [N, C, H, W] = input.shape;
  const [, perGroup, R, S] = weight.shape;
  const outH = (H - 1) * stride - 2 * padding + R + outputPadding;
  const outW = (W - 1) * stride - 2 * padding + S + outputPadding;
  const output = zeros('NCHW', [N, perGroup * groups, outH, outW]);
  for (let n = 0; n < N; n++) {
    for (let c = 0; c < C; c++) {
      const group = Math.floor(c / (C / groups));
      for (let h = 0; h < H; h++) {
        for (let w = 0; w < W; w++) {
          for (let o = 0; o < perGroup; o++) {
            for (let r = 0; r < R; r++) {
              for (let s = 0; s < S; s++) {
                const y = h * stride + r - padding;
                const x = w * stride + s - padding;
                if (y < 0 || y >= outH || x < 0 || x >= outW) continue;
                output.data[positionOf(output, [n, group * perGroup + o, y, x])] +=
                  at(input, n, c, h, w) * at(weight, c, o, r, s);
              }
            }
          }
        }
      }
    }
  }
  if (bias) {
    output.data.forEach((_, i) => {
      output.data[i] += bias.data[Math.floor(i / (outH * outW)) % (perGroup * groups)];
    });
  }
  return output;
}
