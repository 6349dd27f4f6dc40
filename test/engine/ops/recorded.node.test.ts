/** Every recorded operation of golden/oracle/ops.json, forward and backward. The cases are what the file holds. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import * as engine from '../../../src/engine/index.ts';
import { backward, type Gpu, parameter, type Tensor, upload } from '../../../src/engine/index.ts';
import { readSafetensors } from '../../../src/engine/safetensors.ts';
import { expectAllClose, OPERATION, type Tolerance } from '../../support/all-close.ts';
import { testGpu } from '../../support/gpu.ts';

const folder = `${process.env.GOLDEN ?? 'test/golden'}/oracle`;

interface RecordedCase {
  readonly name: string;
  readonly op: string;
  // biome-ignore lint/suspicious/noExplicitAny: attributes differ from operation to operation, as PyTorch names them
  readonly attrs: any;
  readonly inputs: readonly string[];
  readonly grad_wrt: readonly string[];
  readonly aux: readonly string[];
}

const { cases } = JSON.parse(readFileSync(`${folder}/ops.json`, 'utf8')) as { cases: RecordedCase[] };
const { tensors } = readSafetensors(readFileSync(`${folder}/ops.safetensors`));

function recorded(name: string): { shape: readonly number[]; values: Float64Array } {
  const tensor = tensors.get(name);
  if (!tensor) throw new Error(`ops.safetensors has no ${name}`);
  return { shape: tensor.shape, values: tensor.toFloat64() };
}

type Inputs = Record<string, Tensor>;
type Result = { out: Tensor; aux?: Inputs };

/** Axis letters of inputs whose meaning is not N C H W by position. */
const letters: Record<string, Record<string, string>> = {
  conv2d: { w: 'OCRS', b: 'C' },
  conv_transpose2d: { w: 'OCRS', b: 'C' },
  batch_norm: { weight: 'C', bias: 'C', running_mean: 'C', running_var: 'C' },
  linear: { w: 'OC', b: 'C' },
  cross_entropy: { w: 'C' },
};

// biome-ignore lint/suspicious/noExplicitAny: recorded shapes are not known to the compiler
const operations: Record<string, (inputs: any, attrs: any) => Result> = {
  conv2d: ({ x, w, b }, attrs) => ({ out: engine.conv2d(x, w, b ?? null, attrs) }),
  conv_transpose2d: ({ x, w, b }, { stride, padding, output_padding, groups }) => ({
    out: engine.convTranspose2d(x, w, b ?? null, { stride, padding, outputPadding: output_padding, groups }),
  }),
  batch_norm: ({ x, weight, bias, running_mean, running_var }, { training, momentum, eps }) => {
    const C = x.shape[1];
    const runningMean = running_mean ?? upload(x.gpu, 'C', [C], new Float32Array(C));
    const runningVariance = running_var ?? upload(x.gpu, 'C', [C], new Float32Array(C).fill(1));
    const out = engine.batchNorm(
      { input: x, weight, bias, runningMean, runningVariance },
      { training, momentum, epsilon: eps },
    );
    return { out, aux: { new_running_mean: runningMean, new_running_var: runningVariance } };
  },
  max_pool2d: ({ x }, { kernel_size, stride, padding }) => ({
    out: engine.maxPool2d(x, { size: kernel_size, stride, padding }),
  }),
  avg_pool2d: ({ x }, { kernel_size, stride, padding, count_include_pad }) => ({
    out: engine.averagePool2d(x, { size: kernel_size, stride, padding, countPadding: count_include_pad }),
  }),
  mean_hw: ({ x }) => ({ out: engine.mean(x, 'HW') }),
  interpolate: ({ x }, { mode, align_corners, size }) => ({
    out:
      mode === 'nearest'
        ? engine.upsampleNearest(x, size)
        : engine.upsampleBilinear(x, size, align_corners ? 'align' : 'half-pixel'),
  }),
  relu: ({ x }) => ({ out: engine.relu(x) }),
  linear: ({ x, w, b }) => ({ out: engine.linear(x, w, b ?? null) }),
  cat: ({ a, b }, { dim }) => ({ out: engine.concat([a, b], 'NCHW'[dim]) }),
  dropout: ({ x, keep }, { p }) => ({ out: engine.multiply(x, engine.scale(keep, 1 / (1 - p))) }),
  log_softmax: ({ x }) => ({ out: engine.logSoftmax(x, x.axes.at(-1)) }),
  softmax: ({ x }) => ({ out: engine.softmax(x, x.axes.at(-1)) }),
  kl_div_logits: ({ x, q }) => ({
    out: engine.klDivergence(engine.logSoftmax(x, x.axes.slice(x.axes.indexOf('H'))), q),
  }),
  cross_entropy: ({ x, w, y }) => ({ out: engine.crossEntropy(x, y, w) }),
  bce_with_logits: ({ x, y }) => ({ out: engine.bceWithLogits(x, y) }),
};

