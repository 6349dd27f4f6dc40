import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as engine from '../../src/engine/index.ts';
import { Adam, BatchNorm2d, backward, Conv2d, crossEntropy, Dropout, Linear, upload } from '../../src/engine/index.ts';
import { BufferPool, sizeClass } from '../../src/engine/memory.ts';
import { draw } from '../../src/reference/values.ts';
import { testGpu } from '../support/gpu.ts';

describe('sizeClass', () => {
  const bytes = fc.integer({ min: 1, max: 2 ** 34 });

  it('holds what is asked, wastes an eighth at most, and is its own class', () => {
    fc.assert(
      fc.property(bytes, (asked) => {
        const given = sizeClass(asked);
        expect(given).toBeGreaterThanOrEqual(asked);
        expect(given % 256).toBe(0);
        expect(given - asked).toBeLessThanOrEqual(Math.max(255, asked / 8));
        expect(sizeClass(given)).toBe(given);
      }),
      { seed: 1, numRuns: 1000 },
    );
  });

  it('never falls', () => {
    fc.assert(
      fc.property(bytes, bytes, (a, b) => {
        expect(sizeClass(Math.min(a, b))).toBeLessThanOrEqual(sizeClass(Math.max(a, b)));
      }),
      { seed: 2, numRuns: 1000 },
    );
  });

  it('has eight classes an octave', () => {
    const classes = new Set<number>();
    for (let asked = 2 ** 20 + 1; asked <= 2 ** 21; asked += 1000) classes.add(sizeClass(asked));
    expect(classes.size).toBe(8);
    expect(sizeClass(0)).toBe(256);
  });
});

describe('the pool', () => {
  const makePool = () => {
    let destroyed = 0;
    const device = { createBuffer: () => ({ destroy: () => destroyed++ }) };
    return { pool: new BufferPool(device as unknown as GPUDevice), destroyed: () => destroyed };
  };

  it('hands a buffer out again once all its holders have given it back', () => {
    const { pool } = makePool();
    const first = pool.acquire(1000);
    first.hold();
    first.release();
    expect(pool.acquire(1000)).not.toBe(first);
    first.release();
    expect(pool.acquire(1000)).toBe(first);
    expect(pool.acquire(5000)).not.toBe(first);
  });

  it('does not give a buffer that the open step has used to an upload', () => {
    const { pool } = makePool();
    pool.openStep();
    const used = pool.acquire(1000);
    used.release();
    const forUpload = pool.acquire(1000, 'upload');
    expect(forUpload).not.toBe(used);
    expect(pool.acquire(1000, 'compute')).toBe(used);
    used.release();
    forUpload.release();
    pool.closeStep();
    pool.openStep();
    expect([used, forUpload]).toContain(pool.acquire(1000, 'upload'));
  });

  it('shares larger buffers while it is told to, up to twice as large, with kernels alone', () => {
    const { pool } = makePool();
    const large = pool.acquire(2 ** 20);
    large.release();
    expect(pool.acquire(2 ** 19).bytes).toBe(2 ** 19);
    pool.shares = true;
    pool.openStep();
    expect(pool.acquire(2 ** 18), 'more than twice as large').not.toBe(large);
    expect(pool.acquire(2 ** 19, 'upload')).not.toBe(large);
    expect(pool.acquire(2 ** 19)).toBe(large);
    pool.closeStep();
    pool.shares = false;
  });

  it('counts', () => {
    const { pool, destroyed } = makePool();
    const a = pool.acquire(1000);
    const b = pool.acquire(300);
    expect(pool.report()).toEqual({ liveBytes: 1536, peakBytes: 1536, pooledBytes: 1536, liveStorages: 2, buffers: 2 });
    a.release();
    expect(pool.report()).toEqual({ liveBytes: 512, peakBytes: 1536, pooledBytes: 1536, liveStorages: 1, buffers: 2 });
    pool.resetPeak();
    pool.trim();
    expect(destroyed()).toBe(1);
    expect(pool.report()).toEqual({ liveBytes: 512, peakBytes: 512, pooledBytes: 512, liveStorages: 1, buffers: 1 });
    b.release();
    expect(() => b.release()).toThrow(/storage \d+ was given back twice/);
  });
});

