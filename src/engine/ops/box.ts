/**
 * Copying a box of up to four axes between tensors: what slice, pad, concat, expand and permute have in common. No gradients here.
 */
import shaders from '../../shaders/sources.ts';
import { dispatch, kernel, linearGroups } from '../kernel.ts';
import { type Shape, sizeOf } from '../shape.ts';
import type { Tensor } from '../tensor.ts';

const copy = kernel(shaders.box, 'copy');
const copyRowsKernel = kernel(shaders.box, 'copyRows');
const copyRowsFours = kernel(shaders.box, 'copyRowsFours');
const PER_GROUP = 512;
const AXES = 4;

export interface Box {
  /** Lengths of the box, outer axis first. */
  readonly lengths: Shape;
  /** Strides in the output, and where the box begins there. */
  readonly to: readonly number[];
  readonly offset?: number;
  /** Where the box begins on each axis of the input, the step along it (may be negative), its stride and its length there. */
  readonly start?: readonly number[];
  readonly step?: readonly number[];
  readonly from: readonly number[];
  readonly sizes: readonly number[];
  /** Value outside the input. */
  readonly filler?: number;
  /** Multiplies what is copied. */
  readonly factor?: number;
}

export function copyBox(input: Tensor, output: Tensor, box: Box): void {
  const { lengths, to, offset = 0, from, sizes, filler = 0, factor = 1 } = box;
  const axes = lengths.length;
  if (axes > AXES) throw new Error(`copy: ${axes} axes are more than ${AXES}.`);
  input.assertAlive('copy');
  const padded = (values: readonly number[], before: number) => [...Array<number>(AXES - axes).fill(before), ...values];
  const uniforms: Record<string, number> = { count: sizeOf(lengths), rowStride: 0, offset, filler, factor };
  const spread = (name: string, values: readonly number[], before: number) => {
    padded(values, before).forEach((value, i) => {
      uniforms[`${name}${i}`] = value;
    });
  };
  spread('length', lengths, 1);
  spread('to', to, 0);
  spread('start', box.start ?? Array<number>(axes).fill(0), 0);
  spread('step', box.step ?? Array<number>(axes).fill(1), 1);
  spread('from', from, 0);
  spread('size', sizes, 1);
  if (isRows(box)) {
    const groups = [Math.ceil(lengths[1] / PER_GROUP), lengths[0]] as const;
    const { start = [0, 0] } = box;
    const inFours = [lengths[1], to[0], offset, from[0], start[1], input.size, output.size].every((n) => n % 4 === 0);
    if (inFours) {
      dispatch(input.gpu, copyRowsFours, { inputFours: input, outputFours: output }, uniforms, groups);
    } else {
      dispatch(input.gpu, copyRowsKernel, { input, output }, uniforms, groups);
    }
    return;
  }
  const groups = linearGroups(uniforms.count, PER_GROUP);
  uniforms.rowStride = groups[0] * PER_GROUP;
  dispatch(input.gpu, copy, { input, output }, uniforms, groups);
}

/** Two axes, the inner one contiguous on both sides and wholly inside the input. */
function isRows({ lengths, to, from, sizes, start = [0, 0], step = [1, 1] }: Box): boolean {
  const contiguous = lengths.length === 2 && to[1] === 1 && from[1] === 1 && step[0] === 1 && step[1] === 1;
  return contiguous && start.every((at, i) => at >= 0 && at + lengths[i] <= sizes[i]) && lengths[0] <= 65535;
}

/** Row-major strides. */
export function stridesOf(shape: Shape): number[] {
  const strides = Array<number>(shape.length);
  let stride = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    strides[i] = stride;
    stride *= shape[i];
  }
  return strides;
}
