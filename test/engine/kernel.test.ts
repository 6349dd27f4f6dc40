import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { conv2d, type Gpu, openGpu, ShaderError, upload } from '../../src/engine/index.ts';
import { dispatch, type Kernel, kernel, linearGroups, readDeclarations } from '../../src/engine/kernel.ts';
import { empty } from '../../src/engine/tensor.ts';
import shaders from '../../src/shaders/sources.ts';
import { expectAllClose } from '../support/all-close.ts';
import { testGpu } from '../support/gpu.ts';

const source = {
  name: 'fill',
  code: `
struct Extent {
  count : u32, first : i32, // two on a line
  factor : f32,
}
@group(0) @binding(0) var<uniform> extent : Extent;
@group(0) @binding(3) var<storage, read_write> output : array<f32>;
override STEP : f32 = 1.0;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id : vec3u) {
  if (id.x < extent.count) {
    output[id.x] = (f32(extent.first) + f32(id.x) * STEP) * extent.factor;
  }
}`,
};
const stepping = (STEP: number) => kernel(source, 'main', { constants: { STEP } });
const fill = stepping(2);

describe('declarations', () => {
  it('are read from the text', () => {
    const { bindings, uniform } = readDeclarations(fill.code);
    expect([...bindings]).toEqual([['output', 3]]);
    expect(uniform).toEqual({
      name: 'extent',
      binding: 0,
      fields: [
        { name: 'count', type: 'u32' },
        { name: 'first', type: 'i32' },
        { name: 'factor', type: 'f32' },
      ],
    });
  });

  it.each(Object.values(shaders).map(({ name, code }) => [name, code] as const))('of %s are all found', (_, code) => {
    const { bindings, uniform } = readDeclarations(code);
    const declared = code.match(/@binding\(/g)?.length ?? 0;
    expect(bindings.size + (uniform ? 1 : 0)).toBe(declared);
    if (!uniform) return;
    // Every member of the struct is a 32-bit scalar: the host writes them one after another, without padding.
    const type = new RegExp(`var<uniform> ${uniform.name} : (\\w+);`).exec(code)?.[1];
    const body = new RegExp(`struct ${type} \\{([^}]*)\\}`).exec(code)?.[1] ?? '';
    const members = body.replace(/\/\/.*$/gm, '').match(/\w+\s*:/g) ?? [];
    expect(uniform.fields.length).toBe(members.length);
  });
});

describe('dispatching', () => {
  it('passes bindings and uniforms by name, and constants', async () => {
    const gpu = await testGpu();
    const output = await gpu.step(() => {
      const made = empty(gpu, 'N', [70], 'filled');
      dispatch(gpu, fill, { output: made }, { factor: 0.5, count: 70, first: -3 }, [2]);
      return made;
    });
    expectAllClose(
      output,
      Array.from({ length: 70 }, (_, i) => (-3 + 2 * i) / 2),
      'filled',
    );
  });

  it('names a uniform or a binding that is missing', async () => {
    const gpu = await testGpu();
    const output = upload(gpu, 'N', [1], [0]);
    const uniforms = { count: 1, first: 0, factor: 1 };
    const attempt = (bindings: Record<string, typeof output>, values: Record<string, number>) =>
      expect(async () => gpu.step(() => dispatch(gpu, fill, bindings, values, [1]))).rejects;
    await attempt({ output }, { count: 1, factor: 1 }).toThrow('fill.main: uniform "first" was not given.');
    await attempt({ output, input: output }, uniforms).toThrow('fill.main: the shader has no binding "input".');
    output.release();
  });

  it('leaves out a dispatch of nothing, and refuses one of too much', async () => {
    const gpu = await testGpu();
    const output = upload(gpu, 'N', [1], [42]);
    const uniforms = { count: 1, first: 0, factor: 1 };
    const limit = gpu.limits.maxComputeWorkgroupsPerDimension;
    const run = (x: number) => gpu.step(() => dispatch(gpu, fill, { output }, uniforms, [x]));
    await run(0);
    expect(Array.from(await gpu.read(output))).toEqual([42]);
    await expect(async () => run(limit + 1)).rejects.toThrow(
      `fill.main: ${limit + 1} x 1 x 1 workgroups are more than this device's ${limit} along one axis`,
    );
    output.release();
  });

  it('compiles once for all image sizes', async () => {
    const gpu = await testGpu();
    const at = (H: number, W: number) =>
      gpu.step(() => {
        const image = upload(gpu, 'NCHW', [1, 2, H, W], new Float32Array(2 * H * W));
        const weight = upload(gpu, 'OCRS', [3, 2, 5, 5], new Float32Array(150));
        return conv2d(image, weight, null, { padding: 2 });
      });
    await at(9, 9); // below 64 positions a processor's kernel has fewer a thread
    const { pipelineCount } = gpu.kernels;
    await at(7, 30);
    await at(1, 90);
    expect(gpu.kernels.pipelineCount).toBe(pipelineCount);
  });

  it('keeps so many bind groups and no more, and computes the same with new ones', async () => {
    const gpu = await testGpu();
    const output = empty(gpu, 'N', [1], 'output');
    const write = async (first: number) => {
      await gpu.step(() => dispatch(gpu, fill, { output }, { count: 1, first, factor: 1 }, [1]));
      return gpu.read(output);
    };
    const { bindGroupCount, bindGroupLimit } = gpu.kernels;
    gpu.kernels.bindGroupLimit = bindGroupCount + 3;
    const counts: number[] = [];
    for (const first of [101, 102, 103, 103, 104, 101]) {
      expect(Array.from(await write(first))).toEqual([first]);
      counts.push(gpu.kernels.bindGroupCount - bindGroupCount);
    }
    gpu.kernels.bindGroupLimit = bindGroupLimit;
    expect(counts).toEqual([1, 2, 3, 3, 1 - bindGroupCount, 2 - bindGroupCount]);
    output.release();
  });
});

describe('pipelines that are made ahead', () => {
  /** 0, STEP, 2 STEP */
  const filled = (gpu: Gpu, how: Kernel) =>
    gpu.step(() => {
      const made = empty(gpu, 'N', [3], 'filled');
      dispatch(gpu, how, { output: made }, { factor: 1, count: 3, first: 0 }, [1]);
      return made;
    });

  it('are found by dispatches, each made once', async () => {
    const gpu = await testGpu();
    const { pipelineCount } = gpu.kernels;
    const [three, five] = [stepping(3), stepping(5)];
    await gpu.prepare([three, five, stepping(3)]);
    expect(gpu.kernels.pipelineCount).toBe(pipelineCount + 2);
    const { pipeline } = gpu.kernels.pipeline(three);
    await gpu.prepare([three]);
    expect(gpu.kernels.pipeline(three).pipeline).toBe(pipeline);
    expect(Array.from(await filled(gpu, three))).toEqual([0, 3, 6]);
    expect(Array.from(await filled(gpu, five))).toEqual([0, 5, 10]);
    expect(gpu.kernels.pipelineCount).toBe(pipelineCount + 2);
    expect(gpu.kernels.compiled).toEqual(expect.arrayContaining([three, five]));
  });

  it('may be asked for by a dispatch or once more while they are in flight', async () => {
    const gpu = await testGpu();
    const { pipelineCount } = gpu.kernels;
    const [seven, eleven] = [stepping(7), stepping(11)];
    const preparing = Promise.all([gpu.prepare([seven, eleven]), gpu.prepare([eleven])]);
    const first = filled(gpu, seven);
    const { pipeline } = gpu.kernels.pipeline(seven);
    await preparing;
    expect(gpu.kernels.pipeline(seven).pipeline, 'its bind groups go with it').toBe(pipeline);
    expect(Array.from(await first)).toEqual([0, 7, 14]);
    expect(Array.from(await filled(gpu, seven))).toEqual([0, 7, 14]);
    expect(Array.from(await filled(gpu, eleven))).toEqual([0, 11, 22]);
    expect(gpu.kernels.pipelineCount).toBe(pipelineCount + 2);
  });

  it.each([
    ['text', 'fn main( {'],
    ['entry point', '@compute @workgroup_size(1) fn other() {}'],
  ])('are refused by the sentence of a first use, and the others are there: %s', async (_, code) => {
    const gpu = await testGpu();
    const broken = kernel({ name: 'broken ahead', code }, 'main');
    const good = stepping(13);
    const told = async (work: () => Promise<unknown>) => {
      const error: unknown = await work().catch((error: unknown) => error);
      expect(error).toBeInstanceOf(ShaderError);
      return (error as Error).message;
    };
    const first = await told(async () => gpu.step(() => dispatch(gpu, broken, {}, {}, [1])));
    expect(first).toMatch(/does not compile the shader broken ahead\.main \(.+\); update its driver/);
    for (let i = 0; i < 2; i++) expect(await told(() => gpu.prepare([broken, good]))).toBe(first);
    const { pipelineCount } = gpu.kernels;
    expect(Array.from(await filled(gpu, good))).toEqual([0, 13, 26]);
    expect(gpu.kernels.pipelineCount).toBe(pipelineCount);
  });

  it('end with a device that is closed or lost meanwhile', async () => {
    const kernels = [17, 19, 23].map(stepping);
    const closed = await openGpu();
    const preparing = closed.prepare(kernels);
    closed.destroy();
    await expect(preparing).rejects.toThrow('the device is closed; open another with openGpu().');
    expect(closed.kernels.pipelineCount).toBe(0);
    await expect(closed.prepare(kernels)).rejects.toThrow('the device is closed');
    using lost = await openGpu();
    const under = lost.prepare(kernels).catch(({ name }: Error) => expect(name).toBe('DeviceLostError'));
    lost.device.destroy();
    await under;
    await lost.device.lost;
    await expect(lost.prepare(kernels)).rejects.toThrow('the device was lost');
  });
});

describe('linearGroups', () => {
  it('covers every item within the limits of both axes, and wastes less than a row', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 31 }), fc.constantFrom(64, 256, 512), (count, perGroup) => {
        const [x, y] = linearGroups(count, perGroup);
        expect(x * y * perGroup).toBeGreaterThanOrEqual(count);
        expect(Math.max(x, y)).toBeLessThanOrEqual(65535);
        expect(x * y - Math.ceil(count / perGroup)).toBeLessThan(Math.max(1, y));
      }),
      { seed: 1, numRuns: 500 },
    );
    expect(linearGroups(0, 64)[0]).toBe(0);
    expect(linearGroups(65_535 * 64, 64)).toEqual([65_535, 1]);
    expect(linearGroups(65_535 * 64 + 1, 64)).toEqual([32_768, 2]);
  });
});
