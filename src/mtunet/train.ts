/**
 * The training loop of the paper's Appendix B: Adam, a plateau schedule that cuts the rate and goes back to the best epoch, early stop.
 *
 * Reads a data set and tells hooks what happens; knows no files. A run that is interrupted and resumed from its checkpoint ends with the
 * same bits as one that was not.
 */
import { type Batch, batches } from '../data/batches.ts';
import type { ChestDataset } from '../data/dataset.ts';
import {
  backward,
  type CosineWarmRestarts,
  Dropout,
  type Gpu,
  type LossScaler,
  type LossScalerState,
  type Optimizer,
  type StateDict,
  StepRecorder,
} from '../engine/index.ts';
import { findNonFinite } from '../engine/ops/audit.ts';
import { type Checkpoint, type Snapshot, takeSnapshot } from './checkpoint.ts';
import type { TrainConfig } from './config.ts';
import { meanLosses, SplitTotals } from './evaluate.ts';
import { gazeEntropy, predictBatch } from './losses.ts';
import type { Network } from './network.ts';
import { buildNetwork } from './networks.ts';
import { NonFiniteLossError } from './non-finite-loss.ts';
import { makeOptimizer } from './optimizer.ts';
import { preparePipelines } from './pipelines.ts';
import type { PlateauReset, PlateauResetState, StopReason } from './plateau-reset.ts';
import { asConfigured, scalerOf } from './precision.ts';
import type { EpochRecord, SplitLosses, StepRecord } from './records.ts';
import { makeSchedules } from './schedules.ts';
import { makeScheme } from './schemes/index.ts';
import { type PerTask, perTask, type Scheme, type TaskValues } from './schemes/scheme.ts';
import { WaitingTime } from './waiting-time.ts';
import { overlaid } from './weight-fit.ts';
import { WeightMeans, weightFields } from './weight-means.ts';

export interface TrainHooks {
  /** After every optimizer step. */
  step?(record: StepRecord, of: { readonly stepsPerEpoch: number; readonly epochs: number }): void;
  epoch?(record: EpochRecord): void;
  /** After every epoch, and when the run is interrupted. */
  checkpoint?(checkpoint: Checkpoint): void | Promise<void>;
}

export interface TrainOutcome {
  readonly stop: StopReason | 'interrupted';
  /** The epoch whose network is the best; 0 before the first epoch has ended. */
  readonly bestEpoch: number;
}

interface TrainProgress {
  readonly config: TrainConfig;
  readonly dataHash: string;
  /** Epoch under way, from 1, and how many of its batches are done. */
  readonly epoch: number;
  readonly batchesDone: number;
  readonly totals: ReturnType<SplitTotals['save']>;
  readonly weights: ReturnType<WeightMeans['save']>;
  readonly steps: number;
  readonly bestEpoch: number;
  readonly draws: readonly number[];
  readonly schedule: PlateauResetState;
  /** Why training is over, once it is: a run that was killed after its last epoch trains no further one. */
  readonly ended: StopReason | null;
  /** Seconds of this epoch before an interruption. */
  readonly seconds: number;
  /** Of a training in half precision. */
  readonly lossScale?: LossScalerState;
}

export class Trainer {
  readonly model: Network;
  readonly scheme: Scheme;
  readonly config: TrainConfig;
  /** How long the steps waited for their data. */
  readonly waiting = new WaitingTime();
  private readonly gpu: Gpu;
  private readonly dataset: ChestDataset;
  private readonly hooks: TrainHooks;
  private readonly optimizer: Optimizer;
  private readonly scaler: LossScaler | null;
  /** Steps with the same network, scheme and sizes are done again from a recording. */
  readonly recorder: StepRecorder;
  private readonly schedule: PlateauReset;
  private readonly cosine: CosineWarmRestarts | null;
  private best: Snapshot | null = null;
  private bestEpoch = 0;
  private epoch = 1;
  private batchesDone = 0;
  private totals = new SplitTotals();
  private weights = new WeightMeans();
  private steps = 0;
  private secondsBefore = 0;
  private ended: StopReason | null = null;

  constructor(gpu: Gpu, config: TrainConfig, dataset: ChestDataset, hooks: TrainHooks = {}) {
    checkDataset(config, dataset);
    this.gpu = gpu;
    this.scaler = scalerOf(gpu, config);
    this.recorder = new StepRecorder(gpu);
    this.config = config;
    this.dataset = dataset;
    this.hooks = hooks;
    this.model = buildNetwork(gpu, config.network, dataset.classNames.length, config.seed);
    this.scheme = makeScheme(gpu, config.scheme, config.seed);
    this.optimizer = makeOptimizer(config, this.model, this.scheme);
    [this.schedule, this.cosine] = makeSchedules(config);
  }

  /** Steps done so far, and the epoch under way; what the logs may hold at most. */
  get position(): { readonly steps: number; readonly epoch: number } {
    return { steps: this.steps, epoch: this.epoch };
  }

  get stepsPerEpoch(): number {
    return Math.ceil(this.dataset.train.length / this.config.batchSize);
  }

