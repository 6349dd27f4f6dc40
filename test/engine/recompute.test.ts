/** What the forward pass gives back early, and activations that are computed again: the same bits from fewer bytes. */
import { describe, expect, it } from 'vitest';
import { savedBytes } from '../../src/engine/autograd.ts';
import {
  add,
  backward,
  concat,
  gradients,
  mean,
  multiply,
  parameter,
  relu,
  type Scalar,
  StepRecorder,
  scale,
  square,
  sum,
  type Tensor,
  upload,
} from '../../src/engine/index.ts';
import { predictBatch } from '../../src/mtunet/losses.ts';
import { MTUNet } from '../../src/mtunet/model.ts';
import { testGpu } from '../support/gpu.ts';

const size = { height: 32, width: 32 };
const batch = {
  images: Float32Array.from({ length: 2 * 1024 }, (_, i) => ((i * 7919) % 1009) / 1009),
  gaze: new Float32Array(2 * 1024).fill(1 / 1024),
  labels: Uint32Array.of(0, 2),
};

describe('a tensor that is passed on', () => {
  it('is given back where no rule of the backward pass reads it, and kept where one does', async () => {
    const gpu = await testGpu();
    const x = parameter(gpu, 'N', [3], Float32Array.of(1, -2, 3), 'x');
    const { slope } = await gpu.step(() => {
      const doubled = scale(x, 2);
      const squared = square(doubled);
      const shifted = add(squared, x);
      doubled.passOn();
      squared.passOn();
      expect([doubled.isPresent, squared.isPresent]).toEqual([true, false]);
      expect(() => relu(squared)).toThrow('relu: square (N=3) was already given back');
      backward(sum(shifted) as Scalar);
      return { slope: x.gradient! };
    });
    expect(Array.from(slope)).toEqual([9, -15, 25]); // 8 x + 1
    x.release();
  });

  it('stays where someone keeps it', async () => {
    const gpu = await testGpu();
    const x = parameter(gpu, 'N', [2], Float32Array.of(1, 2), 'x');
    const { kept } = await gpu.step(() => {
      const kept = scale(x, 3).keep();
      kept.passOn();
      return { kept };
    });
    expect(Array.from(kept)).toEqual([3, 6]);
    x.release();
  });
});

describe('contents that were given back', () => {
  it('are computed again when someone asks, from others that are computed again, which then go', async () => {
    const gpu = await testGpu();
    gpu.recomputes = true;
    const x = parameter(gpu, 'NCHW', [1, 1, 1, 3], Float32Array.of(1, -2, 3), 'x');
    try {
      const { joined, slope } = await gpu.step(() => {
        const lit = relu(x) as Tensor<'NCHW'>;
        const joined = concat([lit, lit], 'C');
        const squares = square(joined);
        lit.passOn();
        joined.passOn();
        expect([lit.isPresent, joined.isPresent]).toEqual([false, false]);
        const [first] = gradients(sum(squares) as Scalar, [x]);
        expect([lit.isPresent, joined.isPresent], 'nothing of it stays').toEqual([false, false]);
        void joined.storage;
        expect([lit.isPresent, joined.isPresent]).toEqual([false, true]);
        joined.withdraw();
        return { joined, slope: first! };
      });
      expect(Array.from(joined as Float32Array)).toEqual([1, 0, 3, 1, 0, 3]);
      expect(Array.from(slope as Float32Array)).toEqual([4, 0, 12]);
    } finally {
      gpu.recomputes = false;
      x.release();
    }
  });

  it('make no difference to a training step of MT-UNet, recorded or not, but for its bytes', async () => {
    const gpu = await testGpu();
    using model = new MTUNet(gpu, { base: 2 }, 1);
    const parameters = [...model.parameters()].map(({ tensor }) => tensor);
    let saved = 0;
    const body = () => {
      const { saliency, diagnosis } = predictBatch(gpu, model, batch, size).losses;
      const loss = add(saliency!, multiply(diagnosis!, diagnosis!));
      saved = savedBytes(loss);
      backward(loss);
      return { loss, gradients: parameters.map(({ gradient }) => gradient) };
    };
    const train = async (recomputes: boolean) => {
      gpu.recomputes = recomputes;
      model.initialise(1);
      gpu.pool.resetPeak();
      const before = gpu.memory().liveBytes;
      const recorder = new StepRecorder(gpu);
      const step = () => recorder.step('train', Object.values(batch), body);
      const results = [await step(), await step()];
      recorder.dispose();
      gpu.recomputes = false;
      return { results, saved, peak: gpu.memory().peakBytes - before };
    };
    const stored = await train(false);
    const recomputed = await train(true);
    expect(recomputed.results).toEqual(stored.results);
    expect(stored.results[0].gradients.every((gradient) => (gradient as Float32Array).some(Number.isFinite))).toBe(
      true,
    );
    expect(recomputed.saved / stored.saved).toBeLessThan(0.6);
    expect(recomputed.peak / stored.peak).toBeLessThan(0.8);
  });

  it('serve gradients of several outputs, and evaluation, which keeps nothing', async () => {
    const gpu = await testGpu();
    using model = new MTUNet(gpu, { base: 2 }, 1);
    const parameters = [...model.parameters()].map(({ tensor }) => tensor);
    const perTask = () =>
      gpu.step(() => {
        const { saliency, diagnosis } = predictBatch(gpu, model, batch, size).losses;
        return [saliency!, diagnosis!].flatMap((loss) => gradients(loss, parameters).filter((found) => found !== null));
      });
    const stored = await perTask();
    gpu.recomputes = true;
    model.initialise(1);
    const recomputed = await perTask();
    model.train(false);
    const evaluated = await gpu.step(() =>
      mean(model.call(upload(gpu, 'NCHW', [2, 1, 32, 32], batch.images)).saliency!),
    );
    gpu.recomputes = false;
    expect(recomputed).toEqual(stored);
    expect(await gpu.step(() => mean(model.call(upload(gpu, 'NCHW', [2, 1, 32, 32], batch.images)).saliency!))).toBe(
      evaluated,
    );
  });
});
