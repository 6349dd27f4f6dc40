/** Resizing of N C H W to P x Q. */
import { at, tabulate, type Values } from './values.ts';

export type Mode = 'nearest' | 'half-pixel' | 'align' | 'asymmetric';

/** Where output position `p` of `outputs` looks in an input of `inputs`. */
function sourceOf(mode: Mode, p: number, inputs: number, outputs: number): number {
  if (mode === 'align') return outputs === 1 ? 0 : (p * (inputs - 1)) / (outputs - 1);
  if (mode === 'half-pixel') return Math.max(0, ((p + 0.5) * inputs) / outputs - 0.5);
  return (p * inputs) / outputs;
}

export function upsample(input: Values<'NCHW'>, [P, Q]: readonly [number, number], mode: Mode): Values<'NCHW'> {
  const [N, C, H, W] = input.shape;
  return tabulate('NCHW', [N, C, P, Q], (n, c, p, q) => {
    if (mode === 'nearest') return at(input, n, c, Math.floor((p * H) / P), Math.floor((q * W) / Q));
    const y = Math.min(sourceOf(mode, p, H, P), H - 1);
    const x = Math.min(sourceOf(mode, q, W, Q), W - 1);
    const [top, left] = [Math.floor(y), Math.floor(x)];
    const [bottom, right] = [Math.min(top + 1, H - 1), Math.min(left + 1, W - 1)];
    const above = (1 - (x - left)) * at(input, n, c, top, left) + (x - left) * at(input, n, c, top, right);
    const below = (1 - (x - left)) * at(input, n, c, bottom, left) + (x - left) * at(input, n, c, bottom, right);
    return (1 - (y - top)) * above + (y - top) * below;
  });
}
