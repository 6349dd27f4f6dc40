/**
 * Holds an operation on the device to its float64 reference: the values element by element, the gradients by finite differences.
 *
 *     await checkOperation({ x: draw('NC', [3, 5]) }, ({ x }) => relu(x), ({ x }) => map(x, elementwise.relu));
 *
 * With L(x) = sum(reference(x) * upstream) for random upstream and a step of h = 1e-5,
 *
 *     sum_i g_i d_i = (L(x + h d) - L(x - h d)) / 2 h
 *
 * for directions d that are all of +-1 (one wrong element anywhere changes the left side) and for single elements (which say where).
 */
import { expect } from 'vitest';
import { type Gpu, gradients, parameter, type Tensor, upload } from '../../src/engine/index.ts';
import { deriveKey, uint32At, uniform } from '../../src/engine/random.ts';
import type { Values } from '../../src/reference/values.ts';
import { expectAllClose, OPERATION, type Tolerance } from './all-close.ts';
import { testGpu } from './gpu.ts';

type Inputs = Readonly<Record<string, Values>>;
type OnDevice<I extends Inputs> = { readonly [Role in keyof I]: I[Role] extends Values<infer A> ? Tensor<A> : never };

export interface CheckOptions<I extends Inputs> {
  readonly tolerance?: Tolerance;
  readonly gradientTolerance?: Tolerance;
  /** Inputs that get no gradient. */
  readonly constant?: readonly (keyof I)[];
  /** The reference's own gradients; compared element by element instead of by finite differences. */
  readonly gradients?: (inputs: I, upstream: Values) => { readonly [Role in keyof I]?: Values };
  /** Another device than the test file's own. */
  readonly gpu?: Gpu;
  /** Random directions, and single elements, along which each gradient is checked. */
  readonly directions?: number;
  readonly elements?: number;
}

const STEP = 1e-5;

export async function checkOperation<const I extends Inputs>(
  inputs: I,
  device: (tensors: OnDevice<I>) => Tensor,
  reference: (inputs: I) => Values,
  options: CheckOptions<I> = {},
): Promise<void> {
  const { tolerance = OPERATION, gradientTolerance = tolerance, constant = [] } = options;
  const expected = reference(inputs);
  const upstream = randomLike(expected);
  const active = Object.keys(inputs).filter((role) => !constant.includes(role));
  const gpu = options.gpu ?? (await testGpu());
  const got = await onDevice(gpu, inputs, device, upstream, active);
  expect([got.axes, got.shape], 'axes and shape of the output').toEqual([expected.axes, expected.shape]);
  expectAllClose(got.output, expected.data, 'output', tolerance);
  const known = options.gradients?.(inputs, upstream);
  active.forEach((role, i) => {
    const gradient = got.gradients[i];
    const exact = known?.[role as keyof I];
    if (exact) expectAllClose(gradient, exact.data, `gradient of ${role}`, gradientTolerance);
    else checkByDifferences(inputs, role, gradient, reference, upstream, gradientTolerance, options);
  });
}

async function onDevice<I extends Inputs>(
  gpu: Gpu,
  inputs: I,
  device: (tensors: OnDevice<I>) => Tensor,
  upstream: Values,
  active: readonly string[],
) {
  const tensors: Record<string, Tensor> = {};
  for (const [role, { axes, shape, data }] of Object.entries(inputs)) {
    const make = active.includes(role) ? parameter : upload;
    tensors[role] = make(gpu, axes, shape, Float32Array.from(data), role);
  }
  let made = { axes: '', shape: [] as readonly number[] };
  const results = await gpu.step(() => {
    const output = device(tensors as OnDevice<I>);
    made = { axes: output.axes, shape: output.shape };
    const seed = upload(gpu, output.axes, output.shape, Float32Array.from(upstream.data), 'upstream');
    const targets = active.map((role) => tensors[role]);
    return { output: output as Tensor<'C'>, gradients: gradients(output, targets, seed) as Tensor<'C'>[] };
  });
  for (const tensor of Object.values(tensors)) tensor.release();
  return { ...results, ...made };
}

function checkByDifferences<I extends Inputs>(
  inputs: I,
  role: string,
  gradient: ArrayLike<number> | number,
  reference: (inputs: I) => Values,
  upstream: Values,
  { absolute, relative }: Tolerance,
  { directions = 2, elements = 4 }: CheckOptions<I>,
): void {
  const got = typeof gradient === 'number' ? [gradient] : Array.from(gradient);
  const { data } = inputs[role];
  expect(got.length, `gradient of ${role}: number of elements`).toBe(data.length);
  const key = deriveKey(3, role);
  const loss = (moved: Float64Array) => {
    const output = reference({ ...inputs, [role]: { ...inputs[role], data: moved } });
    return output.data.reduce((total, value, i) => total + value * upstream.data[i], 0);
  };
  const slope = (direction: (i: number) => number) => {
    const ahead = loss(data.map((x, i) => x + STEP * direction(i)));
    return (ahead - loss(data.map((x, i) => x - STEP * direction(i)))) / (2 * STEP);
  };
  const allowed = absolute + relative * got.reduce((largest, g) => Math.max(largest, Math.abs(g)), 0);
  for (let k = 0; k < directions; k++) {
    const direction = (i: number) => (uint32At(key, i, k) & 1 ? 1 : -1);
    const along = got.reduce((total, g, i) => total + g * direction(i), 0);
    // Rounding errors of different elements are independent, so their sum grows as a square root.
    expectAllClose(along, slope(direction), `gradient of ${role} along random direction ${k}`, {
      absolute: allowed * Math.sqrt(got.length),
      relative: 1e-7,
      approximate: true,
    });
  }
  for (let k = 0; k < Math.min(elements, got.length); k++) {
    const element = elements >= got.length ? k : uint32At(key, k, 0xffff) % got.length;
    const single = slope((i) => (i === element ? 1 : 0));
    expectAllClose(got[element], single, `gradient of ${role} by element ${element}`, {
      absolute: allowed,
      relative: 1e-7,
      approximate: true,
    });
  }
}

function randomLike({ axes, shape, data }: Values): Values {
  return { axes, shape, data: Float64Array.from(uniform(data.length, -1, 1, deriveKey(4, `upstream ${shape}`))) };
}