describe('on a device', () => {
  it('an upload after a release in the same step does not reach back into earlier commands', async () => {
    const gpu = await testGpu();
    const ones = new Float32Array(64).fill(1);
    await gpu.step(() => void upload(gpu, 'N', [64], ones)); // a buffer of this size is in the pool
    const { doubled, second } = await gpu.step(() => {
      const first = upload(gpu, 'N', [64], ones);
      const doubled = engine.scale(first, 2);
      first.release();
      const passing = engine.scale(doubled, 3);
      passing.release();
      return { doubled, second: engine.shift(upload(gpu, 'N', [64], new Float32Array(64).fill(50)), 1) };
    });
    expect([...new Set(doubled)]).toEqual([2]);
    expect([...new Set(second)]).toEqual([51]);
  });

  it('step 100 of a training run holds exactly as many buffers and bytes as step 3', async () => {
    const gpu = await testGpu();
    const conv = new Conv2d(gpu, 2, 5, { kernel: 3, padding: 1, bias: false }).initialise(1);
    const norm = new BatchNorm2d(gpu, 5, { activation: 'relu' }).initialise(1);
    const head = new Linear(gpu, 5, 3).initialise(1);
    const drop = new Dropout(0.5);
    const parameters = [conv, norm, head].flatMap((module, i) =>
      [...module.parameters()].map(({ name, tensor }) => ({ name: `${i}.${name}`, tensor })),
    );
    const adam = new Adam(parameters);
    const image = Float32Array.from(draw('NCHW', [3, 2, 8, 9]).data);
    const made = { bindGroups: 0 };
    const { device } = gpu;
    const createBindGroup = device.createBindGroup.bind(device);
    device.createBindGroup = (descriptor) => {
      made.bindGroups++;
      return createBindGroup(descriptor);
    };
    const train = () =>
      gpu.step(() => {
        const x = engine.maxPool2d(norm.call(conv.call(upload(gpu, 'NCHW', [3, 2, 8, 9], image))), { size: 2 });
        const logits = head.call(drop.call(engine.mean(engine.upsample2x(x), 'HW')));
        const loss = crossEntropy(logits, upload(gpu, 'N', [3], Uint32Array.of(0, 1, 2)));
        backward(loss);
        adam.step();
        return { loss, x: x.isAlive ? null : 'given back' };
      });
    let early = null;
    for (let step = 1; step <= 100; step++) {
      const { x } = await train();
      expect(x).toBe('given back');
      if (step === 3) {
        early = { ...gpu.memory(), pipelines: gpu.kernels.pipelineCount };
        made.bindGroups = 0;
      }
    }
    expect({ ...gpu.memory(), pipelines: gpu.kernels.pipelineCount }).toEqual(early);
    expect(made.bindGroups, 'bind groups made after step 3').toBe(0);
    device.createBindGroup = createBindGroup;
    for (const owner of [conv, norm, head, adam]) owner.dispose();
  });

  it('an exception inside a step gives everything back', async () => {
    const gpu = await testGpu();
    const weight = engine.parameter(gpu, 'N', [100], new Float32Array(100), 'weight');
    const before = gpu.memory();
    for (let attempt = 0; attempt < 3; attempt++) {
      const failing = async () =>
        gpu.step(() => {
          const kept = engine.relu(engine.add(weight, upload(gpu, 'N', [100], new Float32Array(100)))).keep();
          backward(engine.sum(engine.multiply(kept, kept)));
          throw new Error('the teapot broke');
        });
      await expect(failing).rejects.toThrow('the teapot broke');
      const { liveBytes, liveStorages } = gpu.memory();
      expect({ liveBytes, liveStorages }).toEqual({ liveBytes: before.liveBytes, liveStorages: before.liveStorages });
    }
    const { total } = await gpu.step(() => ({ total: engine.sum(engine.shift(weight, 1)) }));
    expect(total).toBe(100);
    expect(gpu.memory().liveStorages).toBe(before.liveStorages);
    weight.release();
  });

  it('trim destroys what nobody holds and spares what lasts', async () => {
    const gpu = await testGpu();
    const lasting = upload(gpu, 'N', [3], [1, 2, 3], 'lasting');
    await gpu.step(() => engine.relu(engine.square(lasting)));
    gpu.trim();
    const { pooledBytes, liveBytes } = gpu.memory();
    expect(pooledBytes).toBe(liveBytes);
    expect(Array.from(await gpu.step(() => engine.square(lasting)))).toEqual([1, 4, 9]);
    lasting.release();
  });
});
