import { describe, expect, it } from 'vitest';
import { add, divide, maximum, minimum, multiply, subtract, type Tensor, upload } from '../../../src/engine/index.ts';
import { arithmetic, combine } from '../../../src/reference/arithmetic.ts';
import { draw, drawDistinct, map, type Values, values } from '../../../src/reference/values.ts';
import { testGpu } from '../../support/gpu.ts';
import { checkOperation } from '../../support/grad-check.ts';

const operations = { add, subtract, multiply, divide, minimum, maximum };

type Name = keyof typeof operations;
const names = Object.keys(operations) as Name[];

type Pair = { a: Values; b: Values };

function check(name: Name, { a, b }: Pair): Promise<void> {
  const apart = (x: Values) => map(x, (value) => (Math.abs(value) < 0.2 ? value + 0.5 : value));
  const inputs = name === 'divide' ? { a, b: apart(b) } : { a, b };
  return checkOperation(
    inputs,
    ({ a, b }) => operations[name](a, b),
    ({ a, b }) => combine(a, b, arithmetic[name]),
  );
}

/** Distinct within and between the two, so that neither minimum nor maximum meets a tie. */
function apart(a: Values, b: Values): Pair {
  const half = drawDistinct(b.axes, b.shape, 'b');
  return { a: drawDistinct(a.axes, a.shape), b: map(half, (x) => Math.fround(x * 0.75 + 1e-3)) };
}

describe.each(names)('%s', (name) => {
  it.each([
    ['one element', 'N', [1], 'N', [1]],
    ['equal shapes', 'NCHW', [2, 3, 5, 7], 'NCHW', [2, 3, 5, 7]],
    ['more than one workgroup', 'NC', [3, 1367], 'NC', [3, 1367]],
    ['a scalar on the right', 'NC', [3, 5], '', []],
    ['a scalar on the left', '', [], 'NC', [3, 5]],
    ['channels on the right', 'NCHW', [2, 5, 3, 3], 'C', [5]],
    ['channels on the left', 'C', [5], 'NCHW', [2, 5, 3, 3]],
    ['channels of each image', 'NCHW', [2, 3, 5, 1], 'NC', [2, 3]],
    ['rows and columns', 'NCHW', [1, 2, 3, 5], 'HW', [3, 5]],
    ['length 1 on both sides', 'NCHW', [2, 1, 3, 1], 'NCHW', [1, 4, 1, 5]],
    ['length 1 and a missing axis', 'NCHW', [2, 1, 3, 5], 'CW', [4, 1]],
  ] as const)('with %s', (_, aAxes, aShape, bAxes, bShape) =>
    check(name, apart(draw(aAxes, aShape), draw(bAxes, bShape))),
  );
});

describe('ties', () => {
  const a = values('N', [4], [1, 2, 3, -5]);
  const b = values('N', [4], [1, 5, 3, -7]);

  it.each(['minimum', 'maximum'] as const)('%s shares the gradient equally', (name) =>
    // A central difference at a tie is one half, too.
    checkOperation(
      { a, b },
      ({ a, b }) => operations[name](a, b),
      ({ a, b }) => combine(a, b, arithmetic[name]),
      { elements: 4 },
    ),
  );

  it('x + x and x * x count both uses', async () => {
    const x = draw('NC', [3, 5]);
    await checkOperation(
      { x },
      ({ x }) => add(x, x),
      ({ x }) => map(x, (value) => 2 * value),
    );
    await checkOperation(
      { x },
      ({ x }) => multiply(x, x),
      ({ x }) => map(x, (value) => value * value),
    );
  });
});

it('names both shapes when lengths disagree', async () => {
  const gpu = await testGpu();
  const a = upload(gpu, 'NC', [2, 3], new Float32Array(6), 'logits');
  const b = upload(gpu, 'C', [4], new Float32Array(4), 'weights') as Tensor;
  await expect(async () => gpu.step(() => add(a, b))).rejects.toThrow(
    /add: axis C disagrees, 3 against 4\.\n {2}a N=2 C=3 {3}\(logits\)\n {2}b C=4 {3}\(weights\)/,
  );
  a.release();
  b.release();
});

it('refuses axes that occur in another order', async () => {
  const gpu = await testGpu();
  const a = upload(gpu, 'NC', [2, 2], new Float32Array(4));
  const b = upload(gpu, 'CN', [2, 2], new Float32Array(4)) as Tensor;
  await expect(async () => gpu.step(() => add(a, b))).rejects.toThrow('"CN" do not occur in this order in "NC"');
  a.release();
  b.release();
});
