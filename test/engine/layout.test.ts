/** Tensors that are too large for one binding: kernels over several, which compute the same bits. */
import { describe, expect, it } from 'vitest';
import {
  add,
  BatchNorm2d,
  backward,
  Conv2d,
  concat,
  type Gpu,
  maxPool2d,
  mean,
  openGpu,
  parameter,
  StepRecorder,
  square,
  type Tensor,
  upload,
  upsample2x,
} from '../../src/engine/index.ts';
import { kernel } from '../../src/engine/kernel.ts';
import { laidOut } from '../../src/engine/layout.ts';
import shaders from '../../src/shaders/sources.ts';
import { testGpu } from '../support/gpu.ts';

const noise = Float32Array.from({ length: 2 * 8 * 32 * 32 }, (_, i) => ((i * 7919) % 1009) / 1009 - 0.4);

/** Loss and gradients of one level of a U-Net: two steps, the second from a recording. */
async function level(gpu: Gpu, afterFirst = () => {}) {
  const features = parameter(gpu, 'NCHW', [2, 8, 32, 32], noise, 'features');
  const norm = new BatchNorm2d(gpu, 8, { activation: 'relu' }).initialise(2);
  const joining = new Conv2d(gpu, 16, 8, { kernel: 3, padding: 1 }).initialise(3);
  const recorder = new StepRecorder(gpu);
  const step = () =>
    recorder.step('level', [], () => {
      const skip = norm.call(features);
      const output = joining.call(concat([skip, upsample2x(maxPool2d(skip, { size: 2 }))], 'C'));
      const loss = add(mean(square(output)), mean(output)) as Tensor<''>;
      backward(loss);
      return [loss, features.gradient!, norm.weight.gradient!, joining.weight.gradient!];
    });
  const first = await step();
  afterFirst();
  const results = [first, await step(), await step()].map((values) =>
    values.map((value) => Array.from([value].flat())),
  );
  recorder.dispose();
  features.release();
  for (const part of [norm, joining]) part.dispose();
  return results;
}

describe('a tensor that is larger than one binding', () => {
  it('is spread over several, and loss and gradients are the same bits', async () => {
    const expected = await level(await testGpu());
    // Activations are 2 x 8 x 32 x 32 floats, 64 KiB: two bindings; the joined channels are four.
    using spread = await openGpu({ largestBinding: 40_000 });
    const kernels = new Map<string, number>();
    spread.onCommand = (command) => {
      if (command.kind !== 'dispatch') return;
      const pieces = Object.keys(command.bound).filter((role) => /_\d$/.test(role)).length;
      kernels.set(command.name, Math.max(pieces, kernels.get(command.name) ?? 0));
    };
    const found = await level(spread, () => {
      spread.onCommand = null;
    });
    const pooling = spread.fuses ? 'pool.maxForwardNormalised' : 'pool.maxForward';
    const pieces = { 'batch-norm-4.gradInputOver': 4, 'box.copyRowsFours': 6, [pooling]: 2, 'square.backward': 6 };
    expect(Object.fromEntries(kernels)).toMatchObject(pieces);
    expect(found).toEqual(expected);
    expect(Math.abs(expected[0][0][0] as number)).toBeGreaterThan(0.01);
  }, 120_000);

  it('is refused in one sentence where the device has too few bindings', async () => {
    using gpu = await openGpu({ largestBinding: 256 });
    const large = async () =>
      gpu.step(() => {
        const x = upload(gpu, 'N', [4096], new Float32Array(4096));
        add(x, x);
      });
    await expect(large).rejects.toThrow(
      /^add.same: a of 0\.0156 MiB, b of 0\.0156 MiB, output of 0\.0156 MiB need 192 bindings of 0\.000244 MiB with what else it reads, and this device has \d+ at most; use a smaller batch or image/,
    );
    expect(gpu.stepOpen).toBe(false);
  });
});

describe('a kernel laid out anew', () => {
  const declared = `@group(0) @binding(0) var<storage, read> input : array<vec2f>;
@group(0) @binding(1) var<storage, read_write> total : array<f32>;\n`;
  const laid = (statement: string, pieces = 2) =>
    laidOut(
      kernel({ name: 'sample', code: `${declared}fn main() { ${statement} }` }, 'main'),
      new Map([
        ['input', { pieces }],
        ['total', { pieces }],
      ]),
      1024,
    ).code;

  it('reads and writes through functions that know the pieces', () => {
    const code = laid('total[i + u32(input[j[k]].x)] += input[k].y * total[0]; // input[9]');
    expect(code).toContain(
      'total_write(u32(i + u32(input_read(u32(j[k])).x)), total_read(u32(i + u32(input_read(u32(j[k])).x))) + ( input_read(u32(k)).y * total_read(u32(0))));',
    );
    expect(code).toContain(
      'fn input_read(i : u32) -> vec2f {\n  if (i < 128u) { return input_0[i]; }\n  return input_1[i - 128u];\n}',
    );
    expect(code.match(/@binding\((\d+)\)/g)).toEqual(['@binding(0)', '@binding(2)', '@binding(1)', '@binding(3)']);
    expect(laid('if (total[i] == 1.0) { let subtotal = total[1]; }')).toContain('if (total_read(u32(i)) == 1.0)');
  });

  it('reads halves as float32 and rounds what it writes', () => {
    const code = laidOut(
      kernel({ name: 'sample', code: `${declared}fn main() { total[1] = input[2].x; }` }, 'main'),
      new Map([
        ['input', { pieces: 1, half: true }],
        ['total', { pieces: 2, half: true }],
      ]),
      1024,
    ).code;
    expect(code).toMatch(/^enable f16;\n/);
    expect(code).toContain('var<storage, read> input_0 : array<vec2h>;');
    expect(code).toContain('return vec2f(input_0[i]);');
    expect(code).toContain('if (i < 512u) { total_0[i] = f16(value); return; }');
  });

  it('is refused where elements are needed in place', () => {
    for (const statement of ['atomicAdd(&total[0], 1);', 'total[0].x = 1.0;'])
      expect(() => laid(statement)).toThrow('sample.main: total is too large for one binding, and the shader needs');
  });

  it.each(Object.values(shaders).map(({ name, code }) => [name, code] as const))('%s can be', (name, code) => {
    const roles = [...code.matchAll(/var<storage, \w+> (\w+) : array<(\w+)>/g)].map(([, role]) => role);
    const alias = 'alias Value = vec4f;';
    const made = laidOut(
      kernel({ name, code }, 'forward', { append: [alias] }),
      new Map(roles.map((role) => [role, { pieces: 3 }])),
      256,
    );
    for (const role of roles) expect(made.code).not.toMatch(new RegExp(`(?<![\\w.])${role}\\s*\\[`));
  });
});
