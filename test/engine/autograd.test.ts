import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as engine from '../../src/engine/index.ts';
import {
  add,
  backward,
  type Gpu,
  gradients,
  multiply,
  parameter,
  relu,
  type Scalar,
  scale,
  square,
  sum,
  type Tensor,
  upload,
  withoutGradient,
} from '../../src/engine/index.ts';
import { arithmetic, combine } from '../../src/reference/arithmetic.ts';
import { draw, map, type Values } from '../../src/reference/values.ts';
import { testGpu } from '../support/gpu.ts';
import { checkOperation } from '../support/grad-check.ts';

/** Runs `loss` on x = 1 2 3 and answers with x's gradient after backward(). */
async function slopeOf(loss: (x: Tensor<'N'>, gpu: Gpu) => void): Promise<number[]> {
  const gpu = await testGpu();
  const x = parameter(gpu, 'N', [3], Float32Array.of(1, 2, 3), 'x');
  try {
    const { slope } = await gpu.step(() => {
      loss(x, gpu);
      return { slope: x.gradient as Tensor<'N'> };
    });
    return Array.from(slope);
  } finally {
    x.release();
  }
}

describe('a tensor that is used more than once', () => {
  it.each<[string, (x: Tensor<'N'>) => Tensor<'N'>, number[]]>([
    ['x + x', (x) => add(x, x), [2, 2, 2]],
    ['x * x', (x) => multiply(x, x), [2, 4, 6]],
    ['x - x', (x) => engine.subtract(x, x), [0, 0, 0]],
    ['x / x', (x) => engine.divide(x, x), [0, 0, 0]],
    ['x + x + x', (x) => add(add(x, x), x), [3, 3, 3]],
    ['(x + x) + (x + x)', (x) => add(add(x, x), add(x, x)), [4, 4, 4]],
    ['a diamond: s + s with s = x * x', (x) => ((s) => add(s, s))(square(x)), [4, 8, 12]],
    ['a diamond: s * 3 + s * s', (x) => ((s) => add(scale(s, 3), multiply(s, s)))(square(x)), [10, 44, 126]],
    ['a skip over a layer: s + relu(s)', (x) => ((s) => add(s, relu(s)))(scale(x, 2)), [4, 4, 4]],
    ['a view and its original', (x) => add(x, x.view('N', [3])), [2, 2, 2]],
  ])('%s', async (_, f, expected) => {
    expect(await slopeOf((x) => backward(sum(f(x)) as Scalar))).toEqual(expected);
  });

  it('in graphs at random', async () => {
    const names = ['add', 'subtract', 'multiply'] as const;
    const { subtract } = engine;
    const operations = { add, subtract, multiply };
    const wiring = fc.array(fc.tuple(fc.constantFrom(...names), fc.nat(), fc.nat()), { minLength: 1, maxLength: 12 });
    /** Each operation reads two of the values before it; the last value is the output. */
    const build = <T>(
      given: T[],
      steps: [(typeof names)[number], number, number][],
      join: (name: (typeof names)[number], a: T, b: T) => T,
    ): T => {
      const all = [...given];
      for (const [name, i, j] of steps) all.push(join(name, all[i % all.length], all[j % all.length]));
      return all[all.length - 1];
    };
    await fc.assert(
      fc.asyncProperty(wiring, (steps) =>
        checkOperation(
          { x: draw('N', [4], { name: 'x' }), y: draw('N', [4], { name: 'y' }) },
          // Added once more, so that both inputs are always used.
          ({ x, y }) =>
            add(
              build([x, y], steps, (name, a, b) => operations[name](a, b)),
              add(x, y),
            ),
          ({ x, y }) => {
            const last = build<Values>([x, y], steps, (name, a, b) => combine(a, b, arithmetic[name]));
            return combine(last, combine(x, y, arithmetic.add), arithmetic.add);
          },
        ),
      ),
      { seed: 3, numRuns: 40 },
    );
  });
});

