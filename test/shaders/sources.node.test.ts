/** The embedded shaders are those of the .wgsl files, and every entry point compiles, without any adapter. */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { create, globals } from 'webgpu';
// @ts-expect-error a script without types
import { embedShaders } from '../../scripts/embed-shaders.mjs';
import shaders from '../../src/shaders/sources.ts';

it('sources.ts is fresh', () => {
  expect(embedShaders() === readFileSync('src/shaders/sources.ts', 'utf8'), 'run `npm run shaders`').toBe(true);
});

/** What the operations append to a file that calls for it; any row of their tables will do. */
const appended: Record<string, string[]> = {
  unary: ['fn value(x : f32) -> f32 { return x; }', 'fn slope(x : f32) -> f32 { return x; }'],
  binary: ['fn combine(a : f32, b : f32) -> f32 { return a + b; }'],
  reduce: [
    shaders.special.code,
    'fn start(x : f32) -> vec2f { return vec2f(); }',
    'fn join(total : vec2f, x : vec2f) -> vec2f { return total + x; }',
  ],
  dropout: [shaders.philox.code],
  losses: [shaders.special.code],
  pool: [shaders.special.code],
  softmax: [shaders.special.code],
  'batch-norm': [
    'alias Value = vec4f; const WIDTH = 4u; fn sumOf(v : Value) -> f32 { return (v.x + v.y) + (v.z + v.w); }',
  ],
};

/** Needs a subgroup's lanes spelled out; the tests of conv2d compile it. */
const elsewhere = ['conv2d-strip'];

const entryPoints = Object.values(shaders)
  .filter(({ name }) => !elsewhere.includes(name))
  .flatMap(({ name, code }) =>
    [...code.matchAll(/@compute[^{]*?fn (\w+)/g)].map(([, entryPoint]) => ({ name, code, entryPoint })),
  );

describe('every entry point', () => {
  let gpu: GPU; // held here, because a collected one takes its device with it
  let device: GPUDevice;

  beforeAll(async () => {
    Object.assign(globalThis, globals);
    gpu = create(['backend=null']);
    const adapter = await gpu.requestAdapter();
    device = await adapter!.requestDevice();
  });

  afterAll(() => device.destroy());

  it('is found', () => expect(entryPoints.length).toBeGreaterThan(30));

  it.each(entryPoints.map((each) => [`${each.name}.${each.entryPoint}`, each] as const))(
    '%s compiles',
    async (_, each) => {
      device.pushErrorScope('validation');
      const code = [each.code, ...(appended[each.name] ?? [])].join('\n');
      const module = device.createShaderModule({ code });
      device.createComputePipeline({ layout: 'auto', compute: { module, entryPoint: each.entryPoint } });
      const problem = await device.popErrorScope();
      expect(problem?.message ?? '').toBe('');
    },
  );
});
