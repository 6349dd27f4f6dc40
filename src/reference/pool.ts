/** Max and average pooling of N C H W, window by window. */
import { at, positionOf, tabulate, type Values, zeros } from './values.ts';

type Pair = number | readonly [number, number];

export interface PoolOptions {
  readonly size: Pair;
  readonly stride?: Pair;
  readonly padding?: Pair;
}

const pair = (value: Pair) => (typeof value === 'number' ? [value, value] : value);

function windows(input: Values, { size, stride = size, padding = 0 }: PoolOptions) {
  const [N, C, H, W] = input.shape;
  const [R, S] = pair(size);
  const [strideH, strideW] = pair(stride);
  const [padH, padW] = pair(padding);
  const P = Math.floor((H + 2 * padH - R) / strideH) + 1;
  const Q = Math.floor((W + 2 * padW - S) / strideW) + 1;
  /** Positions on the input that the window at p, q covers, in row-major order. */
  const covered = (p: number, q: number) => {
    const found: [number, number][] = [];
    for (let r = 0; r < R; r++) {
      for (let s = 0; s < S; s++) {
        const h = p * strideH + r - padH;
        const w = q * strideW + s - padW;
        if (h >= 0 && h < H && w >= 0 && w < W) found.push([h, w]);
      }
    }
    return found;
  };
  return { shape: [N, C, P, Q], covered, area: R * S };
}

function firstLargest(input: Values, n: number, c: number, places: [number, number][]): [number, number] {
  let best = places[0];
  for (const [h, w] of places) if (at(input, n, c, h, w) > at(input, n, c, ...best)) best = [h, w];
  return best;
}

export function maxPool2d(input: Values<'NCHW'>, options: PoolOptions): Values<'NCHW'> {
  const { shape, covered } = windows(input, options);
  return tabulate('NCHW', shape, (n, c, p, q) => at(input, n, c, ...firstLargest(input, n, c, covered(p, q))));
}

/** The gradient goes to the first of the largest. */
export function maxPool2dGradient(input: Values<'NCHW'>, upstream: Values, options: PoolOptions): Values<'NCHW'> {
  const { shape, covered } = windows(input, options);
  const gradient = zeros('NCHW', input.shape);
  tabulate('NCHW', shape, (n, c, p, q) => {
    const winner = firstLargest(input, n, c, covered(p, q));
    gradient.data[positionOf(gradient, [n, c, ...winner])] += at(upstream, n, c, p, q);
    return 0;
  });
  return gradient;
}

export function averagePool2d(
  input: Values<'NCHW'>,
  options: PoolOptions & { readonly countPadding?: boolean },
): Values<'NCHW'> {
  const { shape, covered, area } = windows(input, options);
  return tabulate('NCHW', shape, (n, c, p, q) => {
    const places = covered(p, q);
    const total = places.reduce((sum, [h, w]) => sum + at(input, n, c, h, w), 0);
    return total / ((options.countPadding ?? true) ? area : places.length);
  });
}