describe('backward', () => {
  it('adds to the gradients of an earlier backward of the same step', async () => {
    const slope = await slopeOf((x) => {
      backward(sum(square(x)));
      backward(sum(scale(x, 10)));
    });
    expect(slope).toEqual([12, 14, 16]);
  });

  it('begins anew in the next step', async () => {
    const gpu = await testGpu();
    const x = parameter(gpu, 'N', [1], Float32Array.of(3), 'x');
    const once = () =>
      gpu.step(() => {
        backward(sum(square(x)));
        return { slope: x.gradient as Tensor<'N'> };
      });
    expect([(await once()).slope[0], (await once()).slope[0]]).toEqual([6, 6]);
    x.release();
  });

  it('of a parameter that is itself the loss is 1', async () => {
    const gpu = await testGpu();
    const loss = parameter(gpu, '', [], Float32Array.of(3), 'loss');
    const { slope } = await gpu.step(() => {
      backward(loss);
      return { slope: loss.gradient as Scalar };
    });
    expect(slope).toBe(1);
    loss.release();
  });

  it('gives back intermediates, but not scalars, kept tensors, inputs and parameters', async () => {
    const gpu = await testGpu();
    const x = parameter(gpu, 'N', [3], Float32Array.of(1, 2, 3), 'x');
    await gpu.step(() => {
      const input = upload(gpu, 'N', [3], [1, 1, 1], 'input');
      const shifted = add(x, input);
      const kept = square(shifted).keep();
      const loss = sum(relu(kept));
      const { liveStorages } = gpu.memory();
      backward(loss as Scalar);
      expect([shifted, kept, loss, input, x].map(({ isAlive }) => isAlive)).toEqual([false, true, true, true, true]);
      expect(gpu.memory().liveStorages, 'two given back; the gradient of x and the 1 it began with added').toBe(
        liveStorages,
      );
      expect(() => relu(shifted)).toThrow(
        'relu: add (N=3) was already given back; call keep() on it before backward()',
      );
      relu(kept);
    });
    x.release();
  });

  it('refuses a graph that an earlier backward has consumed, instead of leaving gradients out', async () => {
    const attempt = slopeOf((x) => {
      const shared = scale(x, 2);
      const [first, second] = [sum(shared) as Scalar, sum(shift(shared)) as Scalar];
      backward(first);
      backward(second);
    });
    await expect(attempt).rejects.toThrow(/backward: .*scale.*consumed/);
    const scalar = slopeOf((x) => {
      const total = sum(x) as Scalar; // a scalar stays alive, but its origin is gone
      backward(scale(total, 2));
      backward(scale(total, 3));
    });
    await expect(scalar).rejects.toThrow(/backward: .*sum.*consumed/);
  });

  it('refuses what has no gradient', async () => {
    const gpu = await testGpu();
    const x = parameter(gpu, 'N', [2], Float32Array.of(1, 2), 'x');
    await gpu.step(() => {
      const constant = sum(upload(gpu, 'N', [2], [1, 2])) as Scalar;
      expect(() => backward(constant)).toThrow('backward: the loss does not depend on any parameter');
      expect(() => backward(square(x) as unknown as Scalar)).toThrow(
        'backward: the loss must be a scalar.\n  loss N=2   (square)',
      );
    });
    x.release();
  });

  it('refuses a rule that answers with another shape', async () => {
    const gpu = await testGpu();
    const x = parameter(gpu, 'N', [2], Float32Array.of(1, 2), 'x');
    const wrong = async () =>
      gpu.step(() => {
        const made = square(x);
        made.origin = { inputs: { input: x }, rule: (g) => ({ input: () => sum(g) as Tensor }), saved: [], reads: [] };
        backward(sum(made) as Scalar);
      });
    await expect(wrong).rejects.toThrow('square: the gradient of input has the wrong shape.\n  input    N=2   (x)');
    x.release();
  });
});

