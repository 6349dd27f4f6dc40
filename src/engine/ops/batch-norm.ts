/**
 * Batch normalisation (Ioffe & Szegedy 2015) with PyTorch's semantics: biased variance to normalise, unbiased variance in the running
 * statistics, epsilon inside the square root; optionally with the ReLU that follows it, which saves a pass over the activations.
 *
 *     output = weight * (x - mean) / sqrt(variance + epsilon) + bias        mean, variance over N H W, one a channel
 */
import shaders from '../../shaders/sources.ts';
import { dispatch, kernel, laneKernel, planeGroups } from '../kernel.ts';
import { ShapeError } from '../shape.ts';
import { empty, promise, type Tensor } from '../tensor.ts';

const values = {
  1: 'alias Value = f32; const WIDTH = 1u; fn sumOf(v : Value) -> f32 { return v; }',
  4: 'alias Value = vec4f; const WIDTH = 4u; fn sumOf(v : Value) -> f32 { return (v.x + v.y) + (v.z + v.w); }',
} as const;

function kernelsOf(width: keyof typeof values) {
  const source = { name: `batch-norm-${width}`, code: shaders.batchNorm.code };
  const append = [values[width]];
  return {
    gather: laneKernel(source, 'gather', { append }),
    merge: kernel(source, 'merge', { append }),
    mergeMany: kernel(source, 'mergeMany', { append }),
    normalise: kernel(source, 'normalise', { append }),
    gatherGradient: laneKernel(source, 'gatherGradient', { append }),
    gradInput: kernel(source, 'gradInput', { append }),
    gradInputOver: kernel(source, 'gradInputOver', { append }),
  };
}

const kernels = { 1: kernelsOf(1), 4: kernelsOf(4) } as const;
const whole = { name: 'batch-norm', code: shaders.batchNorm.code };
const recall = kernel(whole, 'recall', { append: [values[1]] });
const mergeGradient = kernel(whole, 'mergeGradient', { append: [values[1]] });

export interface BatchNormInputs {
  readonly input: Tensor<'NCHW'>;
  readonly weight: Tensor<'C'>;
  readonly bias: Tensor<'C'>;
  /** Read in evaluation, moved towards the batch's statistics in training. */
  readonly runningMean: Tensor<'C'>;
  readonly runningVariance: Tensor<'C'>;
}

export interface BatchNormOptions {
  readonly training: boolean;
  readonly epsilon?: number;
  /** Weight of the batch in the running statistics. */
  readonly momentum?: number;
  readonly activation?: 'relu' | 'none';
}

const PART = 4096;
/** Slices of a channel that a GPU merges by a workgroup. */
const MANY = 256;

export function batchNorm(
  { input, weight, bias, runningMean, runningVariance }: BatchNormInputs,
  { training, epsilon = 1e-5, momentum = 0.1, activation = 'none' }: BatchNormOptions,
): Tensor<'NCHW'> {
  const { gpu } = input;
  const [N, C, H, W] = input.shape;
  for (const [role, tensor] of Object.entries({ weight, bias, runningMean, runningVariance })) {
    if (tensor.shape[0] !== C)
      throw new ShapeError('batchNorm', `${role} has ${tensor.shape[0]} values for C=${C}`, { input, [role]: tensor });
  }
  if (training && N * H * W === 1) {
    throw new ShapeError(
      'batchNorm',
      'one value a channel has no variance',
      { input },
      'Use a larger batch or image, or evaluation mode.',
    );
  }
  input.assertAlive('batchNorm');
  const width = (H * W) % 4 === 0 ? 4 : 1;
  const { gather, merge, mergeMany, normalise, gatherGradient, gradInput, gradInputOver } = kernels[width];
  const length = (H * W) / width;
  const parts = Math.ceil((H * W) / PART);
  const uniforms = {
    N,
    C,
    length,
    parts,
    epsilon,
    momentum,
    relu: activation === 'relu' ? 1 : 0,
    training: training ? 1 : 0,
  };
  const perElement = planeGroups(Math.ceil(length / 512), N, C);
  const perPart = planeGroups(parts, N, C);
  const perChannel = [Math.ceil(C / 64)] as const;

  const moments = empty(gpu, 'CK', [C, 4], 'batchNorm moments');
  if (training) {
    const statistic = input.statistics ?? empty(gpu, 'CZK', [C, N * parts, 4], 'batchNorm statistics');
    if (!input.statistics) dispatch(gpu, gather(gpu), { input, statistics: statistic }, uniforms, perPart);
    const slices = { ...uniforms, N: 1, parts: statistic.shape[1] };
    const bindings = { statistic, weight, bias, runningMean, runningVariance, moments };
    if (gpu.description.software || slices.parts < MANY) dispatch(gpu, merge, bindings, slices, perChannel);
    else dispatch(gpu, mergeMany, bindings, slices, [C]);
    statistic.release();
    input.statistics = null;
  } else {
    dispatch(gpu, recall, { weight, bias, runningMean, runningVariance, moments }, uniforms, perChannel);
  }
  const output =
    activation === 'relu' ? promise(gpu, input.shape, 'batchNorm') : empty(gpu, 'NCHW', input.shape, 'batchNorm');
  output.made({
    from: [input],
    fill: () => dispatch(gpu, normalise, { input, moment: moments, output }, uniforms, perElement),
    sources: () => {
      const suits = activation === 'relu' && input.isPresent && input.type === 'f32';
      return suits ? [{ tensor: input, moments, raised: false }] : null;
    },
  });

  output.tell('batchNorm', [input, weight, bias, runningMean, runningVariance], { epsilon, activation, training });
  return output.derivedFrom(
    { input, weight, bias },
    (gradient) => {
      const slices = empty(gpu, 'CZK', [C, N * parts, 2], 'batchNorm gradient slices');
      const sums = empty(gpu, 'CK', [C, 2], 'batchNorm gradient sums');
      const weightGradient = empty(gpu, 'C', [C], 'batchNorm gradient of weight');
      const biasGradient = empty(gpu, 'C', [C], 'batchNorm gradient of bias');
      dispatch(gpu, gatherGradient(gpu), { input, moment: moments, gradient, slices }, uniforms, perPart);
      dispatch(gpu, mergeGradient, { gathered: slices, sums, weightGradient, biasGradient }, uniforms, perChannel);
      slices.release();
      return {
        input: () => {
          if (gradient.spare) {
            const bindings = { input, moment: moments, sum: sums, output: gradient };
            dispatch(gpu, gradInputOver, bindings, uniforms, perElement);
            return gradient;
          }
          const inputGradient = empty(gpu, 'NCHW', input.shape, 'batchNorm gradient of input');
          dispatch(
            gpu,
            gradInput,
            { input, moment: moments, gradient, sum: sums, output: inputGradient },
            uniforms,
            perElement,
          );
          return inputGradient;
        },
        weight: () => weightGradient,
        bias: () => biasGradient,
      };
    },
    [moments],
  );
}
