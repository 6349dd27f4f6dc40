/** Directions on the device against the gradients that autograd finds one task at a time, and against the solvers in float64. */
import { describe, expect, it } from 'vitest';
import { backward, type Gpu, SGD, type Tensor } from '../../../src/engine/index.ts';
import { predictBatch } from '../../../src/mtunet/losses.ts';
import { MTUNet } from '../../../src/mtunet/model.ts';
import { GradientScheme } from '../../../src/mtunet/schemes/gradient-scheme.ts';
import { gramOf } from '../../../src/mtunet/schemes/gram.ts';
import { imtlCoefficients } from '../../../src/mtunet/schemes/imtl.ts';
import { makeScheme, type SchemeName, schemeDefaults } from '../../../src/mtunet/schemes/index.ts';
import { mgdaWeights } from '../../../src/mtunet/schemes/mgda.ts';
import type { Scheme, Task } from '../../../src/mtunet/schemes/scheme.ts';
import { expectAllClose } from '../../support/all-close.ts';
import { testGpu } from '../../support/gpu.ts';

const size = { height: 16, width: 16 };
const images = Float32Array.from({ length: 512 }, (_, i) => Math.sin(i * 1.7) + Math.cos(i * 0.3));
const gaze = Float32Array.from({ length: 512 }, (_, i) => (1 + Math.sin(i)) / 256);
for (const n of [0, 1]) {
  const map = gaze.subarray(n * 256, (n + 1) * 256);
  const total = map.reduce((sum, value) => sum + value, 0);
  map.forEach((value, i) => {
    map[i] = value / total;
  });
}
const batch = { images, gaze, labels: Uint32Array.of(0, 2) };

const network = (gpu: Gpu) => new MTUNet(gpu, { base: 2, dropout: 0 }, 3);

type Gradients = Map<string, Float32Array>;

/** The gradients of one task's loss by parameter; those that it does not reach are left out. */
async function gradientsOf(gpu: Gpu, task: Task): Promise<Gradients> {
  using model = network(gpu);
  const parameters = [...model.parameters()];
  const got = await gpu.step(() => {
    backward(predictBatch(gpu, model, batch, size).losses[task]!);
    return parameters.map(({ tensor }) => (tensor.gradient?.isAlive ? (tensor.gradient as Tensor<'C'>) : null));
  });
  return new Map(parameters.flatMap(({ name }, i) => (got[i] ? [[name, got[i]] as const] : [])));
}

/** What a step of SGD at rate 1 takes from each parameter. */
async function stepOf(gpu: Gpu, scheme: Scheme) {
  using model = network(gpu);
  const before = await model.stateDict();
  const parameters = [...model.parameters(), ...scheme.parameters()];
  const optimizer = new SGD(parameters, { learningRate: 1 });
  const forward = () => {
    const { losses, prediction } = predictBatch(gpu, model, batch, size);
    return { losses, representation: prediction.representation };
  };
  const outcome = await scheme.step({ gpu, forward, parameters, optimizer, step: 1, run: (body) => gpu.step(body) });
  optimizer.dispose();
  const after = await model.stateDict();
  const moved = new Map(
    [...before.tensors].map(([name, { values }]) => [
      name,
      values.map((v, i) => v - after.tensors.get(name)!.values[i]),
    ]),
  );
  return { outcome, moved, losses: Object.values(outcome.losses) as number[] };
}

async function both(gpu: Gpu) {
  const [saliency, diagnosis] = [await gradientsOf(gpu, 'saliency'), await gradientsOf(gpu, 'diagnosis')];
  const shared = [...saliency.keys()].filter((name) => diagnosis.has(name));
  const flat = (gradients: Gradients) => shared.flatMap((name) => [...gradients.get(name)!]);
  return { saliency, diagnosis, shared, gram: gramOf([flat(saliency), flat(diagnosis)]) };
}

/** Parameters of about 1 less a step lose the gradient's digits below 1e-7. */
const difference = { absolute: 3e-6, relative: 3e-5 };

function expectMoved(
  moved: Gradients,
  { saliency, diagnosis, shared }: Awaited<ReturnType<typeof both>>,
  [s, c]: number[],
) {
  for (const [name, got] of moved) {
    const [gs, gc] = [saliency.get(name), diagnosis.get(name)];
    if (!gs && !gc) continue; // running statistics
    const want = shared.includes(name) ? gs!.map((value, i) => s * value + c * gc![i]) : (gs ?? gc)!;
    expectAllClose(got, want, name, difference);
  }
}

