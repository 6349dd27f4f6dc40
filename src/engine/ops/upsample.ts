/**
 * Resizing of an N C H W tensor to P x Q (larger or smaller).
 *
 * nearest: source = floor(p * H / P). bilinear, by `corners`: 'half-pixel' (PyTorch's align_corners = false), 'align' (align_corners = true),
 * 'asymmetric' (TensorFlow 1's default, source = p * H / P).
 */
import shaders from '../../shaders/sources.ts';
import { dispatch, kernel, planeGroups } from '../kernel.ts';
import { ShapeError } from '../shape.ts';
import { empty, promise, type Tensor } from '../tensor.ts';

const forward = kernel(shaders.upsample, 'forward');
const backward = kernel(shaders.upsample, 'backward');
const forwardTwice = kernel(shaders.upsample, 'forwardTwice');
const backwardTwice = kernel(shaders.upsample, 'backwardTwice');

const modes = { nearest: 0, 'half-pixel': 1, align: 2, asymmetric: 3 } as const;

export type Corners = 'half-pixel' | 'align' | 'asymmetric';

export function upsampleNearest(input: Tensor<'NCHW'>, size: readonly [number, number]): Tensor<'NCHW'> {
  return resize(input, size, 'nearest');
}

export function upsampleBilinear(
  input: Tensor<'NCHW'>,
  size: readonly [number, number],
  corners: Corners,
): Tensor<'NCHW'> {
  return resize(input, size, corners);
}

/** Nearest, twice the height and width. */
export function upsample2x(input: Tensor<'NCHW'>): Tensor<'NCHW'> {
  return resize(input, [input.shape[2] * 2, input.shape[3] * 2], 'nearest');
}

function resize(input: Tensor<'NCHW'>, [P, Q]: readonly [number, number], mode: keyof typeof modes): Tensor<'NCHW'> {
  const { gpu } = input;
  const [N, C, H, W] = input.shape;
  if (!(P >= 1 && Q >= 1 && Number.isInteger(P) && Number.isInteger(Q))) {
    throw new ShapeError('upsample', `${P} x ${Q} is not a size`, { input });
  }
  input.assertAlive('upsample');
  const uniforms = { planes: N * C, H, W, P, Q, mode: modes[mode] };
  const twice = mode === 'nearest' && P === 2 * H && Q === 2 * W;
  // Of what nobody has written; what stands in memory is given back the sooner.
  const output =
    twice && !input.isPresent ? promise(gpu, [N, C, P, Q], 'upsample') : empty(gpu, 'NCHW', [N, C, P, Q], 'upsample');
  output.made({
    from: [input],
    fill: () => {
      if (twice)
        dispatch(
          gpu,
          forwardTwice,
          { input, outputPairs: output },
          uniforms,
          planeGroups(Math.ceil((H * W) / 64), N, C),
        );
      else dispatch(gpu, forward, { input, output }, uniforms, planeGroups(Math.ceil((P * Q) / 64), N, C));
    },
    sources: () => {
      const { sources } = input;
      return sources.some(({ raised }) => raised) ? null : sources.map((source) => ({ ...source, raised: true }));
    },
  });
  output.tell('upsample', [input], { mode });
  const rule = (gradient: Tensor) => ({
    input: () => {
      const inputGradient = empty(gpu, 'NCHW', input.shape, 'upsample gradient');
      const groups = planeGroups(Math.ceil((H * W) / 64), N, C);
      if (twice) dispatch(gpu, backwardTwice, { gradientPairs: gradient, output: inputGradient }, uniforms, groups);
      else dispatch(gpu, backward, { gradient, output: inputGradient }, uniforms, groups);
      return inputGradient;
    },
  });
  return output.derivedFrom({ input }, rule, [], []);
}
