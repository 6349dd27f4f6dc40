import { describe, it } from 'vitest';
import * as engine from '../../../src/engine/index.ts';
import { parameter, scale, shift } from '../../../src/engine/index.ts';
import { elementwise } from '../../../src/reference/elementwise.ts';
import { draw, map, type Values, values } from '../../../src/reference/values.ts';
import { expectAllClose } from '../../support/all-close.ts';
import { testGpu } from '../../support/gpu.ts';
import { checkOperation } from '../../support/grad-check.ts';

const { relu, silu, sigmoid, exp, log, softplus, square, sqrt, reciprocal } = engine;
const operations = { relu, silu, sigmoid, exp, log, softplus, square, sqrt, reciprocal };

type Name = keyof typeof operations;
const names = Object.keys(operations) as Name[];

/** Inside the domain of an operation and away from its kinks and poles. */
function domain(name: Name, shape: readonly number[]): Values<'NC'> {
  if (name === 'log' || name === 'sqrt' || name === 'reciprocal') return draw('NC', shape, { low: 0.1, high: 3 });
  return map(draw('NC', shape, { low: -3, high: 3 }), (x) => (Math.abs(x) < 0.05 ? x + 0.125 : x));
}

describe.each(names)('%s', (name) => {
  it.each([1, 5, 513, 4097])('of %i elements', (size) =>
    checkOperation(
      { x: domain(name, [1, size]) },
      ({ x }) => operations[name](x),
      ({ x }) => map(x, elementwise[name]),
    ),
  );
});

describe('far out', () => {
  const x = values('N', [8], [-100, -89, -50, -20, 20, 50, 89, 100]);

  it.each(['sigmoid', 'silu', 'softplus', 'relu'] as const)('%s is finite and right at +-100', (name) =>
    checkOperation(
      { x },
      ({ x }) => operations[name](x),
      ({ x }) => map(x, elementwise[name]),
      { elements: 8 },
    ),
  );

  it('softplus keeps the digits of exp(x) where 1 + exp(x) would lose them', async () => {
    const gpu = await testGpu();
    const points = [-30, -20, -17, -10];
    const { y } = await gpu.step(() => ({ y: engine.softplus(engine.shift(tensorOf(points), 0)) }));
    points.forEach((point, i) => {
      expectAllClose(y[i], elementwise.softplus(point), `softplus(${point})`, { absolute: 0, relative: 1e-5 });
    });

    function tensorOf(data: number[]) {
      return engine.upload(gpu, 'N', [data.length], data);
    }
  });
});

describe('with a parameter', () => {
  it('scale multiplies by a number of the host', () =>
    checkOperation(
      { x: draw('NC', [3, 171]) },
      ({ x }) => scale(x, -2.5),
      ({ x }) => map(x, (value) => value * -2.5),
    ));

  it('shift adds a number of the host', () =>
    checkOperation(
      { x: draw('NC', [3, 171]) },
      ({ x }) => shift(x, 0.75),
      ({ x }) => map(x, (value) => value + 0.75),
    ));
});

describe('at the edges of slopes', () => {
  it('relu has slope 0 at 0', async () => {
    const gpu = await testGpu();
    const x = parameter(gpu, 'N', [3], Float32Array.of(-0, 0, 1e-30), 'x');
    const { slope } = await gpu.step(() => {
      const [gradient] = engine.gradients(engine.relu(x), [x], engine.upload(gpu, 'N', [3], [1, 1, 1]));
      return { slope: gradient as engine.Tensor<'N'> };
    });
    expectAllClose(slope, [0, 0, 1], 'slope', { absolute: 0, relative: 0 });
    x.release();
  });
});

it('spreads more elements than one row of workgroups holds', async () => {
  const gpu = await testGpu();
  const size = 65_536 * 512; // one row is 65,535 workgroups of 512; a device binds 128 MiB at least
  const { ends } = await gpu.step(() => {
    const x = engine.expand(engine.upload(gpu, 'C', [1], [3]), 'C', [size]);
    const y = engine.square(x);
    x.release();
    const pieces = [0, 32_768 * 512, size - 1].map((at) => engine.slice(y, { C: [at, at + 1] }));
    y.release();
    return { ends: pieces };
  });
  for (const end of ends) expectAllClose(end, [9], 'element', { absolute: 0, relative: 0 });
  gpu.trim();
});
