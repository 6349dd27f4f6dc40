/** Changed films against a plain computation of their places, and what never changes. */
import { expect, it } from 'vitest';
import { type Augmentation, augmented, isAugmented, noAugmentation } from '../../src/data/augment.ts';
import { batches } from '../../src/data/batches.ts';
import { randomStream } from '../../src/data/counter-random.ts';

const [height, width] = [24, 18];
const random = randomStream(1, 'test');
const values = () => Float32Array.from({ length: height * width }, () => random.next());
const sample = { id: 'film', patient: 'p', label: 1, image: values(), gaze: values() };
const options = (augmentation: Partial<Augmentation>, epoch = 1) => ({
  augmentation: { ...noAugmentation, ...augmentation },
  seed: 5,
  epoch,
  height,
  width,
});

/** The drawn angle, enlargement, shift and exponent applied by the textbook: rotate and scale about the middle, then interpolate. */
function plain(map: Float32Array, augmentation: Augmentation, exponent: boolean): number[] {
  const draw = randomStream(5, 'augment/1/film');
  const angle = (draw.uniform(-augmentation.rotate, augmentation.rotate) * Math.PI) / 180;
  const zoom = draw.uniform(1 - augmentation.zoom, 1 + augmentation.zoom);
  const shift = [width, height].map((side) => draw.uniform(-augmentation.shift, augmentation.shift) * side);
  const gamma = draw.uniform(1 - augmentation.gamma, 1 + augmentation.gamma);
  const middle = [(width - 1) / 2, (height - 1) / 2];
  return Array.from(map, (_, i) => {
    const [u, v] = [(i % width) - middle[0] - shift[0], Math.floor(i / width) - middle[1] - shift[1]];
    const x = (Math.cos(angle) * u + Math.sin(angle) * v) / zoom + middle[0];
    const y = (-Math.sin(angle) * u + Math.cos(angle) * v) / zoom + middle[1];
    let sum = 0;
    for (let row = 0; row < height; row++)
      for (let column = 0; column < width; column++)
        sum += map[row * width + column] * Math.max(0, 1 - Math.abs(x - column)) * Math.max(0, 1 - Math.abs(y - row));
    return exponent ? sum ** gamma : sum;
  });
}

it.each([{ rotate: 12 }, { shift: 0.2 }, { zoom: 0.2 }, { rotate: 9, shift: 0.1, zoom: 0.1, gamma: 0.3 }])(
  'places %j as the textbook does, film and gaze alike',
  (change) => {
    const { augmentation } = options(change);
    const got = augmented(sample, options(change));
    for (const name of ['image', 'gaze'] as const)
      for (const [i, want] of plain(sample[name], augmentation, name === 'image').entries())
        expect(Math.abs(got[name][i] - want)).toBeLessThanOrEqual(2e-6);
    expect(got.image).not.toEqual(sample.image);
  },
);

it('is off by default, differs between epochs and films, and is the same again', () => {
  expect(isAugmented(noAugmentation)).toBe(false);
  const change = { rotate: 10 };
  const one = augmented(sample, options(change));
  expect(augmented(sample, options(change))).toEqual(one);
  expect(augmented(sample, options(change, 2))).not.toEqual(one);
  expect(augmented({ ...sample, id: 'other' }, options(change))).not.toEqual(one);
  const order = { batchSize: 1, seed: 5, epoch: 1 };
  const [batch] = batches([sample], {
    ...order,
    augment: { height, width, augmentation: options(change).augmentation },
  });
  expect(batch.images).toEqual(one.image);
  const [plainBatch] = batches([sample], { ...order, augment: { height, width, augmentation: noAugmentation } });
  expect(plainBatch.images).toEqual(sample.image);
});

it('keeps the film as it is where all gaze would leave it', () => {
  const gaze = new Float32Array(height * width);
  gaze[0] = 1;
  for (let epoch = 0; epoch < 40; epoch++) {
    const got = augmented({ ...sample, gaze }, options({ shift: 0.5 }, epoch));
    expect(got.gaze.some((value) => value > 0)).toBe(true);
    if (got.gaze === gaze) expect(got.image).toEqual(sample.image);
  }
});

it('goes on in the middle of an epoch', () => {
  const many = Array.from({ length: 7 }, (_, i) => ({ ...sample, id: `film-${i}` }));
  const order = { batchSize: 2, seed: 5, epoch: 1 };
  expect([...batches(many, { ...order, from: 2 })]).toEqual([...batches(many, order)].slice(2));
});
