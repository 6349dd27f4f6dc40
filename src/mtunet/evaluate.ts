/**
 * A network on a split: mean losses, and the paper's metrics per image in float64 with the baselines that a network must beat.
 */
import { centreBiasMap, constantMap, mostFrequentClass } from '../data/baselines.ts';
import { type Batch, type BatchOptions, batches, gazeProbability } from '../data/batches.ts';
import type { ChestDataset, ChestSample } from '../data/dataset.ts';
import { type Gpu, type Tensor, withoutGradient } from '../engine/index.ts';
import { type LossOptions, predictBatch } from './losses.ts';
import {
  accuracy,
  aucHandTill,
  aucMacro,
  aucMicro,
  aucPerClass,
  confusion,
  exponential,
  hs,
  kld,
  logSoftmax,
  pcc,
  saliencyMetrics,
  summarize,
} from './metrics/index.ts';
import type { Network } from './network.ts';
import type {
  Baseline,
  ClassificationMetrics,
  EvaluationRecord,
  Example,
  SaliencyMetrics,
  SplitLosses,
} from './records.ts';
import type { Scheme } from './schemes/scheme.ts';

/** Sums of batch losses; the mean over batches counts a smaller last batch as a whole one, as the released code does. */
export class SplitTotals {
  private sums = { loss: 0, saliencyLoss: 0, classLoss: 0 };
  private has = { saliencyLoss: false, classLoss: false };
  private count = 0;

  add({ loss, saliencyLoss, classLoss }: SplitLosses): void {
    this.count++;
    this.sums.loss += loss;
    this.sums.saliencyLoss += saliencyLoss ?? 0;
    this.sums.classLoss += classLoss ?? 0;
    this.has = { saliencyLoss: saliencyLoss !== null, classLoss: classLoss !== null };
  }

  mean(): SplitLosses {
    const { sums, has, count } = this;
    return {
      loss: sums.loss / count,
      saliencyLoss: has.saliencyLoss ? sums.saliencyLoss / count : null,
      classLoss: has.classLoss ? sums.classLoss / count : null,
    };
  }

  save() {
    return { sums: this.sums, has: this.has, count: this.count };
  }

  static load(saved: ReturnType<SplitTotals['save']>): SplitTotals {
    return Object.assign(new SplitTotals(), { sums: { ...saved.sums }, has: { ...saved.has }, count: saved.count });
  }
}

interface EvaluateOptions extends LossOptions {
  readonly batchSize: number;
}

/** Evaluation mode, fixed order, without gradients; leaves the model in evaluation mode. */
export async function meanLosses(
  gpu: Gpu,
  model: Network,
  scheme: Scheme,
  samples: readonly ChestSample[],
  { batchSize, ...options }: EvaluateOptions,
  load: (order: BatchOptions) => Iterable<Batch> | AsyncIterable<Batch> = (order) => batches(samples, order),
): Promise<{ losses: SplitLosses; accuracy: number | null }> {
  model.train(false);
  const totals = new SplitTotals();
  let right = 0;
  for await (const batch of load({ batchSize, seed: 0, epoch: 0, shuffle: false })) {
    const got = await gpu.step(() =>
      withoutGradient(gpu, () => {
        const { prediction, losses } = predictBatch(gpu, model, batch, options);
        const { saliency, diagnosis } = losses;
        return {
          loss: scheme.call(losses),
          saliency: saliency as Tensor<''>,
          diagnosis: diagnosis as Tensor<''>,
          logits: prediction.diagnosis as Tensor<'NC'>,
        };
      }),
    );
    totals.add({ loss: got.loss, saliencyLoss: got.saliency ?? null, classLoss: got.diagnosis ?? null });
    if (got.logits)
      right += accuracy([...batch.labels], got.logits, got.logits.length / batch.labels.length) * batch.labels.length;
  }
  return { losses: totals.mean(), accuracy: model.tasks.diagnosis ? right / samples.length : null };
}

/** Logits of every sample, in order: classes each, and H W each; empty without the head. */
export interface Predictions {
  readonly diagnosis: readonly Float32Array[];
  readonly saliency: readonly Float32Array[];
}

export async function predict(
  gpu: Gpu,
  model: Network,
  samples: readonly ChestSample[],
  { height, width, batchSize }: EvaluateOptions,
): Promise<Predictions> {
  model.train(false);
  const diagnosis: Float32Array[] = [];
  const saliency: Float32Array[] = [];
  for (const batch of batches(samples, { batchSize, seed: 0, epoch: 0, shuffle: false })) {
    const N = batch.labels.length;
    const got = await gpu.step(() =>
      withoutGradient(gpu, () => {
        const { prediction } = predictBatch(gpu, model, batch, { height, width });
        return { diagnosis: prediction.diagnosis as Tensor<'NC'>, saliency: prediction.saliency as Tensor<'NHW'> };
      }),
    );
    for (let n = 0; n < N; n++) {
      const rowOf = (values: Float32Array) => values.slice((n * values.length) / N, ((n + 1) * values.length) / N);
      if (got.diagnosis) diagnosis.push(rowOf(got.diagnosis));
      if (got.saliency) saliency.push(rowOf(got.saliency));
    }
  }
  return { diagnosis, saliency };
}

