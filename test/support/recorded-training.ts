/**
 * Small MT-UNets whose training is recorded in golden/oracle/mtunet_<tag>: weights, forward passes, gradients of every scheme and traces of
 * ten steps. Fields, tolerances and what can be expected of float32 are in the README there.
 */
import {
  Adam,
  Counter,
  type Gpu,
  logSoftmax,
  type NamedTensor,
  type Optimizer,
  RMSProp,
  type Scalar,
  SGD,
  type StateDict,
  type Tensor,
} from '../../src/engine/index.ts';
import { readSafetensors } from '../../src/engine/safetensors.ts';
import { predictBatch } from '../../src/mtunet/losses.ts';
import { MTUNet } from '../../src/mtunet/model.ts';
import { type SchemeConfig, schemes } from '../../src/mtunet/schemes/uncertainty.ts';
import type { Tolerance } from './all-close.ts';
import { goldenFiles, readGolden, readGoldenJson } from './browser-files.ts';

/** The README's tolerances for float32 on a GPU. */
export const tolerance = {
  logits: { absolute: 2e-4, relative: 0 },
  losses: { absolute: 2e-5, relative: 0 },
  gradients: { absolute: 0, relative: 1e-3 },
  zeroGradients: { absolute: 1e-4, relative: 0 },
  buffers: { absolute: 0, relative: 1e-5 },
  sigmaGradients: { absolute: 0, relative: 1e-5 },
  /**
   * After ten steps on one's own. Adam's path of sigma is well conditioned, unless its gradient passes zero on the way: then the recording's own
   * float64 runs with float32-sized noise drift further, and say how far.
   */
  trace: (optimizer: string): Tolerance => ({ absolute: optimizer === 'RMSprop' ? 5e-2 : 2e-2, relative: 0 }),
  sigmaTrace: ({ opt = 'Adam', noise_max_abs_dev = [] }: RecordedTrace): Tolerance =>
    opt === 'Adam' ? { absolute: Math.max(2e-5, ...noise_max_abs_dev.slice(3)), relative: 0 } : tolerance.trace(opt),
} as const;

type TraceRow = [total: number, saliency: number, diagnosis: number, sigmaSaliency: number, sigmaDiagnosis: number];

/** Row k of the trace holds the state before step k. */
export interface RecordedTrace {
  readonly opt?: 'Adam' | 'SGD' | 'RMSprop';
  readonly lr?: number;
  readonly config?: Readonly<Record<string, number>>;
  readonly scheme: string;
  readonly sigma_param: 'log' | 'sigma';
  readonly trace: readonly TraceRow[];
  /** Drift of float64 runs with float32-sized noise in the gradients, a column each; zeros where it was not measured. */
  readonly noise_max_abs_dev?: readonly number[];
  readonly eval_after_11_train_forwards_10_steps?: readonly [saliency: number, diagnosis: number];
}

interface RecordedScheme {
  readonly loss: number;
  readonly L_s: number;
  readonly L_c: number;
  readonly grad_log_sigma_s: number | null;
  readonly grad_log_sigma_c: number | null;
}

interface Meta {
  readonly base: number;
  readonly batch: number;
  readonly H: number;
  readonly W: number;
  readonly n_params: number;
  readonly log_sigma_s: number;
  readonly log_sigma_c: number;
  readonly zero_grad_params: readonly string[];
  readonly param_order: readonly string[];
  readonly eval: { readonly L_s: number; readonly L_c: number };
  readonly train: Readonly<Record<string, RecordedScheme>>;
  readonly adam: readonly RecordedTrace[];
}

/** The recorded schemes by their names in the files. "fixed" means sigma = 1; only the released code keeps its ln 2. */
export const schemeOf: Readonly<Record<string, SchemeConfig>> = {
  mtls1: schemes.mtls1,
  mtls_fix_c: schemes.mtls2,
  mtls_fix_s: schemes.mtls3,
  released_fix_s: { ...schemes.mtls3, halfSaliency: true, fixedTerm: true },
  released_both: { ...schemes.mtls1, halfSaliency: true },
  plain_sum: schemes.sum,
};

