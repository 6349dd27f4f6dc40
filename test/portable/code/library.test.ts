import { describe, expect, it } from 'vitest';
import { halfToNumber } from '../../../src/engine/safetensors-tensor.ts';
import { asFloats, run } from '../../support/portable.ts';

const kernel = (expression: string) => `
@group(0) @binding(0) var<storage, read> input : array<f32>;
@group(0) @binding(1) var<storage, read_write> output : array<f32>;
@compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id : vec3u) { let x = input[id.x]; output[id.x] = ${expression}; }`;

/** Every 9,973th bit pattern, and those at the edges. */
function numbers(): Float32Array {
  const edges = [
    0, 0x80000000, 1, 0x80000001, 0x7fffff, 0x800000, 0x7f7fffff, 0x7f800000, 0xff800000, 0x7fc00000, 0x3f800000,
    0xbf800000,
  ];
  const bits = new Uint32Array(64 * 6800);
  for (let i = 0; i < bits.length; i++) bits[i] = i < edges.length ? edges[i] : i * 9973;
  return new Float32Array(bits.buffer);
}

async function computed(expression: string, input: Float32Array): Promise<Float32Array> {
  const [, output] = await run({
    code: kernel(expression),
    buffers: [input, new Float32Array(input.length)],
    groups: [input.length / 64],
  });
  return asFloats(output);
}

/** Units in the last place of the nearest float32. */
function ulps(value: number, exact: number): number {
  const nearest = Math.fround(exact);
  if (Object.is(value, nearest) || value === nearest || (Number.isNaN(value) && Number.isNaN(exact))) return 0;
  if (!Number.isFinite(nearest) || !Number.isFinite(value)) return Number.POSITIVE_INFINITY;
  const exponent = Math.max(-126, Math.floor(Math.log2(Math.abs(exact))));
  return Math.abs(value - exact) / 2 ** (exponent - 23);
}

describe('functions are within 2 ulp of float64 over all float32', () => {
  it.each([
    ['exp', Math.exp],
    ['log', Math.log],
    ['sqrt', Math.sqrt],
  ] as const)('%s', async (name, exact) => {
    const input = numbers();
    const output = await computed(`${name}(x)`, input);
    let worst = 0;
    let where = 0;
    input.forEach((x, i) => {
      const error = ulps(output[i], exact(x));
      if (error > worst) [worst, where] = [error, x];
    });
    expect(worst, `at ${where}`).toBeLessThanOrEqual(name === 'sqrt' ? 0.5 : 2);
  });
});

it('float16 is rounded to the nearest, ties to even, subnormal numbers and infinity included', async () => {
  const halves = Float32Array.from({ length: 1024 }, (_, i) => halfToNumber((i * 31) & 0x7bff));
  const above = halves.map((x, i) => x * (1 + 2 ** -13 * ((i % 3) - 1)));
  const exact = await computed('quantizeToF16(x)', halves);
  expect([...exact]).toEqual([...halves]);
  const rounded = await computed('quantizeToF16(x)', above);
  // A number within a quarter of a step of a half is rounded to it.
  rounded.forEach((x, i) => {
    if (halves[i] >= 2 ** -14) expect(x).toBe(halves[i]);
  });
  const [ties] = [await computed('quantizeToF16(x)', new Float32Array(64).fill(1 + 2 ** -11))];
  expect(ties[0]).toBe(1);
});
