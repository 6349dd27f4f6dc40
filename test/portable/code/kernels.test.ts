import { describe, expect, it } from 'vitest';
import { run } from '../../support/portable.ts';

const IO = `
@group(0) @binding(0) var<storage, read> input : array<u32>;
@group(0) @binding(1) var<storage, read_write> output : array<u32>;
`;
const MAIN = '@compute @workgroup_size(8) fn main(@builtin(global_invocation_id) id : vec3u)';
const count = (length: number) => Uint32Array.from({ length }, (_, i) => i);

/** The body computes `result` from `x`, an input; what it gives for each. */
async function mapped(body: string, input: Uint32Array, functions = ''): Promise<number[]> {
  const code = `${IO}${functions}${MAIN} { let x = input[id.x]; var result = 0u; ${body} output[id.x] = result; }`;
  const [, output] = await run({ code, buffers: [input, new Uint32Array(input.length)], groups: [input.length / 8] });
  return [...output];
}

describe('control flow that parts the lanes', () => {
  it('breaks, goes on and returns lane by lane', async () => {
    const body = `
      for (var i = 0u; i < 20u; i++) {
        if (i % 3u == x % 3u) { continue; }
        if (i > x) { break; }
        result += i + 1u;
      }
      result = found(x, result);`;
    const functions = `
      fn found(x : u32, seed : u32) -> u32 {
        var sum = seed;
        for (var k = 0u; k < 9u; k++) {
          if (sum > 100u) { return 7u; }
          if (k == x) { return sum; }
          sum += k;
        }
        return 1000u + sum;
      }`;
    const expected = [...count(16)].map((x) => {
      let result = 0;
      for (let i = 0; i < 20; i++) {
        if (i % 3 === x % 3) continue;
        if (i > x) break;
        result += i + 1;
      }
      for (let k = 0; k < 9; k++) {
        if (result > 100) return 7;
        if (k === x) return result;
        result += k;
      }
      return 1000 + result;
    });
    expect(await mapped(body, count(16), functions)).toEqual(expected);
  });

  it('keeps what a variable was in lanes that are not active', async () => {
    const body =
      'result = 5u; if (x > 3u) { result += x; if (x % 2u == 0u) { result *= 2u; } else { result = 1u; } } else { result -= 1u; }';
    const expected = [...count(8)].map((x) => (x > 3 ? (x % 2 === 0 ? 2 * (5 + x) : 1) : 4));
    expect(await mapped(body, count(8))).toEqual(expected);
  });
});

describe('integers', () => {
  const edge = Uint32Array.of(0, 1, 2, 7, 0x7fffffff, 0x80000000, 0x80000001, 0xffffffff);
  const divisors = [0, 1, 3, 7, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff];

  it.each(divisors)('divided by %d, which may be known, uniform or one for each lane', async (d) => {
    const unsigned = [...edge].map((x) => (d === 0 ? [x, 0] : [Math.floor(x / d), x % d]));
    const signed = [...edge].map((word) => {
      const [x, y] = [word | 0, d | 0];
      if (y === 0 || (x === -(2 ** 31) && y === -1)) return [x >>> 0, 0];
      return [Math.trunc(x / y) >>> 0, (x % y) >>> 0];
    });
    const each = async (divisor: string, type: string, part: number) =>
      mapped(`let y = ${divisor}; result = bitcast<u32>(bitcast<${type}>(x) ${'/%'[part]} bitcast<${type}>(y));`, edge);
    const known = `${d}u`;
    for (const divisor of [
      d === 0 ? 'input[0]' : known,
      `input[0] + ${known}`,
      `select(${known}, 1u, x > 0xffffffffu)`,
    ]) {
      for (const part of [0, 1]) {
        expect(await each(divisor, 'u32', part), `${divisor} ${part}`).toEqual(unsigned.map((both) => both[part]));
        expect(await each(divisor, 'i32', part), `${divisor} ${part} signed`).toEqual(signed.map((both) => both[part]));
      }
    }
  });

  it('shift, wrap and compare', async () => {
    const body = 'result = ((x << (x & 31u)) ^ (x * 2654435761u)) + u32(i32(x) < 0) + u32(x > 5u) - (x >> (x % 5u));';
    const expected = [...edge].map((x) => {
      const sum =
        ((x << (x & 31)) ^ Math.imul(x, 2654435761)) + ((x | 0) < 0 ? 1 : 0) + (x > 5 ? 1 : 0) - (x >>> (x % 5));
      return sum >>> 0;
    });
    expect(await mapped(body, edge)).toEqual(expected);
  });
});

