import { beforeAll, expect, it } from 'vitest';
import { Conv2d, type Gpu, Linear, mean, relu, type Tensor, upload } from '../../src/engine/index.ts';
import { enlarged, predictFilm } from '../../src/mtunet/grad-cam.ts';
import { MTUNet, unetFamily } from '../../src/mtunet/model.ts';
import { Network } from '../../src/mtunet/network.ts';
import { testGpu } from '../support/gpu.ts';

let gpu: Gpu;
beforeAll(async () => {
  gpu = await testGpu();
});

const [K, C, SIZE] = [3, 2, 4];
const film = Float32Array.from({ length: SIZE * SIZE }, (_, i) => Math.sin(i) / 2 + 0.5);

/** A convolution, its maps averaged, and a dense layer: Zhou's class activation map is exact for it. */
class Averaging extends Network {
  readonly tasks = { diagnosis: true, saliency: false };
  readonly inputChannels = 1;
  private readonly conv = new Conv2d(gpu, 1, K, { kernel: 3, padding: 1 });
  private readonly linear = new Linear(gpu, K, C);

  constructor() {
    super();
    this.initialise(7);
  }

  members() {
    return { conv: this.conv, linear: this.linear };
  }

  maps(image: Tensor<'NCHW'>) {
    return relu(this.conv.call(image));
  }

  call(image: Tensor<'NCHW'>) {
    return { diagnosis: this.linear.call(mean(this.maps(image), 'HW')), saliency: null };
  }
}

it('is the class activation map where a dense layer follows the average: max(0, sum_k w_ck A_k) / (h w)', async () => {
  using model = new Averaging();
  const weights = (await model.stateDict()).tensors.get('linear.weight')!.values;
  const { maps } = await gpu.step(() => ({ maps: model.maps(upload(gpu, 'NCHW', [1, 1, SIZE, SIZE], film)) }));
  for (const target of [0, 1]) {
    const { classMaps, ...found } = await predictFilm(gpu, model, film, { height: SIZE, width: SIZE, target });
    expect(found.target).toBe(target);
    expect(classMaps).toHaveLength(1);
    classMaps[0].values.forEach((value, place) => {
      const sum = Array.from({ length: K }, (_, k) => weights[target * K + k] * maps[k * SIZE * SIZE + place]);
      const expected =
        Math.max(
          0,
          sum.reduce((a, b) => a + b),
        ) /
        SIZE ** 2;
      expect(value).toBeCloseTo(expected, 6);
    });
  }
});

it('finds the maps of every head: two of MT-UNet, one of its relatives, none without a class head', async () => {
  const image = Float32Array.from({ length: 32 * 32 }, (_, i) => (i % 32) / 32);
  for (const [name, sizes] of [
    ['mt-unet', [2, 32]],
    ['mt-unet-b', [2]],
    ['mt-unet-t', [32]],
    ['unet-s', []],
  ] as const) {
    using model = new MTUNet(gpu, { base: 1, ...unetFamily[name] }, 1);
    const found = await predictFilm(gpu, model, image, { height: 32, width: 32 });
    expect(found.classMaps.map(({ mapHeight }) => mapHeight)).toEqual(sizes);
    expect(found.saliency?.length).toBe(1024);
    for (const { values } of found.classMaps) expect(values.every((value) => value >= 0)).toBe(true);
  }
});

it('is enlarged linearly between the centres of its places', () => {
  expect([...enlarged(Float32Array.of(0, 4), 1, 2, 1, 4)]).toEqual([0, 1, 3, 4]);
  expect([...enlarged(Float32Array.of(5), 1, 1, 2, 2)]).toEqual([5, 5, 5, 5]);
});
