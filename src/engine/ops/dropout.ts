/**
 * Dropout (Srivastava et al. 2014): each element is zeroed with probability `rate`, the others are divided by 1 - rate.
 */
import shaders from '../../shaders/sources.ts';
import { dispatch, kernel, linearGroups } from '../kernel.ts';
import { empty, type Tensor, upload } from '../tensor.ts';

const apply = kernel(shaders.dropout, 'apply', { append: [shaders.philox.code] });
const PER_GROUP = 256;

export interface DropoutDraw {
  /** Key of the layer's random numbers. */
  readonly key: readonly [number, number];
  /** Which of the layer's masks: the number of the forward pass; a function is asked each time that the step is done. */
  readonly index: number | (() => number);
}

const numberOf = (index: DropoutDraw['index']) => (typeof index === 'function' ? index() : index);

/** The mask depends on `draw` and the positions alone, on every device. */
export function dropout<A extends string>(input: Tensor<A>, rate: number, { key, index }: DropoutDraw): Tensor<A> {
  if (!(rate >= 0 && rate < 1)) throw new Error(`dropout: a rate of ${rate} is not in [0, 1).`);
  if (rate === 0) return input;
  const { gpu, size } = input;
  input.assertAlive('dropout');
  const draw = upload(gpu, 'K', [4], () => Uint32Array.of(...key, numberOf(index), 0), 'dropout draw');
  const groups = linearGroups(size, PER_GROUP);
  const masked = (from: Tensor, name: string) => {
    const output = empty(gpu, input.axes, input.shape, name);
    dispatch(
      gpu,
      apply,
      { draw, input: from, output },
      { count: size, rowStride: groups[0] * PER_GROUP, rate },
      groups,
    );
    return output;
  };
  return masked(input, 'dropout').derivedFrom(
    { input: input as Tensor },
    (gradient) => ({ input: () => masked(gradient, 'dropout gradient') }),
    [draw],
    [],
  ) as Tensor<A>;
}
