import fc from 'fast-check';
import { describe, expect, expectTypeOf, it } from 'vitest';
import {
  broadcast,
  checkShape,
  describe as describeShape,
  lengthOf,
  ShapeError,
  sameShape,
  sizeOf,
  stridesWithin,
  type Without,
} from '../../src/engine/shape.ts';

describe('shapes', () => {
  it('have a size, and are the same or not', () => {
    expect(sizeOf([])).toBe(1);
    expect(sizeOf([2, 3, 5])).toBe(30);
    expect(sizeOf([2, 0, 5])).toBe(0);
    expect(sameShape([2, 3], [2, 3])).toBe(true);
    expect(sameShape([2, 3], [3, 2])).toBe(false);
    expect(sameShape([2], [2, 1])).toBe(false);
  });

  it('are told by letter', () => {
    expect(describeShape('NCHW', [6, 3, 224, 224])).toBe('N=6 C=3 H=224 W=224');
    expect(describeShape('', [])).toBe('scalar');
    expect(lengthOf({ axes: 'NC', shape: [2, 3] }, 'C')).toBe(3);
    expect(() => lengthOf({ axes: 'NC', shape: [2, 3], name: 'logits' }, 'H')).toThrow('logits: there is no axis H.');
  });

  it('lose letters in types as in reductions', () => {
    expectTypeOf<Without<'NCHW', 'HW'>>().toEqualTypeOf<'NC'>();
    expectTypeOf<Without<'NCHW', 'NCHW'>>().toEqualTypeOf<''>();
    expectTypeOf<Without<'NC', 'H'>>().toEqualTypeOf<'NC'>();
  });

  it('need one letter an axis and whole lengths', () => {
    expect(() => checkShape('image', 'NC', [1, 2, 3])).toThrow('image: 2 axis letters ("NC") name 3 axes');
    for (const length of [-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY])
      expect(() => checkShape('image', 'N', [length])).toThrow(`image: ${length} is not a length`);
    checkShape('nothing', 'N', [0]);
  });
});

describe('a ShapeError', () => {
  it('says the operation, the problem, both sides by letter and name, and a remedy', () => {
    const a = { axes: 'NCHW', shape: [6, 3, 4, 5], name: 'image' };
    const b = { axes: 'OCRS', shape: [8, 9, 3, 3] };
    const error = new ShapeError('conv2d', 'channels disagree', { input: a, weight: b, bias: null }, 'Look there.');
    expect(error.message).toBe(
      'conv2d: channels disagree.\n  input  N=6 C=3 H=4 W=5   (image)\n  weight O=8 C=9 R=3 S=3\n  Look there.',
    );
    expect(error.name).toBe('ShapeError');
    expect(error).toBeInstanceOf(Error);
  });
});

describe('broadcasting', () => {
  /** A shape over N C H W, and an operand that has some of its axes, some of them once. */
  const fitting = fc.tuple(
    fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 4, maxLength: 4 }),
    fc.array(fc.constantFrom('missing', 'once', 'whole'), { minLength: 4, maxLength: 4 }),
    fc.boolean(),
  );

  it('gives the larger shape, and strides that find the element', () => {
    fc.assert(
      fc.property(fitting, ([shape, kinds, swapped]) => {
        const kept = [0, 1, 2, 3].filter((i) => kinds[i] !== 'missing');
        const outer = { axes: 'NCHW', shape };
        const inner = {
          axes: kept.map((i) => 'NCHW'[i]).join(''),
          shape: kept.map((i) => (kinds[i] === 'once' ? 1 : shape[i])),
        };
        const joined = swapped ? broadcast('add', inner, outer) : broadcast('add', outer, inner);
        expect([joined.axes, joined.shape]).toEqual(['NCHW', shape]);
        const strides = swapped ? joined.aStrides : joined.bStrides;
        const index = shape.map((length) => length - 1);
        const last = index.reduce((position, i, axis) => position + i * strides[axis], 0);
        expect(last).toBe(sizeOf(inner.shape) - 1);
      }),
      { seed: 1, numRuns: 300 },
    );
  });

  it('lengthens either side', () => {
    const { shape, aStrides, bStrides } = broadcast(
      'add',
      { axes: 'NC', shape: [2, 1] },
      { axes: 'NC', shape: [1, 3] },
    );
    expect([shape, aStrides, bStrides]).toEqual([
      [2, 3],
      [1, 0],
      [0, 1],
    ]);
    expect(stridesWithin('NCHW', [2, 3, 4, 5], { axes: 'CW', shape: [3, 5] })).toEqual([0, 5, 0, 1]);
  });

  it('refuses lengths and letters that do not pair', () => {
    const a = { axes: 'NC', shape: [2, 3], name: 'a tensor' };
    expect(() => broadcast('multiply', a, { axes: 'C', shape: [4] })).toThrow(
      'multiply: axis C disagrees, 3 against 4.\n  a N=2 C=3   (a tensor)\n  b C=4',
    );
    expect(() => broadcast('multiply', a, { axes: 'H', shape: [3] })).toThrow(
      'multiply: axes "H" do not occur in this order in "NC".',
    );
    expect(() => broadcast('multiply', a, { axes: 'CN', shape: [3, 2] })).toThrow('do not occur in this order');
  });
});
