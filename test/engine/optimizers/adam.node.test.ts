import { expect, it } from 'vitest';
import { Adam, parameter, type Tensor, upload } from '../../../src/engine/index.ts';
import { testGpu } from '../../support/gpu.ts';
import { checkRecorded } from './recorded.ts';

checkRecorded(['Adam', 'AdamW'], (parameters, { lr, betas, eps, weight_decay, amsgrad }, opt) => {
  const decay = opt === 'AdamW' ? { decoupledDecay: weight_decay } : { weightDecay: weight_decay };
  return new Adam(parameters, { learningRate: lr, betas, epsilon: eps, amsgrad, ...decay });
});

it('moves the first step by the learning rate, whatever the size of the gradient', async () => {
  const gpu = await testGpu();
  const weight = parameter(gpu, 'N', [4], new Float32Array(4), 'weight');
  const adam = new Adam([{ name: 'weight', tensor: weight }], { learningRate: 0.25 });
  const moved = await gpu.step(() => {
    weight.gradient = upload(gpu, 'N', [4], [0.1, -1, 1e3, -1e6]);
    adam.step();
    return weight;
  });
  // Only if beta and 1 - beta are rounded alike on the host and on the device does v leave no trace of its rounding.
  for (const value of moved) expect(Math.abs(Math.abs(value) / 0.25 - 1)).toBeLessThan(5e-7);
  adam.dispose();
  weight.release();
});

it('takes a learning rate from outside at every step', async () => {
  const gpu = await testGpu();
  const weight = parameter(gpu, 'N', [1], Float32Array.of(1), 'weight');
  const adam = new Adam([{ name: 'weight', tensor: weight }]);
  adam.learningRate = 0;
  const same = await gpu.step(() => {
    weight.gradient = upload(gpu, 'N', [1], [1]);
    adam.step();
    return weight;
  });
  expect(same[0]).toBe(1);
  adam.dispose();
  weight.release();
});

it('leaves parameters without a gradient alone', async () => {
  const gpu = await testGpu();
  const tensors = [1, 2].map((value) => parameter(gpu, 'N', [1], Float32Array.of(value), `p${value}`));
  const adam = new Adam(
    tensors.map((tensor) => ({ name: tensor.name, tensor })),
    { decoupledDecay: 0.5 },
  );
  const after = await gpu.step(() => {
    tensors[0].gradient = upload(gpu, 'N', [1], [1]);
    adam.step();
    return tensors as Tensor<'N'>[];
  });
  expect(after[0][0]).not.toBe(1);
  expect(after[1][0]).toBe(2);
  adam.dispose();
  for (const tensor of tensors) tensor.release();
});

it('refuses what it cannot train, or a state that is not its own', async () => {
  const gpu = await testGpu();
  const weight = parameter(gpu, 'N', [2], new Float32Array(2), 'weight');
  const parameters = [{ name: 'weight', tensor: weight }];
  expect(() => new Adam([])).toThrow('optimizer: there are no parameters to train.');
  expect(() => new Adam(parameters, { learningRate: Number.NaN })).toThrow('a learning rate of NaN is not >= 0');
  const adam = new Adam(parameters);
  await expect(async () =>
    gpu.step(() => {
      weight.gradient = upload(gpu, 'N', [1], [1], 'gradient');
      adam.step();
    }),
  ).rejects.toThrow(
    'optimizer: gradient and parameter differ.\n  weight   N=2   (weight)\n  gradient N=1   (gradient)',
  );
  const inStep = async () => gpu.step(() => void new Adam(parameters));
  await expect(inStep).rejects.toThrow(/optimizer: .*outside a step/);

  const other = new Adam([{ name: 'bias', tensor: weight }]);
  const state = await other.state();
  expect(() => adam.load(state)).toThrow('optimizer: the saved state lacks "weight.exp_avg"');
  adam.dispose();
  other.dispose();
  weight.release();
});

it('loads a state wholly or not at all', async () => {
  const gpu = await testGpu();
  const weight = parameter(gpu, 'N', [2], new Float32Array(2), 'weight');
  const adam = new Adam([{ name: 'weight', tensor: weight }]);
  const before = await adam.state();
  const { moments } = before;
  const first = { shape: [2], values: Float32Array.of(7, 7) };
  const half = new Map([['weight.exp_avg', first]]);
  expect(() => adam.load({ ...before, moments: half })).toThrow('lacks "weight.exp_avg_sq"');
  const short = new Map([
    ...moments,
    ['weight.exp_avg', first],
    ['weight.exp_avg_sq', { shape: [1], values: Float32Array.of(7) }],
  ] as const);
  expect(() => adam.load({ ...before, moments: short })).toThrow(/weight\.exp_avg_sq/);
  expect(await adam.state()).toEqual(before);
  adam.dispose();
  weight.release();
});