const make = (gpu: Gpu, name: SchemeName) => makeScheme(gpu, { ...schemeDefaults, name }, 1);

describe('gradient schemes', () => {
  it('move the shared parameters along the combination and each head along its own gradient', async () => {
    const gpu = await testGpu();
    const tasks = await both(gpu);
    expect(tasks.shared.length).toBeGreaterThan(50);
    const seen: number[][] = [];
    using scheme = new GradientScheme((gram) => {
      seen.push(gram.flat());
      return [0.25, -1.5];
    });
    const { outcome, moved } = await stepOf(gpu, scheme);
    expectMoved(moved, tasks, [0.25, -1.5]);
    expectAllClose(seen[0], tasks.gram.flat(), 'inner products', { absolute: 0, relative: 1e-4 });
    expect(outcome.weights).toEqual({ saliency: 0.25, diagnosis: -1.5 });
    expect(outcome.loss).toBeCloseTo(outcome.losses.saliency! + outcome.losses.diagnosis!, 5);
  });

  it('IMTL-G ends in equal projections', async () => {
    const gpu = await testGpu();
    const tasks = await both(gpu);
    using scheme = make(gpu, 'imtl-g');
    const { moved } = await stepOf(gpu, scheme);
    expectMoved(moved, tasks, imtlCoefficients(tasks.gram));
  });

  it('MGDA and MGDA-UB choose weights by the gradients in the parameters and in the representation', async () => {
    const gpu = await testGpu();
    const tasks = await both(gpu);
    using mgda = make(gpu, 'mgda');
    const plain = await stepOf(gpu, mgda);
    expectMoved(plain.moved, tasks, mgdaWeights(tasks.gram));

    using bound = make(gpu, 'mgda-ub');
    const { outcome, moved } = await stepOf(gpu, bound);
    const weights = [outcome.weights.saliency!, outcome.weights.diagnosis!];
    const want = mgdaWeights(await representationGram(gpu));
    expectAllClose(weights, want, 'weights', { absolute: 1e-4, relative: 0 });
    expectMoved(moved, tasks, weights);
  });

  it('a broken loss changes nothing, and leaves no memory behind', async () => {
    const gpu = await testGpu();
    using scheme = new GradientScheme(() => [Number.NaN, 1]);
    const live = gpu.memory().liveStorages;
    const { outcome, moved } = await stepOf(gpu, scheme);
    expect(outcome.loss).toBeNaN();
    for (const [name, values] of moved)
      if (!/running/.test(name))
        expect(
          values.every((v) => v === 0),
          name,
        ).toBe(true);
    expect(gpu.memory().liveStorages).toBe(live);
  });

  it('hold as many buffers after the tenth step as after the third', async () => {
    const gpu = await testGpu();
    using model = network(gpu);
    using scheme = make(gpu, 'pcgrad');
    const parameters = [...model.parameters()];
    const optimizer = new SGD(parameters, { learningRate: 1e-3 });
    const counts: number[] = [];
    for (let step = 1; step <= 10; step++) {
      const forward = () => predictBatch(gpu, model, batch, size);
      await scheme.step({ gpu, forward, parameters, optimizer, step, run: (body) => gpu.step(body) });
      counts.push(gpu.memory().buffers);
    }
    optimizer.dispose();
    expect(counts[9]).toBe(counts[2]);
  });
});

/** Inner products of d L_t / d (bottleneck as the class head sees it, top features), from the heads alone. */
async function representationGram(gpu: Gpu): Promise<number[][]> {
  using model = network(gpu);
  const perTask: number[][] = [];
  for (const task of ['saliency', 'diagnosis'] as const) {
    const got = await gpu.step(() => {
      const { losses, prediction } = predictBatch(gpu, model, batch, size);
      const z = prediction.representation!;
      for (const tensor of z) tensor.keep();
      // Cut from what is beneath, they are parameters of the heads.
      for (const tensor of z) tensor.origin = null;
      backward(losses[task]!);
      return z.map((tensor) => (tensor.gradient as Tensor<'C'> | null) ?? tensor.size);
    });
    perTask.push(
      got.flatMap((own) => (typeof own === 'number' ? Array<number>(own).fill(0) : [...(own as Float32Array)])),
    );
  }
  return gramOf(perTask);
}