  /** Trains until a stop rule holds or `signal` is aborted; an interrupted run ends between two steps, after a checkpoint. */
  async run(signal?: AbortSignal): Promise<TrainOutcome> {
    if (this.ended === null) await preparePipelines(this.gpu, this.config, this.dataset);
    while (this.ended === null) {
      const whole = await this.trainEpoch(signal);
      if (!whole) return { stop: 'interrupted', bestEpoch: this.bestEpoch };
    }
    await this.loadBest('network');
    return { stop: this.ended, bestEpoch: this.bestEpoch };
  }

  /** Begins with these values where they are the network's or the scheme's; the others stay as they were drawn. Before run(). */
  async begin(initial: StateDict): Promise<void> {
    for (const part of [this.model, this.scheme]) part.loadStateDict(overlaid(await part.stateDict(), initial));
  }

  async checkpoint(): Promise<Checkpoint> {
    const current = await takeSnapshot({ network: this.model, scheme: this.scheme, optimizer: this.optimizer });
    const { config, epoch, batchesDone, steps, bestEpoch, schedule } = this;
    const progress: TrainProgress = {
      config,
      dataHash: this.dataset.hash,
      epoch,
      batchesDone,
      totals: this.totals.save(),
      weights: this.weights.save(),
      steps,
      bestEpoch,
      draws: this.dropouts().map(({ draws }) => draws),
      schedule: schedule.state,
      ended: this.ended,
      seconds: this.secondsBefore,
      ...(this.scaler && { lossScale: this.scaler.state }),
    };
    return { current, best: this.best, progress: progress as unknown as Checkpoint['progress'] };
  }

  /** Goes on where `checkpoint` was taken. */
  resume({ current, best, progress }: Checkpoint): void {
    const saved = progress as unknown as TrainProgress;
    if (saved.dataHash !== this.dataset.hash) {
      throw new Error(
        `The checkpoint was made with data ${saved.dataHash}, but the data now are ${this.dataset.hash}; resume with the data that the run began with.`,
      );
    }
    this.load(current, 'everything');
    this.best = best;
    this.bestEpoch = saved.bestEpoch;
    this.epoch = saved.epoch;
    this.batchesDone = saved.batchesDone;
    this.totals = SplitTotals.load(saved.totals);
    this.weights = WeightMeans.load(saved.weights);
    this.steps = saved.steps;
    this.secondsBefore = saved.seconds;
    this.schedule.load(saved.schedule);
    this.ended = saved.ended;
    if (saved.lossScale) this.scaler?.load(saved.lossScale);
    this.dropouts().forEach((layer, i) => {
      layer.draws = saved.draws[i];
    });
  }

