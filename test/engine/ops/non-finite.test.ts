/** NaN and infinity through every operation: what IEEE 754 and PyTorch make of them, on every adapter. */
import { describe, expect, it } from 'vitest';
import * as engine from '../../../src/engine/index.ts';
import { type Gpu, type Tensor, upload } from '../../../src/engine/index.ts';
import { testGpu } from '../../support/gpu.ts';

const { NaN: nan, POSITIVE_INFINITY: inf } = Number;

/** What the operation makes of the values, and the gradient of the first operand for an upstream of ones. */
async function run(build: (gpu: Gpu) => Tensor): Promise<number[]> {
  const gpu = await testGpu();
  const result = await gpu.step(() => engine.withoutGradient(gpu, () => build(gpu)));
  return typeof result === 'number' ? [result] : [...(result as Float32Array)];
}

const row = (gpu: Gpu, values: readonly number[]) => upload(gpu, 'C', [values.length], values);
const same = (got: readonly number[], expected: readonly number[]) => {
  expect(got.length).toBe(expected.length);
  got.forEach((value, i) => {
    const wanted = Math.fround(expected[i]);
    if (Number.isFinite(wanted)) expect(value, `element ${i}`).toBeCloseTo(wanted, 5);
    else expect(value, `element ${i}`).toBe(wanted);
  });
};

const specials = [nan, inf, -inf, 0, -0, 1, -1, 1e30, -1e30];

describe('one tensor, element by element', () => {
  const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
  const rows: [string, (x: Tensor<'C'>) => Tensor, (x: number) => number][] = [
    ['relu', engine.relu, (x) => Math.max(0, x)],
    ['sigmoid', engine.sigmoid, sigmoid],
    ['exp', engine.exp, Math.exp],
    ['log', engine.log, Math.log],
    ['softplus', engine.softplus, (x) => (x > 50 ? x : Math.log1p(Math.exp(x)))],
    ['square', engine.square, (x) => x * x],
    ['sqrt', engine.sqrt, Math.sqrt],
    ['reciprocal', engine.reciprocal, (x) => 1 / x],
    ['scale', (x) => engine.scale(x, 2), (x) => 2 * x],
    ['shift', (x) => engine.shift(x, 2), (x) => x + 2],
    ['silu', engine.silu, (x) => x * sigmoid(x)],
  ];
  it.each(rows)('%s', async (_, operation, expected) => {
    const got = await run((gpu) => operation(row(gpu, specials)));
    got.forEach((value, i) => {
      const wanted = Math.fround(expected(specials[i]));
      if (Number.isFinite(wanted) && wanted !== 0)
        expect(Math.abs(value / wanted - 1), `of ${specials[i]}`).toBeLessThan(1e-5);
      else expect(value === 0 ? 0 : value, `of ${specials[i]}`).toBe(wanted === 0 ? 0 : wanted);
    });
  });
});

describe('two tensors', () => {
  const largest = (a: number, b: number) => (Number.isNaN(a) || Number.isNaN(b) ? nan : Math.max(a, b));
  const smallest = (a: number, b: number) => (Number.isNaN(a) || Number.isNaN(b) ? nan : Math.min(a, b));
  const rows: [string, (a: Tensor<'C'>, b: Tensor<'C'>) => Tensor, (a: number, b: number) => number][] = [
    ['add', engine.add, (a, b) => a + b],
    ['subtract', engine.subtract, (a, b) => a - b],
    ['multiply', engine.multiply, (a, b) => a * b],
    ['divide', engine.divide, (a, b) => a / b],
    ['maximum', engine.maximum, largest],
    ['minimum', engine.minimum, smallest],
  ];
  const values = [nan, inf, -inf, 0, 1, -2];
  const pairs = values.flatMap((a) => values.map((b) => [a, b] as const));
  it.each(rows)('%s', async (_, operation, expected) => {
    const got = await run((gpu) =>
      operation(
        row(
          gpu,
          pairs.map(([a]) => a),
        ),
        row(
          gpu,
          pairs.map(([, b]) => b),
        ),
      ),
    );
    got.forEach((value, i) => {
      const wanted = expected(...pairs[i]);
      expect(value === 0 ? 0 : value, `of ${pairs[i]}`).toBe(wanted === 0 ? 0 : wanted);
    });
  });
});

