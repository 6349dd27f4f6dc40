/** NaN and infinity through the operations, as docs/guarantees.md promises: a loss that went wrong must not come out as a plausible number. */
import * as engine from '../engine/index.ts';
import { type Gpu, type Tensor, upload } from '../engine/index.ts';
import { errorOf, keepWorst, listOf, type Worst } from './compare-values.ts';
import type { Session } from './session.ts';

const { NaN: nan, POSITIVE_INFINITY: infinity } = Number;

type Row = readonly [
  name: string,
  input: readonly number[],
  device: (x: Tensor<'NC'>, gpu: Gpu) => Tensor,
  expected: readonly number[],
];

/** Inputs of 1 x C. */
const rows: readonly Row[] = [
  ['relu', [nan, -1, 2, infinity], (x) => engine.relu(x), [nan, 0, 2, infinity]],
  ['exp', [nan, -infinity, 0], (x) => engine.exp(x), [nan, 0, 1]],
  ['log', [nan, 0, 1, -1], (x) => engine.log(x), [nan, -infinity, 0, nan]],
  ['square', [nan, -3, infinity], (x) => engine.square(x), [nan, 9, infinity]],
  ['max', [1, nan, 2], (x) => engine.max(x, 'C'), [nan]],
  ['max, NaN first', [nan, 1, 2], (x) => engine.max(x, 'C'), [nan]],
  ['max, infinity', [1, infinity, 2], (x) => engine.max(x, 'C'), [infinity]],
  ['maximum', [1, nan, 2], (x) => engine.maximum(x, x), [1, nan, 2]],
  ['minimum', [1, nan, 2], (x) => engine.minimum(x, x), [1, nan, 2]],
  ['sum', [1, nan, 2], (x) => engine.sum(x, 'C'), [nan]],
  ['sum, infinity', [1, infinity, 2], (x) => engine.sum(x, 'C'), [infinity]],
  ['sum, opposite infinities', [1, infinity, -infinity], (x) => engine.sum(x, 'C'), [nan]],
  ['softmax', [0, -infinity, 0], (x) => engine.softmax(x, 'C'), [0.5, 0, 0.5]],
  ['softmax, NaN', [0, nan, 0], (x) => engine.softmax(x, 'C'), [nan, nan, nan]],
  ['multiply', [nan, 2, infinity], (x) => engine.multiply(x, x), [nan, 4, infinity]],
];

const TOLERANCE = 1e-5;

export async function checkSpecialValues(session: Session, share: number): Promise<void> {
  await session.progress(share, 'NaN and infinity');
  for (const [name, input, device, expected] of rows)
    await session.check({ name: `NaN and infinity: ${name}`, group: 'special values' }, async (gpu) => {
      const { got } = await gpu.step(() => ({
        got: device(upload(gpu, 'NC', [1, input.length], input), gpu) as Tensor<'C'>,
      }));
      return { error: errorOf(listOf(got), expected, TOLERANCE, 0.1) };
    });
  await session.check({ name: 'NaN and infinity: maxPool2d', group: 'special values' }, async (gpu) => {
    const worst: Worst = { error: 0, where: '' };
    for (let i = 0; i < 4; i++) {
      const pixels = [1, 2, 3, 4].map((value, k) => (k === i ? nan : value));
      const { got } = await gpu.step(() => ({
        got: engine.maxPool2d(upload(gpu, 'NCHW', [1, 1, 2, 2], pixels), { size: 2 }) as Tensor as Tensor<'C'>,
      }));
      keepWorst(worst, errorOf(listOf(got), [nan], TOLERANCE, 0.1), `NaN at pixel ${i}`);
    }
    return worst;
  });
}