/** What the overlays show: film, gaze and predicted saliency, each H W, the maps scaled to a largest value of 1. */
export interface ExampleMaps {
  readonly image: Float32Array;
  readonly gaze: Float32Array;
  readonly prediction: Float32Array;
}

export interface Evaluation {
  readonly record: EvaluationRecord;
  readonly maps: readonly ExampleMaps[];
  /** Every image of the split, in order: what paired tests need. */
  readonly images: readonly Example[];
}

interface EvaluationOptions {
  readonly split?: 'train' | 'valid' | 'test';
  readonly epoch: number;
  readonly examples?: number;
}

/** All metrics of one split, and `examples` images (spread evenly over the split) for looking. */
export async function evaluate(
  gpu: Gpu,
  model: Network,
  dataset: ChestDataset,
  { batchSize, ...options }: EvaluationOptions & { readonly batchSize: number },
): Promise<Evaluation & { readonly predictions: Predictions }> {
  const { height, width } = dataset;
  const predictions = await predict(gpu, model, dataset[options.split ?? 'test'], { height, width, batchSize });
  return { predictions, ...evaluationOf(dataset, predictions, options) };
}

/** The same from predictions that are there already; needs no device. */
export function evaluationOf(
  dataset: ChestDataset,
  { diagnosis, saliency }: Predictions,
  { split = 'test', epoch, examples = 6 }: EvaluationOptions,
): Evaluation {
  const { height, width } = dataset;
  const samples = dataset[split];
  const labels = samples.map(({ label }) => label);
  const perImage = saliency.map((logits, i) => saliencyMetrics(logits, samples[i].gaze));
  const probabilities = diagnosis.map((logits) => exponential(logSoftmax(logits)));
  const classes = dataset.classNames.length;
  const shown = spread(samples.length, examples);
  const images = samples.map(
    ({ id, label }, i): Example => ({
      id,
      label,
      probabilities: probabilities[i] ? [...probabilities[i]] : null,
      saliency: perImage[i] ?? null,
    }),
  );
  const record: EvaluationRecord = {
    split,
    images: samples.length,
    epoch,
    saliency: perImage.length > 0 ? summaries(perImage) : null,
    classification: diagnosis.length > 0 ? classification(labels, probabilities, classes) : null,
    baselines: baselinesOf(dataset, samples),
    examples: shown.map((i) => images[i]),
    height,
    width,
  };
  const maps = shown.map((i) => ({
    image: samples[i].image,
    gaze: scaledToOne(samples[i].gaze),
    prediction: saliency[i] ? scaledToOne(exponential(logSoftmax(saliency[i]))) : new Float32Array(height * width),
  }));
  return { record, maps, images };
}

function classification(
  labels: readonly number[],
  probabilities: readonly Float64Array[],
  classes: number,
): ClassificationMetrics {
  const scores = probabilities.flatMap((row) => [...row]);
  return {
    accuracy: accuracy(labels, scores, classes),
    aucHandTill: aucHandTill(labels, scores, classes),
    aucMacro: aucMacro(labels, scores, classes),
    aucMicro: aucMicro(labels, scores, classes),
    aucPerClass: aucPerClass(labels, scores, classes),
    confusion: confusion(labels, scores, classes),
  };
}

function summaries(perImage: readonly SaliencyMetrics[]) {
  const over = (pick: 'mean' | 'median' | 'stdPopulation') => {
    const of = (metric: keyof SaliencyMetrics) => summarize(perImage.map((metrics) => metrics[metric]))[pick];
    return { kld: of('kld'), pcc: of('pcc'), hs: of('hs') };
  };
  return { mean: over('mean'), median: over('median'), std: over('stdPopulation') };
}

/** Predictions that never look at the film, measured on the same images. */
function baselinesOf(dataset: ChestDataset, samples: readonly ChestSample[]): Baseline[] {
  const mapBaseline = (name: string, map: Float64Array): Baseline => {
    const logMap = map.map(Math.log);
    const perImage = samples.map((sample) => {
      const gaze = gazeProbability(sample);
      return { kld: kld(logMap, gaze), pcc: pcc(map, gaze), hs: hs(map, gaze) };
    });
    return { name, saliency: summaries(perImage).mean, accuracy: null };
  };
  const frequent = mostFrequentClass(dataset.train);
  return [
    mapBaseline('constant prediction', constantMap(dataset.height, dataset.width)),
    mapBaseline('centre bias (mean training gaze)', centreBiasMap(dataset.train)),
    {
      name: `most frequent class (${dataset.classNames[frequent]})`,
      saliency: null,
      accuracy: samples.filter(({ label }) => label === frequent).length / samples.length,
    },
  ];
}

/** `count` positions among `length`, evenly spread. */
function spread(length: number, count: number): number[] {
  const shown = Math.min(length, count);
  return Array.from({ length: shown }, (_, i) => Math.floor(((i + 0.5) * length) / shown));
}

function scaledToOne(map: ArrayLike<number>): Float32Array {
  let largest = 0;
  for (let i = 0; i < map.length; i++) largest = Math.max(largest, map[i]);
  return Float32Array.from(map, (value) => (largest > 0 ? value / largest : 0));
}