type Recorded = { readonly shape: readonly number[]; readonly values: Float64Array };

export class RecordedTraining {
  readonly tag: string;
  readonly meta: Meta;
  /** Traces with other optimizers and settings. */
  readonly others: readonly RecordedTrace[];
  private readonly tensors: ReturnType<typeof readSafetensors>['tensors'];

  private constructor(tag: string, meta: Meta, tensors: Uint8Array, others: readonly RecordedTrace[]) {
    this.tag = tag;
    this.others = others;
    this.meta = meta;
    this.tensors = readSafetensors(tensors).tensors;
  }

  static async read(tag: string, others: readonly RecordedTrace[]): Promise<RecordedTraining> {
    const meta = await readGoldenJson(`oracle/mtunet_${tag}.json`);
    return new RecordedTraining(tag, meta, await readGolden(`oracle/mtunet_${tag}.safetensors`), others);
  }

  has(prefix: string): boolean {
    return this.under(prefix).length > 0;
  }

  /** Names below "prefix/", without it. */
  under(prefix: string): string[] {
    return [...this.tensors.keys()]
      .filter((name) => name.startsWith(`${prefix}/`))
      .map((name) => name.slice(prefix.length + 1));
  }

  read(name: string): Recorded {
    const tensor = this.tensors.get(name);
    if (!tensor) throw new Error(`mtunet_${this.tag}.safetensors has no ${name}`);
    return { shape: tensor.shape, values: tensor.toFloat64() };
  }

  /** The network with the weights and buffers below `prefix`, in training mode. */
  network(gpu: Gpu, prefix = 'init'): MTUNet {
    const model = new MTUNet(gpu, {
      base: this.meta.base,
      inputChannels: this.read('init/Conv1.0.weight').shape[1],
      classes: this.read('init/out_classification.linear_2.bias').shape[0],
      dropout: 0,
    });
    const counters = [...model.entries()]
      .filter(({ member }) => member instanceof Counter)
      .map(({ name }) => [name, 0] as const);
    return model.loadStateDict({ tensors: this.state(prefix), counters: new Map(counters) });
  }

  private state(prefix: string): StateDict['tensors'] {
    return new Map(
      this.under(prefix).map((name) => {
        const { shape, values } = this.read(`${prefix}/${name}`);
        return [name, { shape, values: Float32Array.from(values) }];
      }),
    );
  }

  /** The recorded batch; each image's gaze is divided by its sum. */
  private batch() {
    const { batch, H, W } = this.meta;
    const images = Float32Array.from(this.read('x').values);
    const labels = Uint32Array.from(this.read('y').values);
    const { values } = this.read('gaze');
    const gaze = new Float32Array(values.length);
    for (let n = 0; n < batch; n++) {
      const map = values.subarray(n * H * W, (n + 1) * H * W);
      const total = map.reduce((sum, value) => sum + value, 0);
      map.forEach((value, i) => {
        gaze[n * H * W + i] = value / total;
      });
    }
    return { images, gaze, labels };
  }

  /** One forward pass of the recorded batch, inside a step. */
  forward(model: MTUNet, gpu: Gpu) {
    const { H, W } = this.meta;
    const { prediction, losses } = predictBatch(gpu, model, this.batch(), { height: H, width: W });
    const { diagnosis, saliency } = prediction;
    if (!diagnosis || !saliency) throw new Error('the recorded networks have both heads');
    return {
      class_logits: diagnosis,
      saliency_logits: saliency,
      log_softmax: logSoftmax(saliency, 'HW') as Tensor<'NHW'>,
      losses: losses as { saliency: Scalar; diagnosis: Scalar },
    };
  }

