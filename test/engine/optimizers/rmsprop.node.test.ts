import { expect, it } from 'vitest';
import { parameter, RMSProp, upload } from '../../../src/engine/index.ts';
import { testGpu } from '../../support/gpu.ts';
import { checkRecorded } from './recorded.ts';

checkRecorded(['RMSprop'], (parameters, { lr, alpha, eps, weight_decay, momentum, centered }) => {
  const settings = { alpha, epsilon: eps, weightDecay: weight_decay, momentum, centred: centered };
  return new RMSProp(parameters, { learningRate: lr, ...settings });
});

it('stays finite when it is centred and the gradient never changes', async () => {
  // v - mean^2 is then 0 but for rounding, which may make it negative.
  const gpu = await testGpu();
  const size = 64;
  const weight = parameter(gpu, 'N', [size], new Float32Array(size), 'weight');
  const optimizer = new RMSProp([{ name: 'weight', tensor: weight }], { alpha: 0.5, centred: true });
  const gradient = Float32Array.from({ length: size }, (_, i) => 0.1 + i / 7);
  for (let step = 0; step < 60; step++) {
    void gpu.step(() => {
      weight.gradient = upload(gpu, 'N', [size], gradient);
      optimizer.step();
    });
  }
  expect((await gpu.read(weight)).every(Number.isFinite)).toBe(true);
  optimizer.dispose();
  weight.release();
});