  dispose(): void {
    this.recorder.dispose();
    this.model.dispose();
    this.scheme.dispose();
    this.optimizer.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  private async trainEpoch(signal?: AbortSignal): Promise<boolean> {
    const { config, dataset, hooks } = this;
    const started = performance.now();
    // The rate of the epoch's first step, also when this is the rest of an interrupted epoch.
    const learningRate = this.cosine ? this.cosine.step(this.epoch - 1) : this.schedule.learningRate;
    this.optimizer.learningRate = learningRate;
    this.model.train();
    const { batchSize, seed, augmentation, height, width } = config;
    const order = {
      batchSize,
      seed,
      epoch: this.epoch,
      from: this.batchesDone,
      augment: { augmentation, height, width },
    };
    for await (const batch of this.waiting.timed(dataset.load?.('train', order) ?? batches(dataset.train, order))) {
      if (signal?.aborted) {
        this.secondsBefore += (performance.now() - started) / 1000;
        await hooks.checkpoint?.(await this.checkpoint());
        return false;
      }
      if (this.cosine)
        this.optimizer.learningRate = this.cosine.step(this.epoch - 1 + this.batchesDone / this.stepsPerEpoch);
      await this.trainStep(batch);
      this.batchesDone++;
    }
    const valid = await meanLosses(this.gpu, this.model, this.scheme, dataset.valid, config, (order) =>
      this.waiting.timed(dataset.load?.('valid', order) ?? batches(dataset.valid, order)),
    );
    const train = this.totals.mean();
    this.scheme.endEpoch({ saliency: train.saliencyLoss, diagnosis: train.classLoss });
    const sigmas = this.ofTasks(await this.gpu.step(() => this.scheme.sigmas()));
    const weights = this.weights.mean();
    const decision = this.schedule.next(this.epoch, monitored(config, valid.losses));
    const record: EpochRecord = {
      epoch: this.epoch,
      train,
      valid: valid.losses,
      validAccuracy: valid.accuracy,
      saliencySigma: sigmas.saliency,
      classSigma: sigmas.diagnosis,
      learningRate,
      best: decision.best,
      reset: decision.reset,
      seconds: this.secondsBefore + (performance.now() - started) / 1000,
      ...weightFields(weights, learningRate),
      saliencyGap: difference(valid.losses.saliencyLoss, train.saliencyLoss),
      classGap: difference(valid.losses.classLoss, train.classLoss),
    };
    if (decision.best) {
      this.best = await takeSnapshot({ network: this.model, scheme: this.scheme, optimizer: this.optimizer });
      this.bestEpoch = this.epoch;
    }
    if (decision.reset) await this.loadBest(config.schedule.reset);
    this.ended = decision.stop;
    this.epoch++;
    this.batchesDone = 0;
    this.totals = new SplitTotals();
    this.weights = new WeightMeans();
    this.secondsBefore = 0;
    hooks.epoch?.(record);
    await hooks.checkpoint?.(await this.checkpoint());
    return true;
  }

  private async trainStep(batch: Batch): Promise<void> {
    const { gpu, model, scheme, optimizer, config } = this;
    const draws = this.dropouts().map((layer) => layer.draws);
    const parameters = [...model.parameters(), ...scheme.parameters()];
    const { images, gaze, labels } = batch;
    const entropy = config.saliencyLoss === 'cross-entropy' ? Float32Array.of(gazeEntropy(gaze, labels.length)) : null;
    const forward = () => {
      const arrays = { images, gaze, labels, ...(entropy && { entropy }) };
      const { losses, prediction } = predictBatch(gpu, model, arrays, config);
      return { losses, representation: prediction.representation };
    };
    const result = await scheme.step({
      gpu,
      forward,
      parameters,
      optimizer,
      scaler: this.scaler,
      step: this.steps + 1,
      run: (body) =>
        asConfigured(gpu, config, () =>
          this.recorder.step(this.mode(), [images, gaze, labels, ...(entropy ? [entropy] : [])], body),
        ),
    });
    this.steps++;
    if (!Number.isFinite(result.loss)) {
      this.dropouts().forEach((layer, i) => {
        layer.draws = draws[i];
      });
      const inputs = parameters.map(({ tensor }) => tensor);
      const problem = scheme.problemOf(result.sigmas);
      const origin = problem
        ? null
        : await findNonFinite(gpu, inputs, () =>
            asConfigured(gpu, config, () => backward(scheme.call(forward().losses))),
          );
      throw new NonFiniteLossError(result.loss, this.steps, {
        scheme: problem,
        origin,
        learningRate: optimizer.learningRate,
      });
    }
    const sigmas = this.ofTasks(result.sigmas);
    const weights = this.ofTasks(result.weights);
    const record: StepRecord = {
      epoch: this.epoch,
      step: this.steps,
      loss: result.loss,
      saliencyLoss: result.losses.saliency,
      classLoss: result.losses.diagnosis,
      saliencySigma: sigmas.saliency,
      classSigma: sigmas.diagnosis,
      learningRate: optimizer.learningRate,
      ...weightFields(weights, optimizer.learningRate),
    };
    this.weights.add(weights);
    this.totals.add(record);
    this.hooks.step?.(record, { stepsPerEpoch: this.stepsPerEpoch, epochs: config.epochs });
  }

  private async loadBest(what: 'everything' | 'network'): Promise<void> {
    if (this.best) this.load(this.best, what);
  }

  private load(snapshot: Snapshot, what: 'everything' | 'network'): void {
    this.model.loadStateDict(snapshot.network);
    if (what === 'network') return;
    this.scheme.loadStateDict(snapshot.scheme);
    this.scheme.restore(snapshot.memory);
    this.optimizer.load(snapshot.optimizer);
  }

  /** A scheme may speak of a task that the network does not have. */
  private ofTasks(values: PerTask<number | null>): TaskValues {
    return perTask((task) => (this.model.tasks[task] ? values[task] : null));
  }

  /** What decides the commands of a training step beside the sizes: which parts are in training mode, and what is trained. */
  private mode(): string {
    const training = [...this.model.modules()].map(({ module }) => (module.training ? 1 : 0));
    const trained = [...this.model.entries()].map(({ member }) =>
      'requiresGradient' in member && member.requiresGradient ? 1 : 0,
    );
    return `${training.join('')} ${trained.join('')}`;
  }

  private dropouts(): Dropout[] {
    return [...this.model.modules()]
      .map(({ module }) => module)
      .filter((module): module is Dropout => module instanceof Dropout);
  }
}

/** What the best epoch is the best of. */
function monitored({ schedule }: TrainConfig, { loss, saliencyLoss, classLoss }: SplitLosses): number {
  return schedule.monitor === 'weighted' ? loss : (saliencyLoss ?? 0) + (classLoss ?? 0);
}

const difference = (a: number | null, b: number | null) => (a === null || b === null ? null : a - b);

function checkDataset(config: TrainConfig, dataset: ChestDataset): void {
  const { height, width } = dataset;
  if (height !== config.height || width !== config.width) {
    throw new Error(
      `The data are ${height} x ${width}, but the run is set to ${config.height} x ${config.width}; set height and width to those of the data.`,
    );
  }
  for (const split of ['train', 'valid', 'test'] as const) {
    if (dataset[split].length === 0)
      throw new Error(`The ${split} split of ${dataset.name} has no images; choose a larger data set.`);
  }
}