/** Exceptions of golden/oracle/README.md. */
function tolerances(name: string): { out: Tolerance; grad: Tolerance } {
  const both = (tolerance: Tolerance) => ({ out: tolerance, grad: tolerance });
  if (/^batchnorm_(train|eval)_4$/.test(name)) return both({ absolute: 1e-6, relative: 2e-4 });
  if (name === 'batchnorm_train_constant_channel') return both({ absolute: 1e-5, relative: 1e-5 });
  if (name === 'softmax_3') return { out: OPERATION, grad: { absolute: 1e-6, relative: 0 } };
  if (name === 'log_softmax_3') return { out: { absolute: 1e-4, relative: 0 }, grad: { absolute: 1e-6, relative: 0 } };
  return both(OPERATION);
}

function uploadInput(gpu: Gpu, recordedCase: RecordedCase, role: string): Tensor {
  const { shape, values } = recorded(`${recordedCase.name}/in/${role}`);
  const byPosition = shape.length === 3 ? 'NHW' : 'NCHW'.slice(0, shape.length);
  const axes = letters[recordedCase.op]?.[role] ?? byPosition;
  if (recordedCase.op === 'cross_entropy' && role === 'y')
    return upload(gpu, 'N', shape, Uint32Array.from(values), role);
  if (recordedCase.grad_wrt.includes(role)) return parameter(gpu, axes, shape, Float32Array.from(values), role);
  return upload(gpu, axes, shape, Float32Array.from(values), role);
}

describe('recorded operations', () => {
  it('has cases', () => {
    expect(cases.length).toBeGreaterThan(0);
  });

  it.each(cases.map((recordedCase) => [recordedCase.name, recordedCase] as const))('%s', async (name, recordedCase) => {
    const gpu = await testGpu();
    const operation = operations[recordedCase.op];
    expect(operation, `an operation named ${recordedCase.op}`).toBeDefined();
    const inputs: Inputs = Object.fromEntries(
      recordedCase.inputs.map((role) => [role, uploadInput(gpu, recordedCase, role)]),
    );
    const { out, aux, grads } = await gpu.step(() => {
      const result = operation(inputs, recordedCase.attrs);
      result.out.keep();
      const upstream = recorded(`${name}/grad_out`);
      const weights = upload(gpu, result.out.axes, result.out.shape, Float32Array.from(upstream.values), 'upstream');
      const loss =
        result.out.shape.length === 0
          ? engine.multiply(result.out, weights)
          : engine.sum(engine.multiply(result.out, weights));
      backward(loss as Tensor<''>);
      const gradients = Object.fromEntries(
        recordedCase.grad_wrt.map((role) => [role, inputs[role].gradient as Tensor<'C'>]),
      );
      const extra = Object.fromEntries(recordedCase.aux.map((role) => [role, result.aux?.[role] as Tensor<'C'>]));
      return { out: result.out as Tensor<'C'>, aux: extra, grads: gradients };
    });
    const { out: outTolerance, grad: gradTolerance } = tolerances(name);
    expectAllClose(out, recorded(`${name}/out`).values, `${name} out`, outTolerance);
    for (const [role, values] of Object.entries(grads))
      expectAllClose(values, recorded(`${name}/grad/${role}`).values, `${name} grad/${role}`, gradTolerance);
    for (const [role, values] of Object.entries(aux))
      expectAllClose(values, recorded(`${name}/aux/${role}`).values, `${name} aux/${role}`, outTolerance);
  });
});
