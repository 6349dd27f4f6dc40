/** MT-UNet's training against golden/oracle/mtunet_<tag>: forward passes, gradients of every scheme, single steps and ten steps. */
import { describe, expect, it } from 'vitest';
import {
  Adam,
  backward,
  type Gpu,
  type NamedTensor,
  type Scalar,
  type Tensor,
  upload,
  withoutGradient,
} from '../../src/engine/index.ts';
import type { MTUNet } from '../../src/mtunet/model.ts';
import { type SchemeConfig, UncertaintyScheme } from '../../src/mtunet/schemes/uncertainty.ts';
import { expectAllClose, type Tolerance } from '../support/all-close.ts';
import { testGpu } from '../support/gpu.ts';
import {
  describeTrace,
  optimizerOf,
  type RecordedTrace,
  type RecordedTraining,
  recordedTrainings,
  schemeOf,
  tolerance,
} from '../support/recorded-training.ts';

const trainings = await recordedTrainings();

/**
 * A trace is ten steps. Unless all are asked for (`npm run test:trainings`, or a folder of one's own in GOLDEN), the suite takes every scheme
 * under the settings that have the most of them, and under each other optimizer, rate or parameter one scheme, in turn.
 */
const everything = process.env.TRAININGS === 'all' || Boolean(process.env.GOLDEN);

function chosen(traces: readonly RecordedTrace[]): readonly RecordedTrace[] {
  if (everything) return traces;
  const groups = new Map<string, RecordedTrace[]>();
  for (const trace of traces) {
    const { opt = 'Adam', config, lr, sigma_param } = trace;
    const settings = JSON.stringify([opt, config ?? lr, sigma_param]);
    groups.set(settings, [...(groups.get(settings) ?? []), trace]);
  }
  const [largest, ...others] = [...groups.values()].sort((a, b) => b.length - a.length);
  return [...largest, ...others.map((group, i) => group[i % group.length])];
}

describe('recorded training', () => {
  it('is there', () => {
    expect(trainings.length).toBeGreaterThan(0);
  });

  for (const training of trainings) describe(`mtunet_${training.tag}`, () => describeTraining(training));
});

function describeTraining(training: RecordedTraining): void {
  const { meta, others } = training;

  it('has the recorded parameters in the recorded order', async () => {
    using model = training.network(await testGpu());
    const parameters = [...model.parameters()];
    expect(parameters.map(({ name }) => name)).toEqual(meta.param_order);
    expect(model.parameterCount).toBe(meta.n_params);
    for (const { name, tensor } of parameters)
      expect([...tensor.shape], name).toEqual([...training.read(`init/${name}`).shape]);
  });

  it('predicts in evaluation mode', async () => {
    const gpu = await testGpu();
    using model = training.network(gpu);
    model.train(false);
    const got = await gpu.step(() => withoutGradient(gpu, () => training.forward(model, gpu)));
    expectOutputs(training, 'eval', got);
    expectLosses(got.losses, meta.eval);
  });

  it('predicts in training mode and moves the running statistics', async () => {
    const gpu = await testGpu();
    using model = training.network(gpu);
    const intermediates = watch(model);
    const { features, ...got } = await gpu.step(() => {
      const outputs = training.forward(model, gpu);
      return { ...outputs, features: { ...intermediates } };
    });
    expectOutputs(training, 'train', { ...got, ...features });
    for (const recorded of Object.values(meta.train)) expectLosses(got.losses, recorded);
    const { tensors, counters } = await model.stateDict();
    const buffers = training.under('train/buffers_after');
    expect(buffers).toEqual(expect.arrayContaining([...tensors.keys()].filter((name) => name.includes('running'))));
    for (const name of buffers) {
      expectAllClose(
        tensors.get(name)!.values,
        training.read(`train/buffers_after/${name}`).values,
        name,
        tolerance.buffers,
      );
    }
    for (const [name, count] of counters) expect(count, name).toBe(name.endsWith('num_batches_tracked') ? 1 : 0);
  });

  for (const scheme of Object.keys(meta.train)) {
    it(`differentiates ${scheme}`, () => checkGradients(training, scheme));
  }

  // Parameters after some steps, where they are recorded.
  for (const recorded of meta.adam.filter(({ lr, sigma_param }) => lr === 1e-3 && sigma_param === 'log')) {
    for (const steps of recordedSteps(training, recorded.scheme)) {
      it(`has the losses of ${recorded.scheme} after ${steps} recorded steps`, () =>
        checkForced(training, recorded, steps));
    }
    if (training.has(`adam/${recorded.scheme}/after1`)) {
      it(`takes the first step of ${recorded.scheme} from the recorded gradients`, () =>
        checkFirstStep(training, recorded));
    }
  }

  for (const recorded of chosen([...meta.adam, ...others])) {
    it(`trains with ${describeTrace(recorded)}`, () => checkTrace(training, recorded));
  }
}

