/**
 * A run that can be stopped between any two steps, changed by hand, and taken back: the Trainer's parts, one step at a time.
 *
 * With nothing changed by hand its losses are those of the Trainer.
 */
import { type Batch, batches } from '../../data/batches.ts';
import type { ChestDataset, ChestSample } from '../../data/dataset.ts';
import { Dropout, type Gpu, type Optimizer, type Tensor, upload, write } from '../../engine/index.ts';
import { type Snapshot, takeSnapshot } from '../../mtunet/checkpoint.ts';
import type { TrainConfig } from '../../mtunet/config.ts';
import { meanLosses } from '../../mtunet/evaluate.ts';
import { predictBatch } from '../../mtunet/losses.ts';
import type { Network } from '../../mtunet/network.ts';
import { buildNetwork } from '../../mtunet/networks.ts';
import { makeOptimizer } from '../../mtunet/optimizer.ts';
import { makeScheme } from '../../mtunet/schemes/index.ts';
import { perTask, type Scheme, type StepContext, TASKS, type Task } from '../../mtunet/schemes/scheme.ts';
import type { EpochRow, Picture, StepRow } from './protocol.ts';

/** Which task's gradient a step follows. */
export type Follow = 'both' | Task;

export interface Moment {
  readonly snapshot: Snapshot;
  readonly steps: number;
  readonly draws: readonly number[];
}

const TENSORS = { saliency: ['lg_sigma_image', 'sigma_image'], diagnosis: ['lg_sigma_class', 'sigma_class'] } as const;

export class LiveRun {
  readonly model: Network;
  readonly scheme: Scheme;
  readonly config: TrainConfig;
  readonly optimizer: Optimizer;
  private readonly gpu: Gpu;
  private readonly data: ChestDataset;
  private steps = 0;
  /** The epoch's batches in their order, made at its first step. */
  private order: { readonly epoch: number; readonly batches: readonly Batch[] } | null = null;
  /** Sigmas that a hand holds. */
  private readonly held: Partial<Record<Task, number>> = {};
  /** Raw losses of the epoch so far. */
  private seen: Record<Task, number[]> = { saliency: [], diagnosis: [] };

  constructor(gpu: Gpu, config: TrainConfig, data: ChestDataset) {
    this.gpu = gpu;
    this.config = config;
    this.data = data;
    this.model = buildNetwork(gpu, config.network, data.classNames.length, config.seed);
    this.scheme = makeScheme(gpu, config.scheme, config.seed);
    this.optimizer = makeOptimizer(config, this.model, this.scheme);
  }

  get stepsDone(): number {
    return this.steps;
  }

  get stepsPerEpoch(): number {
    return Math.ceil(this.data.train.length / this.config.batchSize);
  }

  /** Holds the sigma of a task at a value, or lets it go. Only a learnt sigma can be held. */
  hold(task: Task, sigma: number | null): void {
    if (sigma === null) delete this.held[task];
    else this.held[task] = sigma;
  }

  /** One optimizer step, and the validation losses after an epoch's last. */
  async step(follow: Follow): Promise<{ row: StepRow; epoch: EpochRow | null }> {
    const { gpu, model, scheme, optimizer, config } = this;
    const epoch = Math.floor(this.steps / this.stepsPerEpoch) + 1;
    const batch = this.batchOf(epoch, this.steps % this.stepsPerEpoch);
    model.train();
    this.writeHeld();
    const all = [...model.parameters(), ...scheme.parameters()];
    const forward = () => {
      const { losses, prediction } = predictBatch(gpu, model, batch, config);
      const wanted = perTask((task) => (follow === 'both' || follow === task ? losses[task] : null));
      return { losses: wanted, representation: prediction.representation };
    };
    const step = this.steps + 1;
    const run: StepContext['run'] = (body) => gpu.step(body);
    const got = await scheme.step({ gpu, forward, parameters: all, optimizer, step, run });
    const raw = perTask((task) => got.losses[task] ?? null);
    this.steps++;
    if (!Number.isFinite(got.loss)) {
      const problem = scheme.problemOf(got.sigmas);
      throw new Error(
        `The loss is ${got.loss} at step ${this.steps}: ${problem ?? `reset, or take a learning rate below ${optimizer.learningRate}`}.`,
      );
    }
    const sigma = perTask((task) => (model.tasks[task] ? got.sigmas[task] : null));
    const weight = perTask((task) => (raw[task] === null ? null : got.weights[task]));
    const row: StepRow = { step: this.steps, epoch, loss: got.loss, raw, sigma, weight, rate: optimizer.learningRate };
    for (const task of TASKS) {
      const loss = raw[task];
      if (loss !== null) this.seen[task].push(loss);
    }
    return { row, epoch: this.steps % this.stepsPerEpoch === 0 ? await this.endEpoch(epoch) : null };
  }