describe('memory', () => {
  it('has arrays of a function that are indexed by what only the run knows', async () => {
    const body =
      'var a = array<vec2u, 4>(); for (var i = 0u; i < 4u; i++) { a[i] = vec2u(i * 10u, x); } a[x % 4u].x += 1u; result = a[x % 4u].x + a[3].y;';
    expect(await mapped(body, count(8))).toEqual([...count(8)].map((x) => (x % 4) * 10 + 1 + x));
  });

  it('clamps every index to its binding, so that no other is reached', async () => {
    const code = `${IO}${MAIN} { output[id.x * 3u + 1u] = input[id.x * 1000u] + input[0xffffffffu - id.x]; }`;
    const buffers = [count(8), new Uint32Array(5), new Uint32Array(64)];
    const [input, output, other] = await run({ code, buffers });
    expect([...input]).toEqual([...count(8)]);
    expect(output[1]).toBe(7);
    expect(output[4]).toBe(14);
    expect(other.every((word) => word === 0)).toBe(true);
  });

  it('of a workgroup passes barriers between several subgroups, and is zero at first', async () => {
    const code = `${IO}
      const LANES = 32u;
      var<workgroup> partial : array<u32, LANES>;
      fn total(lane : u32, value : u32) -> u32 {
        partial[lane] += value;
        workgroupBarrier();
        for (var half = LANES / 2u; half > 0u; half /= 2u) {
          if (lane < half) { partial[lane] += partial[lane + half]; }
          workgroupBarrier();
        }
        let sum = partial[0];
        workgroupBarrier();
        partial[lane] = 0u;
        return sum;
      }
      @compute @workgroup_size(LANES)
      fn main(@builtin(workgroup_id) group : vec3u, @builtin(local_invocation_index) lane : u32) {
        if (group.x == 2u) { return; }
        let x = input[group.x * LANES + lane];
        let sum = total(lane, x);
        let squares = total(lane, x * x) + sum;
        output[group.x * LANES + lane] = squares - x;
      }`;
    const input = count(96);
    const [, output] = await run({ code, buffers: [input, new Uint32Array(96)], groups: [3] });
    const expected = [...input].map((x, i) => {
      const group = input.subarray(32 * Math.floor(i / 32), 32 * Math.floor(i / 32) + 32);
      return i >= 64 ? 0 : group.reduce((sum, y) => sum + y + y * y, 0) - x;
    });
    expect([...output]).toEqual(expected);
  });

  it('atomics count every lane that is active', async () => {
    const code = `@group(0) @binding(0) var<storage, read_write> sums : array<atomic<u32>>;
      ${MAIN} { if (id.x % 3u == 0u) { let before = atomicAdd(&sums[0], id.x); atomicMax(&sums[1], id.x + 0u * before); } atomicOr(&sums[id.x % 2u + 2u], 1u << id.x); }`;
    const [sums] = await run({ code, buffers: [new Uint32Array(4)], groups: [2] });
    expect([...sums]).toEqual([0 + 3 + 6 + 9 + 12 + 15, 15, 0x5555, 0xaaaa]);
  });

  it('broadcasts a lane to its subgroup of four', async () => {
    const code = `enable subgroups;${IO}
      @compute @workgroup_size(8) fn main(@builtin(local_invocation_index) i : u32) {
        output[i] = subgroupBroadcast(input[i], 2u) * 100u + subgroupBroadcastFirst(input[i]);
      }`;
    const [, output] = await run({ code, buffers: [count(8), new Uint32Array(8)] });
    expect([...output]).toEqual([200, 200, 200, 200, 604, 604, 604, 604]);
  });
});

describe('what is refused, with its place', () => {
  it.each([
    ['let a = 1u + 1i;', '3:36 expected u32 and found i32'],
    ['let a = unknown(1u);', 'the function "unknown" is not known'],
    ['let a = b;', 'unknown name "b"'],
    ['input[0] = 1u;', 'this is read only'],
    ['if (x) { }', 'expected bool and found u32'],
    ['let a = array<u32, 2>(); let b = a[2];', 'index 2 lies outside of array<u32, 2>'],
    ['let a = vec3f(1.0).w;', 'vec3<f32> has no "w"'],
    ['result = 1.0;', 'expected u32 and found a decimal number'],
    ['let a = x / 0u;', ''],
  ])('%s', async (body, message) => {
    const attempt = mapped(body, count(8));
    if (message) await expect(attempt).rejects.toThrow(message.replace(/^\d+:\d+ /, ''));
    else expect(await attempt).toHaveLength(8);
  });

  it('a barrier that not all invocations come to', async () => {
    const code = `${IO}${MAIN} { if (input[id.x] > 3u) { workgroupBarrier(); } output[id.x] = 1u; }`;
    await expect(run({ code, buffers: [count(8), count(8)] })).rejects.toThrow(
      /^\d+:\d+ a barrier stands where not all/,
    );
  });

  it('a missing or too small binding, an override that is not there', async () => {
    const code = `@group(0) @binding(0) var<storage, read_write> output : array<vec4f>; ${MAIN} { output[id.x] = vec4f(1.0); }`;
    await expect(run({ code, buffers: [] })).rejects.toThrow('nothing is bound to 0');
    await expect(run({ code, buffers: [new Float32Array(3)] })).rejects.toThrow('has 12 bytes and needs 16 at least');
    await expect(run({ code, buffers: [new Float32Array(4)], constants: { N: 1 } })).rejects.toThrow(
      'there is no override "N"',
    );
  });
});