  /**
   * Gradients of all parameters under `config` at sigma = 1, where that is not how they were recorded: every recorded gradient is
   * a L_s' + b L_c' with known a and b, and two schemes of different a / b give both.
   */
  gradientsAtOne(config: SchemeConfig): Map<string, Float64Array> {
    const { log_sigma_s, log_sigma_c, param_order } = this.meta;
    const recorded = Object.keys(this.meta.train).filter((scheme) => this.has(`grad/${scheme}`));
    const factors = recorded.map((scheme) => lossFactors(schemeOf[scheme], log_sigma_s, log_sigma_c));
    let best = { determinant: 0, i: -1, j: -1 };
    factors.forEach(([a, b], i) => {
      factors.forEach(([c, d], j) => {
        const determinant = a * d - b * c;
        if (Math.abs(determinant) > Math.abs(best.determinant)) best = { determinant, i, j };
      });
    });
    if (best.i < 0) throw new Error(`mtunet_${this.tag}: no two recorded schemes tell the tasks' gradients apart`);
    const [[a, b], [c, d]] = [factors[best.i], factors[best.j]];
    const [x, y] = lossFactors(config, 0, 0);
    // p (a, b) + q (c, d) = (x, y)
    const p = (x * d - y * c) / best.determinant;
    const q = (a * y - b * x) / best.determinant;
    return new Map(
      param_order.map((name) => {
        const first = this.read(`grad/${recorded[best.i]}/${name}`).values;
        const second = this.read(`grad/${recorded[best.j]}/${name}`).values;
        return [name, first.map((value, i) => p * value + q * second[i])];
      }),
    );
  }
}

/** What the scheme multiplies L_s and L_c by. */
function lossFactors(
  config: SchemeConfig,
  logSigmaSaliency: number,
  logSigmaClass: number,
): [saliency: number, diagnosis: number] {
  const factor = (sigma: 'learnt' | 'fixed', logSigma: number) => (sigma === 'learnt' ? Math.exp(-2 * logSigma) : 1);
  return [
    factor(config.saliencySigma, logSigmaSaliency) * (config.halfSaliency ? 0.5 : 1),
    factor(config.classSigma, logSigmaClass),
  ];
}

/** PyTorch's optimizers and settings by their names. */
export function optimizerOf(
  { opt = 'Adam', config = {}, lr }: RecordedTrace,
  parameters: Iterable<NamedTensor>,
): Optimizer {
  const names: Record<string, string> = { lr: 'learningRate', eps: 'epsilon', momentum: 'momentum', alpha: 'alpha' };
  const options = Object.fromEntries(
    Object.entries({ ...config, ...(lr !== undefined && { lr }) }).map(([name, value]) => {
      if (!(name in names)) throw new Error(`${opt}: the tests do not know the recorded setting ${name}`);
      return [names[name], value];
    }),
  );
  return new { Adam, SGD, RMSprop: RMSProp }[opt](parameters, options);
}

export function describeTrace({ opt = 'Adam', config, lr, scheme, sigma_param }: RecordedTrace): string {
  const settings = Object.entries(config ?? { lr }).map(([name, value]) => `${name} ${value}`);
  return `${opt} ${settings.join(', ')}, ${scheme}, optimizing ${sigma_param === 'log' ? 'ln sigma' : 'sigma'}`;
}

/** What the folder holds, found by the files' names. */
export async function recordedTrainings(): Promise<RecordedTraining[]> {
  const files = await goldenFiles('oracle');
  const tags = files.flatMap((file) => /^mtunet_(.+)\.safetensors$/.exec(file)?.[1] ?? []);
  return Promise.all(
    tags.map(async (tag) => {
      const other = `mtunet_${tag}_otheropt.json`;
      return RecordedTraining.read(tag, files.includes(other) ? (await readGoldenJson(`oracle/${other}`)).cases : []);
    }),
  );
}