function recordedSteps(training: RecordedTraining, scheme: string): number[] {
  const folders = training.under(`adam/${scheme}`).map((name) => /^after(\d+)\//.exec(name)?.[1]);
  return [...new Set(folders)].map(Number).sort((a, b) => a - b);
}

/** The outputs of four parts of the network, to be read in the step that computes them. */
function watch(model: MTUNet): Record<'e1' | 'e5' | 'd2' | 'pooled', Tensor> {
  const seen = {} as Record<'e1' | 'e5' | 'd2' | 'pooled', Tensor>;
  const parts = new Map(
    [...model.modules()].map(({ name, module }) => [name, module as unknown as { call(input: Tensor): Tensor }]),
  );
  const listen = (name: string, listener: (input: Tensor, output: Tensor) => void) => {
    const part = parts.get(name)!;
    const call = part.call.bind(part);
    part.call = (input) => {
      const output = call(input).keep();
      listener(input, output);
      return output;
    };
  };
  listen('Conv1', (_, output) => {
    seen.e1 = output;
  });
  listen('Conv5', (_, output) => {
    seen.e5 = output;
  });
  listen('Up_conv2', (_, output) => {
    seen.d2 = output;
  });
  listen('out_classification', (input) => {
    seen.pooled = input;
  });
  return seen;
}

function expectOutputs(training: RecordedTraining, mode: 'eval' | 'train', got: Record<string, unknown>): void {
  const outputs = training.under(mode).filter((name) => !name.includes('/'));
  expect(outputs).toEqual(expect.arrayContaining(['class_logits', 'saliency_logits', 'log_softmax']));
  for (const name of outputs) {
    expectAllClose(
      got[name] as Float32Array,
      training.read(`${mode}/${name}`).values,
      `${mode}/${name}`,
      tolerance.logits,
    );
  }
}

function expectLosses(
  got: { saliency: number; diagnosis: number; total?: number },
  want: { L_s: number; L_c: number; loss?: number },
  allowed: Tolerance = tolerance.losses,
) {
  expectAllClose(got.saliency, want.L_s, 'L_s', allowed);
  expectAllClose(got.diagnosis, want.L_c, 'L_c', allowed);
  if (got.total !== undefined) expectAllClose(got.total, want.loss!, 'total', allowed);
}

async function checkGradients(training: RecordedTraining, scheme: string): Promise<void> {
  const { meta } = training;
  const gpu = await testGpu();
  using model = training.network(gpu);
  using weighting = makeScheme(gpu, scheme);
  const logSigmas: Record<string, number> = { lg_sigma_image: meta.log_sigma_s, lg_sigma_class: meta.log_sigma_c };
  const sigmas = [...weighting.parameters()];
  const start = sigmas.map(({ name }) => [name, { shape: [], values: Float32Array.of(logSigmas[name]) }] as const);
  weighting.loadStateDict({ tensors: new Map(start), counters: new Map() });
  const parameters = [...model.parameters()];
  const gradientsOf = (named: NamedTensor[]) =>
    Object.fromEntries(named.map(({ name, tensor }) => [name, tensor.gradient!]));
  const got = await gpu.step(() => {
    const { losses } = training.forward(model, gpu);
    const total = weighting.call(losses);
    backward(total);
    return { losses: { ...losses, total }, network: gradientsOf(parameters), sigmas: gradientsOf(sigmas) };
  });
  const recorded = meta.train[scheme];
  expectLosses(got.losses, recorded);
  const recordedSigmas = { lg_sigma_image: recorded.grad_log_sigma_s, lg_sigma_class: recorded.grad_log_sigma_c };
  for (const [name, want] of Object.entries(recordedSigmas)) {
    if (want === null) expect(got.sigmas, `${scheme} fixes ${name}`).not.toHaveProperty(name);
    else expectAllClose(got.sigmas[name], want, `gradient of ${name}`, tolerance.sigmaGradients);
  }
  // A smaller set leaves the gradients of some schemes out.
  const recordedNames = training.under(`grad/${scheme}`);
  if (recordedNames.length > 0) expect([...recordedNames].sort()).toEqual([...meta.param_order].sort());
  for (const name of recordedNames) {
    const want = training.read(`grad/${scheme}/${name}`).values;
    const zero = meta.zero_grad_params.includes(name);
    expectAllClose(
      got.network[name],
      want,
      `gradient of ${name}`,
      zero ? tolerance.zeroGradients : tolerance.gradients,
    );
  }
}

/** From the recorded parameters and buffers, one forward pass has the losses of the trace, and then the recorded evaluation. */
async function checkForced(training: RecordedTraining, recorded: RecordedTrace, steps: number): Promise<void> {
  const gpu = await testGpu();
  using model = training.network(gpu, `adam/${recorded.scheme}/after${steps}`);
  const forward = () => gpu.step(() => withoutGradient(gpu, () => training.forward(model, gpu).losses));
  const [, saliency, diagnosis] = recorded.trace[steps];
  expectLosses(await forward(), { L_s: saliency, L_c: diagnosis });
  const evaluation = recorded.eval_after_11_train_forwards_10_steps;
  if (steps !== 10 || !evaluation) return;
  model.train(false);
  expectLosses(await forward(), { L_s: evaluation[0], L_c: evaluation[1] });
}

/** Adam's first step is rate * sign(gradient) nearly everywhere, so float32 can turn it round where the gradient is tiny. */
async function checkFirstStep(training: RecordedTraining, recorded: RecordedTrace): Promise<void> {
  const gpu = await testGpu();
  using model = training.network(gpu);
  const gradients = training.gradientsAtOne(schemeOf[recorded.scheme]);
  const parameters = [...model.parameters()];
  const optimizer = optimizerOf(recorded, parameters);
  expect(optimizer).toBeInstanceOf(Adam);
  await gpu.step(() => {
    for (const { name, tensor } of parameters) {
      tensor.gradient = upload(
        gpu,
        tensor.axes,
        tensor.shape,
        Float32Array.from(gradients.get(name)!),
        `gradient of ${name}`,
      );
    }
    optimizer.step();
  });
  const { tensors } = await model.stateDict();
  for (const { name } of parameters) {
    if (training.meta.zero_grad_params.includes(name)) continue;
    const gradient = gradients.get(name)!;
    const largest = gradient.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    const want = training.read(`adam/${recorded.scheme}/after1/${name}`).values;
    const got = tensors.get(name)!.values;
    const errors = { large: 0, small: 0 };
    want.forEach((value, i) => {
      const kind = Math.abs(gradient[i]) > 1e-3 * largest ? 'large' : 'small';
      errors[kind] = Math.max(errors[kind], Math.abs(got[i] - value));
    });
    expect(errors.large, `${name} where the gradient is large`).toBeLessThanOrEqual(2e-5);
    expect(errors.small, `${name} where the gradient is small`).toBeLessThanOrEqual(2 * recorded.lr!);
  }
  optimizer.dispose();
}

/** Ten steps from the recorded start; only the first row of such a trace can be tight. */
async function checkTrace(training: RecordedTraining, recorded: RecordedTrace): Promise<void> {
  const gpu = await testGpu();
  using model = training.network(gpu);
  using weighting = makeScheme(gpu, recorded.scheme, recorded.sigma_param === 'log' ? 'log' : 'direct');
  const optimizer = optimizerOf(recorded, [...model.parameters(), ...weighting.parameters()]);
  const last = recorded.trace.length - 1;
  for (const [k, [total, L_s, L_c, ...sigmas]] of recorded.trace.entries()) {
    const got = await gpu.step(() => {
      const { losses } = training.forward(model, gpu);
      // Copies, because the optimizer changes sigma before the step's results are read.
      const { saliency, diagnosis } = weighting.sigmas();
      const objective: Scalar = weighting.call(losses);
      if (k < last) {
        backward(objective);
        optimizer.step({ guard: objective });
      }
      return { losses: { ...losses, total: objective }, sigmas: [saliency, diagnosis] as const };
    });
    const { opt = 'Adam' } = recorded;
    if (k === 0 || k === last)
      expectLosses(got.losses, { L_s, L_c, loss: total }, k === 0 ? tolerance.losses : tolerance.trace(opt));
    const found = got.sigmas.map((sigma) => (sigma as number | null) ?? 1);
    expectAllClose(
      found,
      sigmas,
      `sigma before step ${k}`,
      k === 0 ? tolerance.losses : tolerance.sigmaTrace(recorded),
    );
  }
  const evaluation = recorded.eval_after_11_train_forwards_10_steps;
  if (evaluation) {
    model.train(false);
    const losses = await gpu.step(() => withoutGradient(gpu, () => training.forward(model, gpu).losses));
    expectLosses(losses, { L_s: evaluation[0], L_c: evaluation[1] }, tolerance.trace(recorded.opt ?? 'Adam'));
  }
  optimizer.dispose();
}

function makeScheme(gpu: Gpu, name: string, sigmaParameter: SchemeConfig['sigmaParameter'] = 'log'): UncertaintyScheme {
  expect(Object.keys(schemeOf)).toContain(name);
  return new UncertaintyScheme(gpu, { ...schemeOf[name], sigmaParameter });
}
