import { describe, expect, expectTypeOf, it } from 'vitest';
import { add, openGpu, relu, scale, square, sum, type Tensor, upload } from '../../src/engine/index.ts';
import { testGpu } from '../support/gpu.ts';

describe('a step', () => {
  it('brings its results to the host in the form in which they were returned', async () => {
    const gpu = await testGpu();
    const results = await gpu.step(() => {
      const x = upload(gpu, 'NC', [1, 3], [1, -2, 3]);
      const total = sum(x);
      return { x, nested: { list: [relu(x), total], total }, note: 'kept', none: null, host: Float32Array.of(7) };
    });
    expectTypeOf(results.nested.total).toEqualTypeOf<number>();
    expectTypeOf(results.x).toEqualTypeOf<Float32Array>();
    expect(results).toEqual({
      x: Float32Array.of(1, -2, 3),
      nested: { list: [Float32Array.of(1, 0, 3), 2], total: 2 },
      note: 'kept',
      none: null,
      host: Float32Array.of(7),
    });
    expect(await gpu.step(() => sum(upload(gpu, 'N', [2], [1, 2])))).toBe(3);
    expect(await gpu.step(() => undefined)).toBe(undefined);
  });

  it('brings lasting tensors, too, and leaves them alive', async () => {
    const gpu = await testGpu();
    const weight = upload(gpu, 'N', [2], [1, 2]);
    expect(Array.from(await gpu.step(() => weight))).toEqual([1, 2]);
    expect(Array.from(await gpu.read(weight))).toEqual([1, 2]);
    const scalar = upload(gpu, '', [], [5]);
    expect(Array.from(await gpu.read(scalar))).toEqual([5]);
    weight.release();
    scalar.release();
  });

  it('can be recorded before the results of the one before have arrived', async () => {
    const gpu = await testGpu();
    const steps = [1, 2, 3, 4].map((k) =>
      gpu.step(() => sum(scale(square(upload(gpu, 'N', [1000], new Float32Array(1000).fill(k))), 1))),
    );
    expect(await Promise.all(steps)).toEqual([1000, 4000, 9000, 16000]);
  });

  it('does not nest', async () => {
    const gpu = await testGpu();
    const total = await gpu.step(() => {
      expect(() => gpu.step(() => null)).toThrow('gpu.step: a step is already open; steps do not nest.');
      return sum(upload(gpu, 'N', [2], [1, 2]));
    });
    expect(total, 'the outer step goes on').toBe(3);
  });

  it('must be synchronous: a compile error, and a sentence', async () => {
    const gpu = await testGpu();
    // @ts-expect-error an async body
    const asynchronous = async () => gpu.step(async () => null);
    await expect(asynchronous).rejects.toThrow('gpu.step: a step must be synchronous; await outside the step.');
    expect(gpu.stepOpen).toBe(false);
  });

  it('refuses a result that was given back', async () => {
    const gpu = await testGpu();
    const released = async () =>
      gpu.step(() => {
        const x = upload(gpu, 'N', [2], [1, 2], 'image');
        x.release();
        return x;
      });
    await expect(released).rejects.toThrow('the result of a step: image (N=2) was already given back');
  });

  it('is the only place for operations', async () => {
    const gpu = await testGpu();
    const x = upload(gpu, 'N', [2], [1, 2]);
    expect(() => add(x, x)).toThrow(
      /^add\.\w+: operations run inside gpu\.step\(\(\) => \{ \.\.\. \}\), and no step is open\.$/,
    );
    x.release();
  });
});

describe('a device', () => {
  it('says what went wrong on it', async () => {
    using gpu = await openGpu();
    const tooLarge = gpu.limits.maxBufferSize * 2;
    await expect(async () => {
      gpu.device.createBuffer({ size: tooLarge, usage: 0x80 });
      await gpu.settle();
    }).rejects.toThrow(gpu.description.name);
    await gpu.settle(); // told once
  });

  it('leaves features unused on demand', async () => {
    using gpu = await openGpu({ without: ['subgroups'] });
    expect(gpu.features.has('subgroups')).toBe(false);
    expect(gpu.subgroupLanes).toBe(null);
    expect(gpu.vectorLanes).toBe(gpu.description.software ? (/swiftshader/i.test(gpu.description.name) ? 4 : 8) : null);
  });

  it('can be closed twice', async () => {
    const gpu = await openGpu();
    gpu.destroy();
    gpu.destroy();
    gpu[Symbol.dispose]();
  });

  it('tells an observer of every tensor that an operation makes', async () => {
    const gpu = await testGpu();
    const seen: string[] = [];
    gpu.onTensor = ({ name }: Tensor) => seen.push(name);
    await gpu.step(() => sum(relu(upload(gpu, 'N', [2], [1, 2]))));
    gpu.onTensor = null;
    expect(seen).toEqual(['relu', 'sum']);
  });
});
