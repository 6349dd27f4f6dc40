/** Steps that are done again from what they recorded: when they are, when they are not, and that it makes no difference. */
import { describe, expect, it } from 'vitest';
import {
  Adam,
  add,
  backward,
  carry,
  dropout,
  multiply,
  openGpu,
  parameter,
  relu,
  StepRecorder,
  scale,
  sum,
  type Tensor,
  upload,
} from '../../src/engine/index.ts';
import { testGpu } from '../support/gpu.ts';

describe('a recorded step', () => {
  it('is computed from its beginning while its pipelines are made, where a processor compiles on this thread, and whole when done again', async () => {
    using gpu = await openGpu();
    let submissions = 0;
    const submit = gpu.device.queue.submit.bind(gpu.device.queue);
    gpu.device.queue.submit = (buffers) => {
      submissions++;
      return submit(buffers);
    };
    const recorder = new StepRecorder(gpu);
    const values = Float32Array.of(3, -1, 2);
    const step = () => recorder.step('chain', [values], () => sum(relu(scale(upload(gpu, 'N', [3], values), 2))));
    const compiling = gpu.description.name === 'SwiftShader' ? 3 : 1; // scale; relu; sum and the copy to the host
    expect([await step(), submissions]).toEqual([10, compiling]);
    expect([await step(), submissions]).toEqual([10, compiling + 1]);
    recorder.dispose();
  });

  it('runs its body once and then takes new contents of the arrays that it is given', async () => {
    const gpu = await testGpu();
    const recorder = new StepRecorder(gpu);
    let runs = 0;
    const body = (x: Float32Array) => () => {
      runs++;
      return { doubled: scale(upload(gpu, 'N', [x.length], x), 2), note: 'kept' };
    };
    const at = (...values: number[]) => Float32Array.from(values);
    const step = (x: Float32Array) => recorder.step('double', [x], body(x));
    expect(await step(at(1, 2))).toEqual({ doubled: at(2, 4), note: 'kept' });
    expect(await step(at(5, 6))).toEqual({ doubled: at(10, 12), note: 'kept' });
    expect(runs).toBe(1);
    expect(await step(at(7)), 'another length').toEqual({ doubled: at(14), note: 'kept' });
    expect(runs).toBe(2);
    expect(await step(at(8, 9)), 'both recordings are kept').toEqual({ doubled: at(16, 18), note: 'kept' });
    expect(runs).toBe(2);
    const inFlight = [at(1, 1), at(2, 2), at(3, 3)].map(step);
    expect((await Promise.all(inFlight)).map(({ doubled }) => doubled[0])).toEqual([2, 4, 6]);
    expect(recorder.count).toEqual({ recorded: 2, replayed: 5 });
    recorder.dispose();
  });

  it('refuses an array that it was not given, and takes a function instead', async () => {
    const gpu = await testGpu();
    const recorder = new StepRecorder(gpu);
    await expect(async () => recorder.step('a', [], () => sum(upload(gpu, 'N', [1], [3], 'weight')))).rejects.toThrow(
      'upload: "weight" is none of the 0 arrays that the recorded step was given; give it, or hand upload() a function.',
    );
    expect(gpu.stepOpen).toBe(false);
    let value = 0;
    const step = () => recorder.step('a', [], () => sum(upload(gpu, 'N', [1], () => [++value], 'weight')));
    expect([await step(), await step(), await step()]).toEqual([1, 2, 3]);
    expect(recorder.count).toEqual({ recorded: 1, replayed: 2 });
    await expect(async () =>
      recorder.step('b', [], () => {
        carry(upload(gpu, '', [], () => [1]));
        return null;
      }),
    ).rejects.toThrow('cannot leave a recorded step');
    recorder.dispose();
  });

  it('trains to the same bits, dropout and bias corrections included', async () => {
    const gpu = await testGpu();
    const train = async (records: boolean) => {
      gpu.recordsSteps = records;
      const recorder = new StepRecorder(gpu);
      const weight = parameter(
        gpu,
        'C',
        [300],
        Float32Array.from({ length: 300 }, (_, i) => Math.sin(i)),
        'weight',
      );
      const adam = new Adam([{ name: 'weight', tensor: weight }], { learningRate: 0.1 });
      let draws = 0;
      let shift = 0;
      for (let k = 0; k < 5; k++) {
        shift = k / 7;
        adam.learningRate = 0.1 / (k + 1);
        const x = Float32Array.from({ length: 300 }, (_, i) => Math.cos(i * (k + 1)));
        const { loss } = await recorder.step('train', [x], () => {
          const seen = dropout(upload(gpu, 'C', [300], x), 0.5, { key: [1, 2], index: () => draws++ });
          const loss = sum(
            relu(
              multiply(
                seen,
                add(
                  weight,
                  upload(gpu, '', [], () => [shift]),
                ),
              ),
            ),
          ) as Tensor<''>;
          backward(loss);
          adam.step({ guard: loss });
          return { loss };
        });
        expect(loss).toBeGreaterThan(0);
      }
      const values = await gpu.read(weight);
      gpu.recordsSteps = true;
      recorder.dispose();
      adam.dispose();
      weight.release();
      return { values, draws, count: recorder.count };
    };
    const recorded = await train(true);
    const plain = await train(false);
    expect(recorded.count).toEqual({ recorded: 1, replayed: 4 });
    expect(plain.count).toEqual({ recorded: 0, replayed: 0 });
    expect(recorded.draws).toBe(5);
    expect(plain.draws).toBe(5);
    expect(recorded.values).toEqual(plain.values);
  });

  it('is recorded anew when its buffers or its tensors are gone, and lasting tensors stay clear of them', async () => {
    const gpu = await testGpu();
    const recorder = new StepRecorder(gpu);
    let weight = upload(gpu, 'N', [4096], new Float32Array(4096).fill(1), 'weight');
    const x = Float32Array.from({ length: 4096 }, (_, i) => i % 5);
    const step = () => recorder.step('s', [x], () => sum(multiply(upload(gpu, 'N', [4096], x), weight)));
    const total = x.reduce((a, b) => a + b);
    expect(await step()).toBe(total);
    const kept = upload(gpu, 'N', [4096], new Float32Array(4096).fill(7), 'kept');
    expect(await step()).toBe(total);
    expect(recorder.count).toEqual({ recorded: 1, replayed: 1 });
    expect(
      (await gpu.read(kept)).every((value) => value === 7),
      'a lasting tensor is not written over',
    ).toBe(true);
    gpu.trim();
    expect(await step()).toBe(total);
    expect(recorder.count.recorded).toBe(2);
    weight.release();
    weight = upload(gpu, 'N', [4096], new Float32Array(4096).fill(2), 'weight'); // the same buffer, another taker
    expect(await step()).toBe(2 * total);
    expect(recorder.count).toEqual({ recorded: 3, replayed: 1 });
    const before = gpu.memory();
    for (let k = 0; k < 5; k++) await step();
    expect(gpu.memory(), 'no growth').toEqual(before);
    gpu.onTensor = () => {};
    await step();
    gpu.onTensor = null;
    expect(recorder.count.recorded, 'who listens hears the body').toBe(3);
    for (const tensor of [weight, kept]) tensor.release();
    recorder.dispose();
  });
});
