/** Kernels chosen by trying them: what is pinned is used, what computes something else is not. */
import { afterEach, expect, it } from 'vitest';
import { KernelChoices } from '../../../src/engine/choices.ts';
import { layerClass } from '../../../src/engine/ops/conv2d-geometry.ts';
import { type ConvWork, convFamilies, familyOf } from '../../../src/engine/ops/conv2d-kernels.ts';
import { type Tuned, tuneConvolutions } from '../../../src/engine/ops/conv2d-tune.ts';
import { convolutionsOf } from '../../../src/mtunet/autotune.ts';
import { resolveConfig } from '../../../src/mtunet/config.ts';
import { testGpu } from '../../support/gpu.ts';

const geometry = {
  ...{ N: 2, C: 4, H: 8, W: 8, O: 4, R: 3, S: 3, P: 8, Q: 8, groups: 1 },
  ...{ strideH: 1, strideW: 1, padH: 1, padW: 1, dilationH: 1, dilationW: 1 },
};
const ofWeight: ConvWork = { pass: 'gradWeight', geometry };
const name = layerClass('gradWeight', geometry);
const { gradWeight } = convFamilies['by-weight'];

afterEach(async () => {
  convFamilies['by-weight'].gradWeight = gradWeight;
  (await testGpu()).choices.pin({});
});

it('names layers by what decides their kernel', () => {
  expect(name).toBe('gradWeight 3x3 C4 8x8 O4 pad1');
  const odd = { ...geometry, strideH: 2, strideW: 2, padH: 1, padW: 0, groups: 2 };
  expect(layerClass('forward', odd)).toBe('forward 3x3 C4 8x8 O4 stride2 pad1x0 groups2');
});

it('prefers what is pinned where it can compute the work, and remembers what was taken', () => {
  const choices = new KernelChoices();
  const can = (kernel: string): kernel is 'a' | 'b' => kernel === 'a' || kernel === 'b';
  choices.pin({ second: 'b', third: 'gone' });
  const taken = ['third', 'second', 'first'].map((work) => choices.take(work, {}, can, () => 'a'));
  expect(taken).toEqual(['a', 'b', 'a']);
  expect(Object.entries(choices.used)).toEqual(Object.entries({ first: 'a', second: 'b', third: 'a' }));
  choices.pin({});
  expect(choices.used).toEqual({});
});

it('takes a kernel that was timed, and asks the cache before it times again', async () => {
  const gpu = await testGpu();
  const cache = new Map<string, Tuned>();
  const timed: string[] = [];
  const options = { mode: 'fast', version: 'test', cache, onTuned: (work: string) => timed.push(work) } as const;
  const choices = await tuneConvolutions(gpu, [ofWeight], options);
  const [[key, tuned]] = cache;
  expect(key).toBe(`${gpu.description.name}, ${gpu.description.driver}, ${gpu.description.backend}, test: N2 ${name}`);
  expect(Object.keys(tuned.milliseconds)).toContain(tuned.kernel);
  expect(Object.keys(tuned.milliseconds).length).toBeGreaterThan(1);
  expect(tuned.wrong).toEqual([]);
  expect(await tuneConvolutions(gpu, [ofWeight], options)).toEqual(choices);
  expect(timed).toEqual([name]);

  gpu.choices.pin({ [name]: 'by-weight' });
  expect(familyOf(gpu, ofWeight)).toBe('by-weight');
  gpu.choices.pin({ [name]: 'winograd' }); // which has no gradient of the weight
  expect(familyOf(gpu, ofWeight)).not.toBe('winograd');
});

it('tries the depthwise kernels where a channel has a group of its own, which the rule takes on a processor', async () => {
  const gpu = await testGpu();
  const work: ConvWork = { pass: 'forward', geometry: { ...geometry, C: 8, O: 8, groups: 8 } };
  const cache = new Map<string, Tuned>();
  await tuneConvolutions(gpu, [work], { mode: 'fast', version: 'test', cache });
  const [{ milliseconds, wrong }] = [...cache.values()];
  expect(Object.keys(milliseconds)).toEqual(expect.arrayContaining(['plain', 'depthwise']));
  expect(wrong).toEqual([]);
  expect(familyOf(gpu, work)).toBe('depthwise');
  const atStride4 = { ...work.geometry, strideH: 4, strideW: 4, P: 2, Q: 2 };
  expect(familyOf(gpu, { pass: 'forward', geometry: atStride4 })).toBe(
    gpu.description.software ? 'plain' : 'depthwise',
  );
});

it('refuses a kernel that computes something else than the plain one', async () => {
  const gpu = await testGpu();
  convFamilies['by-weight'].gradWeight = (g, input, gradient) => gradWeight(g, input, input ?? gradient);
  const cache = new Map<string, Tuned>();
  const choices = await tuneConvolutions(gpu, [ofWeight], { mode: 'fast', version: 'test', cache });
  expect([...cache.values()][0].wrong).toEqual(['by-weight']);
  expect(choices[name]).not.toBe('by-weight');
});

it('finds the convolutions of a training without a device', () => {
  const config = resolveConfig('tiny', { height: 32, width: 32, network: { base: 1 } });
  const works = convolutionsOf(config, 3);
  const passes = [...works.keys()].map((work) => work.split(' ')[0]);
  expect(new Set(passes)).toEqual(new Set(['forward', 'gradInput', 'gradWeight']));
  expect(works.get('forward 3x3 C1 32x32 O1 pad1')?.geometry.N).toBe(config.batchSize);
  const frozen = convolutionsOf({ ...config, network: { ...config.network, frozen: ['encoder'] } }, 3);
  expect(frozen.size).toBeLessThan(works.size);
});