describe('reductions', () => {
  // Short ones take one thread, longer ones a workgroup, long ones two passes.
  describe.each([3, 40, 5000])('over %i elements', (length) => {
    const place = Math.floor(length / 2);
    const filled = (special: readonly number[]) =>
      Array.from({ length }, (_, i) => special[i - place] ?? ((i * 7) % 5) - 2);
    const plain = filled([]).reduce((a, b) => a + b, 0);
    it.each<[string, readonly number[], number, number]>([
      ['infinity', [inf], inf, inf],
      ['minus infinity', [-inf], -inf, 2],
      ['both infinities', [inf, -inf], nan, inf],
      ['NaN', [nan], nan, nan],
      ['NaN and infinity', [nan, inf], nan, nan],
      ['nothing special', [], plain, 2],
    ])('sum, mean and max of %s', async (_, special, total, most) => {
      const values = filled(special);
      const input = (gpu: Gpu) => row(gpu, values);
      same(await run((gpu) => engine.sum(input(gpu))), [total]);
      same(await run((gpu) => engine.mean(input(gpu))), [total / length]);
      same(await run((gpu) => engine.max(input(gpu))), [length === 3 && special.length === 0 ? 2 : most]);
    });
  });

  it('of a row that overflows are infinite', async () =>
    same(await run((gpu) => engine.sum(row(gpu, [3e38, 3e38, 1]))), [inf]));

  it('of rows beside each other', async () => {
    const values = [nan, 1, 2, inf, 3, 4, -inf, -inf, -inf];
    const input = (gpu: Gpu) => upload(gpu, 'NC', [3, 3], values);
    same(await run((gpu) => engine.sum(input(gpu), 'C')), [nan, inf, -inf]);
    same(await run((gpu) => engine.max(input(gpu), 'C')), [nan, inf, -inf]);
    same(await run((gpu) => engine.sum(input(gpu), 'N')), [nan, -inf, -inf]);
  });
});

describe('softmax', () => {
  const rows: [string, number[], number[]][] = [
    ['minus infinity is impossible', [0, -inf, 0], [0.5, 0, 0.5]],
    ['infinity has no answer', [0, inf, 0], [nan, nan, nan]],
    ['minus infinity everywhere has no answer', [-inf, -inf, -inf], [nan, nan, nan]],
    ['NaN', [nan, 0, 1], [nan, nan, nan]],
    ['large values', [1e30, 1e30, -1e30], [0.5, 0.5, 0]],
  ];
  it.each(rows)('%s', async (_, values, expected) => {
    const input = (gpu: Gpu) => upload(gpu, 'NC', [1, 3], values);
    same(await run((gpu) => engine.softmax(input(gpu), 'C')), expected);
    const got = await run((gpu) => engine.logSoftmax(input(gpu), 'C'));
    got.forEach((value, i) => {
      const wanted = Math.log(expected[i]);
      if (Number.isNaN(wanted)) expect(value).toBeNaN();
      else if (wanted === -inf) expect(value).toBeLessThan(-1e29);
      else expect(value).toBeCloseTo(wanted, 5);
    });
  });
});

describe('pooling', () => {
  const plane = [nan, 1, 2, 3, 4, inf, -inf, -inf, 5, 6, -inf, -inf, 7, 8, 9, nan];
  const input = (gpu: Gpu) => upload(gpu, 'NCHW', [1, 1, 4, 4], plane);
  it('keeps NaN and infinity', async () => {
    same(await run((gpu) => engine.maxPool2d(input(gpu), { size: 2 })), [nan, 3, 8, nan]);
    same(await run((gpu) => engine.averagePool2d(input(gpu), { size: 2 })), [nan, -inf, 6.5, nan]);
    const wide = { size: 3, stride: 1, padding: 1 } as const;
    const found = await run((gpu) => engine.maxPool2d(input(gpu), wide));
    expect(found[0]).toBeNaN();
    expect([found[2], found[8]]).toEqual([inf, inf]);
    expect(found[15]).toBeNaN();
  });

  it('sends the gradient of a window with NaN to the NaN', async () => {
    const gpu = await testGpu();
    const x = engine.parameter(gpu, 'NCHW', [1, 1, 2, 2], Float32Array.of(5, nan, 7, 6), 'x');
    const { gradient } = await gpu.step(() => {
      engine.backward(engine.sum(engine.maxPool2d(x, { size: 2 })) as engine.Scalar);
      return { gradient: x.gradient! };
    });
    expect([...(gradient as Float32Array)]).toEqual([0, 1, 0, 0]);
    x.release();
  });
});