  /** Class probabilities and saliency of each film, in evaluation mode. */
  async look(films: readonly Pick<ChestSample, 'image'>[]): Promise<Picture[]> {
    const { gpu, model, config } = this;
    const { height, width } = config;
    const images = new Float32Array(films.length * height * width);
    films.forEach(({ image }, i) => {
      images.set(image, i * height * width);
    });
    model.train(false);
    const { diagnosis, saliency } = await gpu.step(() => {
      const given = model.call(upload(gpu, 'NCHW', [films.length, 1, height, width], images));
      return { diagnosis: given.diagnosis as Tensor<'NC'>, saliency: given.saliency as Tensor<'NHW'> };
    });
    return films.map((_, i) => ({
      classes: diagnosis ? softmax(diagnosis, i, films.length) : null,
      saliency: saliency ? softmax(saliency, i, films.length) : null,
    }));
  }

  async moment(): Promise<Moment> {
    const { model: network, scheme, optimizer } = this;
    const draws = this.dropouts().map((layer) => layer.draws);
    return { snapshot: await takeSnapshot({ network, scheme, optimizer }), steps: this.steps, draws };
  }

  return({ snapshot, steps, draws }: Moment): void {
    this.model.loadStateDict(snapshot.network);
    this.scheme.loadStateDict(snapshot.scheme);
    this.scheme.restore(snapshot.memory);
    this.optimizer.load(snapshot.optimizer);
    this.steps = steps;
    this.dropouts().forEach((layer, i) => {
      layer.draws = draws[i];
    });
    this.seen = { saliency: [], diagnosis: [] };
  }

  dispose(): void {
    this.model.dispose();
    this.scheme.dispose();
    this.optimizer.dispose();
  }

  private async endEpoch(epoch: number): Promise<EpochRow> {
    const { gpu, model, scheme, data, config, seen } = this;
    const { losses, accuracy } = await meanLosses(gpu, model, scheme, data.valid, config);
    const train = perTask((task) =>
      seen[task].length ? seen[task].reduce((a, b) => a + b) / seen[task].length : null,
    );
    scheme.endEpoch(train);
    this.seen = { saliency: [], diagnosis: [] };
    const valid = { saliency: losses.saliencyLoss, diagnosis: losses.classLoss };
    return { epoch, step: this.steps, train, valid, validLoss: losses.loss, accuracy };
  }

  private batchOf(epoch: number, index: number): Batch {
    if (this.order?.epoch !== epoch) {
      const { batchSize, seed } = this.config;
      this.order = { epoch, batches: [...batches(this.data.train, { batchSize, seed, epoch })] };
    }
    return this.order.batches[index];
  }

  private writeHeld(): void {
    const members = this.scheme.members();
    for (const task of TASKS) {
      const sigma = this.held[task];
      const [logName, name] = TENSORS[task];
      if (sigma === undefined) continue;
      if (members[logName]) write(members[logName], Float32Array.of(Math.log(sigma)));
      else if (members[name]) write(members[name], Float32Array.of(sigma));
    }
  }

  private dropouts(): Dropout[] {
    return [...this.model.modules()].flatMap(({ module }) => (module instanceof Dropout ? [module] : []));
  }
}

/** Row i of `rows` equal rows of logits, as probabilities. */
function softmax(logits: Float32Array, i: number, rows: number): Float32Array {
  const length = logits.length / rows;
  const row = logits.subarray(i * length, (i + 1) * length);
  const top = row.reduce((a, b) => Math.max(a, b));
  const powers = row.map((value) => Math.exp(value - top));
  const sum = powers.reduce((a, b) => a + b);
  return powers.map((power) => power / sum);
}
