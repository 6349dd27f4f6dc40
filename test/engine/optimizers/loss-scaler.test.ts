import { expect, it } from 'vitest';
import {
  Adam,
  backward,
  LossScaler,
  parameter,
  type Scalar,
  StepRecorder,
  scale,
  square,
  sum,
} from '../../../src/engine/index.ts';
import { testGpu } from '../../support/gpu.ts';

const values = Float32Array.of(0.3, -1.7, 2.9);

/** Steps of Adam on sum x^2; with `scaler`, of its scaled loss. */
async function descent(steps: number, scaler: LossScaler | null, factor = 1) {
  const gpu = await testGpu();
  const x = parameter(gpu, 'N', [3], values, 'x');
  const parameters = [{ name: 'x', tensor: x }];
  const adam = new Adam(parameters, { learningRate: 0.1 });
  const recorder = new StepRecorder(gpu);
  const taken: boolean[] = [];
  for (let i = 0; i < steps; i++) {
    const { loss, verdict } = await recorder.step('descent', [], () => {
      const loss = sum(scale(square(x), factor)) as Scalar;
      if (!scaler) backward(loss);
      const verdict = scaler?.backward(loss, parameters) ?? loss;
      adam.step({ guard: verdict });
      return { loss, verdict };
    });
    taken.push(scaler ? scaler.learn({ loss, verdict }, adam) : Number.isFinite(loss));
  }
  const result = { x: Array.from(await gpu.read(x)), steps: adam.stepCount, taken };
  recorder.dispose();
  adam.dispose();
  x.release();
  return result;
}

it('scaling by a power of two changes no bit of a descent in float32', async () => {
  expect(await descent(3, new LossScaler())).toEqual(await descent(3, null));
});

it('leaves out a step whose gradients overflow, halves the scale until they do not, and doubles it after enough good ones', async () => {
  // The largest gradient is 2 * 2.9 * 2^50 * scale; float32 ends at 2^128, so scales of 2^77 and 2^76 overflow.
  const scaler = new LossScaler({ initial: 2 ** 77, largest: 2 ** 80, growthInterval: 2 });
  const found = await descent(5, scaler, 2 ** 50);
  expect(found.taken).toEqual([false, false, true, true, false]);
  expect(found.steps, 'only what was taken counts').toBe(2);
  expect(found.x).toEqual((await descent(2, null, 2 ** 50)).x);
  expect(scaler.state).toEqual({ scale: 2 ** 75, goodSteps: 0, skipped: 3 });
  const resumed = new LossScaler();
  resumed.load(scaler.state);
  expect(resumed.state).toEqual(scaler.state);
});

it('says so when no scale helps, and takes powers of two alone', async () => {
  const gpu = await testGpu();
  const x = parameter(gpu, 'N', [3], values, 'x');
  const adam = new Adam([{ name: 'x', tensor: x }]);
  const scaler = new LossScaler({ initial: 2 });
  expect(scaler.learn({ loss: 1, verdict: Number.NaN }, adam)).toBe(false);
  expect(() => scaler.learn({ loss: 1, verdict: Number.NaN }, adam)).toThrow(
    'The gradients are no numbers even at a loss scale of 1; lower the learning rate, or train with --precision f32.',
  );
  adam.dispose();
  x.release();
  expect(() => new LossScaler({ initial: 1000 })).toThrow(
    'loss scaler: a scale of 1000 is not a power of two from 1 on.',
  );
});