it('maximum and minimum share the gradient of ties and pass it on beside NaN, as PyTorch', async () => {
  const gpu = await testGpu();
  const [as, bs] = [
    [1, 2, 3, nan, 1],
    [2, 2, 1, 1, nan],
  ];
  for (const [operation, expected] of [
    [engine.maximum, { a: [0, 0.5, 1, 1, 1], b: [1, 0.5, 0, 1, 1] }],
    [engine.minimum, { a: [1, 0.5, 0, 1, 1], b: [0, 0.5, 1, 1, 1] }],
  ] as const) {
    const a = engine.parameter(gpu, 'C', [5], Float32Array.from(as), 'a');
    const b = engine.parameter(gpu, 'C', [5], Float32Array.from(bs), 'b');
    const found = await gpu.step(() => {
      engine.backward(engine.sum(operation(a, b)) as engine.Scalar);
      return { a: a.gradient!, b: b.gradient! };
    });
    expect([...(found.a as Float32Array)]).toEqual(expected.a);
    expect([...(found.b as Float32Array)]).toEqual(expected.b);
    a.release();
    b.release();
  }
});

describe('moving values', () => {
  const values = [nan, inf, -inf, 1];
  const map = (gpu: Gpu) => upload(gpu, 'NCHW', [1, 1, 2, 2], values);
  it('copies them', async () => {
    same(await run((gpu) => engine.concat([map(gpu), map(gpu)], 'C')), [...values, ...values]);
    same(await run((gpu) => engine.slice(map(gpu), { H: [1, 2] })), [-inf, 1]);
    same(await run((gpu) => engine.permute(map(gpu), 'NCWH')), [nan, -inf, inf, 1]);
    same(await run((gpu) => engine.expand(row(gpu, values), 'NC', [2, 4])), [...values, ...values]);
    const twice = [nan, nan, inf, inf, nan, nan, inf, inf, -inf, -inf, 1, 1, -inf, -inf, 1, 1];
    same(await run((gpu) => engine.upsample2x(map(gpu))), twice);
    same(await run((gpu) => engine.upsampleNearest(map(gpu), [2, 3])), [nan, nan, inf, -inf, -inf, 1]);
  });

  it('keeps the rest of a convolution and of a product finite', async () => {
    const image = Array.from({ length: 64 }, (_, i) => (i === 63 ? nan : i === 7 ? inf : 1));
    const got = await run((gpu) =>
      engine.conv2d(
        upload(gpu, 'NCHW', [1, 1, 8, 8], image),
        upload(gpu, 'OCRS', [1, 1, 3, 3], Array(9).fill(1)),
        null,
        { padding: 1 },
      ),
    );
    // Fast algorithms subtract inputs from each other, so that an infinity may come out as NaN, but nothing beyond its window is touched.
    got.forEach((value, i) => {
      const [h, w] = [Math.floor(i / 8), i % 8];
      const isReached = w > 5 && (h < 2 || h > 5);
      expect(Number.isFinite(value), `${h}, ${w}`).toBe(!isReached);
    });
    for (const i of [54, 55, 62, 63]) expect(got[i]).toBeNaN();
    expect(got[27]).toBe(9);
    const product = await run((gpu) =>
      engine.matmul(
        upload(gpu, 'BIK', [1, 2, 3], [1, nan, 1, 1, 2, 3]),
        upload(gpu, 'BKJ', [1, 3, 2], [1, 2, 3, inf, 5, 6]),
      ),
    );
    same(product, [nan, nan, 22, inf]);
  });
});

it('klDivergence keeps NaN of either, refuses a negative target, and takes 0 ln 0 as 0', async () => {
  const of = (target: number[], log: number[]) =>
    run((gpu) =>
      engine.klDivergence(upload(gpu, 'NC', [1, target.length], log), upload(gpu, 'NC', [1, target.length], target)),
    );
  same(await of([0.5, 0.5], [-1, nan]), [nan]);
  same(await of([nan, 0.5], [-1, -1]), [nan]);
  same(await of([-0.5, 1.5], [-1, -1]), [nan]);
  same(await of([0, 1], [-inf, 0]), [0]);
  same(await of([1, 0], [-inf, 0]), [inf]);
});
