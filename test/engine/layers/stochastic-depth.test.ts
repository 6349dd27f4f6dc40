/** Stochastic depth: one draw an image, for all of its branch, forward and backward. */
import { describe, expect, it } from 'vitest';
import { Sequential, StochasticDepth, upload } from '../../../src/engine/index.ts';
import { deriveKey, uniformAt } from '../../../src/engine/random.ts';
import { draw, type Values } from '../../../src/reference/values.ts';
import { expectAllClose } from '../../support/all-close.ts';
import { testGpu } from '../../support/gpu.ts';
import { checkOperation } from '../../support/grad-check.ts';

const RATE = 0.4;

/** Image n is kept, and divided by 1 - rate, when the n-th number of the draw is at least the rate. */
function reference<A extends string>(branch: Values<A>, seed: number, index: number): Values<A> {
  const [N] = branch.shape;
  const size = branch.data.length / N;
  const factor = (i: number) => (uniformAt(deriveKey(seed, '.mask'), Math.floor(i / size), index) >= RATE ? 1 : 0);
  return { ...branch, data: branch.data.map((x, i) => (x * factor(i)) / (1 - RATE)) };
}

describe('StochasticDepth', () => {
  it('keeps or leaves out whole images, and their gradients', () => {
    const layer = new StochasticDepth(RATE).initialise(5);
    const branch = draw('NCHW', [9, 3, 5, 7]);
    const expected = reference(branch, 5, 0);
    const kept = Array.from({ length: 9 }, (_, n) => expected.data[n * 105] !== 0);
    expect(new Set(kept).size, 'images both kept and left out').toBe(2);
    return checkOperation(
      { branch },
      ({ branch: tensor }) => layer.call(tensor),
      ({ branch: given }) => reference(given, 5, 0),
    );
  });

  it('draws anew at every call, the same again from the same seed', async () => {
    const gpu = await testGpu();
    const layer = new StochasticDepth(RATE).initialise(5);
    const branch = draw('NC', [64, 2]);
    const call = () => gpu.step(() => layer.call(upload(gpu, 'NC', branch.shape, Float32Array.from(branch.data))));
    const drawn = [await call(), await call()];
    drawn.forEach((output, i) => {
      expectAllClose(output, reference(branch, 5, i).data, `draw ${i}`);
    });
    expect(drawn[0]).not.toEqual(drawn[1]);
    expect(layer.draws).toBe(2);
    layer.draws = 1; // as a checkpoint does
    expect(await call()).toEqual(drawn[1]);
  });

  it('keeps the mean over many images', async () => {
    const gpu = await testGpu();
    const N = 20_000;
    const layer = new StochasticDepth(RATE).initialise(1);
    const output = await gpu.step(() => layer.call(upload(gpu, 'N', [N], new Float32Array(N).fill(1))));
    const mean = output.reduce((total, value) => total + value, 0) / N;
    expect(Math.abs(mean - 1)).toBeLessThan(0.03); // five standard deviations are 0.029
  });

  it('does nothing and draws nothing in evaluation, or at rate 0', async () => {
    const gpu = await testGpu();
    const evaluated = new Sequential({ 0: new StochasticDepth(RATE) }).initialise(5).train(false);
    const none = new StochasticDepth(0).initialise(5);
    const x = upload(gpu, 'N', [2], [1, 2]);
    await gpu.step(() => {
      expect(evaluated.call(x as never)).toBe(x);
      expect(none.call(x)).toBe(x);
    });
    expect((Object.values(evaluated.members())[0] as StochasticDepth).draws + none.draws).toBe(0);
    x.release();
  });
});
