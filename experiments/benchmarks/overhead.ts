/** What every operation pays: memory bandwidth of elementwise kernels, and the price of a dispatch. */
import { relu } from '../../src/engine/index.ts';
import { upload } from '../../src/engine/tensor.ts';
import { type Benchmark, time } from './figure.ts';

const FLOATS = 4 << 20;
const DISPATCHES = 256;

export const elementwise: Benchmark = {
  name: 'elementwise',
  about: 'ReLU over 4 Mi floats: bytes read and written a second',
  async *run(context) {
    const { gpu } = context;
    const input = upload(gpu, 'C', [FLOATS], new Float32Array(FLOATS).fill(1), 'input');
    const figure = await time(context, { bench: 'elementwise relu 4Mi' }, async () => {
      gpu.step(() => {
        relu(input);
      });
      await gpu.settle();
    });
    input.release();
    yield { ...figure, gb_per_s: Number(((FLOATS * 8) / figure.median_ms / 1e6).toFixed(2)) };
  },
};

export const dispatches: Benchmark = {
  name: 'dispatch',
  about: 'a step of 256 dispatches that do next to nothing',
  async *run(context) {
    const { gpu } = context;
    const input = upload(gpu, 'C', [64], new Float32Array(64), 'input');
    const figure = await time(context, { bench: `dispatch overhead x${DISPATCHES}` }, async () => {
      gpu.step(() => {
        for (let i = 0; i < DISPATCHES; i++) relu(input);
      });
      await gpu.settle();
    });
    input.release();
    yield { ...figure, us_per_dispatch: Number(((figure.median_ms * 1000) / DISPATCHES).toFixed(1)) };
  },
};