describe('gradients', () => {
  it('of several outputs of one graph, in turn, which stays as it was', async () => {
    const gpu = await testGpu();
    const x = parameter(gpu, 'N', [3], Float32Array.of(1, 2, 3), 'x');
    const y = parameter(gpu, 'N', [3], Float32Array.of(4, 5, 6), 'y');
    const got = await gpu.step(() => {
      const shared = multiply(x, y);
      const [first, second] = [sum(square(shared)) as Scalar, sum(shared) as Scalar];
      const targets = [x, y, shared];
      const both = [gradients(first, targets), gradients(second, targets), gradients(first, targets)];
      expect([x.gradient, y.gradient]).toEqual([null, null]);
      expect(shared.isAlive).toBe(true);
      backward(second);
      return { both: both as Tensor<'N'>[][], after: x.gradient as Tensor<'N'> };
    });
    const numbers = got.both.map((each) => each.map((gradient) => Array.from(gradient)));
    expect(numbers[0]).toEqual([
      [32, 100, 216],
      [8, 40, 108],
      [8, 20, 36],
    ]);
    expect(numbers[1]).toEqual([
      [4, 5, 6],
      [1, 2, 3],
      [1, 1, 1],
    ]);
    expect(numbers[2]).toEqual(numbers[0]);
    expect(Array.from(got.after)).toEqual([4, 5, 6]);
    for (const tensor of [x, y]) tensor.release();
  });

  it('is null for what the output does not depend on, and 1 for the output itself', async () => {
    const gpu = await testGpu();
    const x = parameter(gpu, 'N', [2], Float32Array.of(1, 2), 'x');
    const other = parameter(gpu, 'N', [2], Float32Array.of(1, 2), 'other');
    const itself = await gpu.step(() => {
      const loss = sum(square(x)) as Scalar;
      const [none, one] = gradients(loss, [other, loss]);
      expect(none).toBe(null);
      expect(gradients(upload(gpu, '', [], [1]), [x])).toEqual([null]);
      expect(() => gradients(square(x), [x])).toThrow(
        'gradients: the upstream gradient must have the shape of the output.\n  output   N=2   (square)\n  upstream scalar',
      );
      return one as Scalar;
    });
    expect(itself).toBe(1);
    for (const tensor of [x, other]) tensor.release();
  });

  it('does not change the upstream that it is given', async () => {
    const gpu = await testGpu();
    const x = parameter(gpu, 'N', [3], Float32Array.of(1, 2, 3), 'x');
    const { slope, upstream } = await gpu.step(() => {
      const upstream = upload(gpu, 'N', [3], [1, 10, 100]);
      const [slope] = gradients(add(add(x, x), x), [x], upstream);
      return { slope: slope as Tensor<'N'>, upstream };
    });
    expect(Array.from(slope)).toEqual([3, 30, 300]);
    expect(Array.from(upstream)).toEqual([1, 10, 100]);
    x.release();
  });
});

describe('withoutGradient', () => {
  it('remembers nothing, and remembers again afterwards, also after an exception', async () => {
    const gpu = await testGpu();
    const x = parameter(gpu, 'N', [2], Float32Array.of(1, 2), 'x');
    await gpu.step(() => {
      const constant = withoutGradient(gpu, () => {
        expect(withoutGradient(gpu, () => square(x)).requiresGradient).toBe(false);
        return square(x);
      });
      expect([constant.requiresGradient, constant.origin]).toEqual([false, null]);
      expect(square(x).requiresGradient).toBe(true);
      const failing = () =>
        withoutGradient(gpu, () => {
          throw new Error('stopped');
        });
      expect(failing).toThrow('stopped');
      expect(square(x).requiresGradient).toBe(true);
    });
    x.release();
  });

  it('lets a constant through a product', async () => {
    const slope = await slopeOf((x, gpu) => {
      const frozen = withoutGradient(gpu, () => square(x));
      backward(sum(multiply(x, frozen)) as Scalar);
    });
    expect(slope).toEqual([1, 4, 9]);
  });

  it('frees what only a rule would have needed', async () => {
    const gpu = await testGpu();
    const image = upload(gpu, 'NCHW', [1, 1, 4, 4], new Float32Array(16));
    await gpu.step(() => {
      const { liveStorages } = gpu.memory();
      engine.maxPool2d(image, { size: 2 });
      expect(gpu.memory().liveStorages, 'the output, and no winners').toBe(liveStorages + 1);
    });
    image.release();
  });
});

it('a deep chain has the gradient of its product', () =>
  checkOperation(
    { x: draw('N', [5], { low: 0.5, high: 1 }) },
    ({ x }) => {
      let y: Tensor<'N'> = x;
      for (let layer = 0; layer < 200; layer++) y = scale(y, layer % 2 ? 1.25 : 0.8);
      return y;
    },
    ({ x }) => map(x, (value) => value),
  ));

function shift(x: Tensor<'N'>): Tensor<'N'> {
  return engine.shift(x, 1);
}
