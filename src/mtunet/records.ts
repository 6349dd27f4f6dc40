/**
 * The lines and files that a run leaves behind, and everything that the report may read.
 *
 * runs/<name>/
 *   config.json       the resolved configuration (TrainConfig)
 *   provenance.json   Provenance
 *   kernels.json      the kernel of each convolution: a run that is resumed or trained again takes the same ones
 *   steps.jsonl       one StepRecord a line
 *   epochs.jsonl      one EpochRecord a line
 *   checkpoint/       latest.safetensors and best.safetensors: all that is needed to go on, bit for bit
 *   weights.safetensors  the best network, published parameter names, no clock time
 *   predictions.safetensors  raw logits of every test image: saliency N H W, diagnosis N classes
 *   manifest.json     Origin, and the SHA-256 of every file here but the checkpoints, which carry their own
 *   evaluation.json   EvaluationRecord of the best network on the test split
 *   images.jsonl      one Example a line: every test image on its own
 *   DONE              of a run in a sweep: RunMark; its presence says that nothing is left to do
 *   FAILED.json       of a run in a sweep: FailureMark, until it is tried again
 *   examples.safetensors  image.<i>, gaze.<i>, prediction.<i> (H W, float32) for the overlays; example i is examples[i] of evaluation.json
 */

import type { InputDescription } from '../data/picture-input.ts';

/** One optimizer step. Losses are raw (not weighted by sigma) unless the name says otherwise. */
export interface StepRecord {
  readonly epoch: number;
  /** Counts from 1 over the whole run. */
  readonly step: number;
  /** What the scheme monitors: Eq. 1, 4 or 5, or L_s + L_c where the weights are no part of an objective. */
  readonly loss: number;
  /** L_s of Eq. 2, nats; null for a network without a saliency head. */
  readonly saliencyLoss: number | null;
  /** L_c of Eq. 3, nats; null for a network without a class head. */
  readonly classLoss: number | null;
  /** Values before the step; a fixed sigma is 1; null when the head is missing. */
  readonly saliencySigma: number | null;
  readonly classSigma: number | null;
  readonly learningRate: number;
  /** Learning rate times the task's weight: r / sigma^2 in Appendix A. */
  readonly effectiveSaliencyRate: number | null;
  readonly effectiveClassRate: number | null;
  /** The factor w_t on each raw loss in this step, under any scheme; older runs lack the rest. */
  readonly saliencyWeight?: number | null;
  readonly classWeight?: number | null;
  /** classWeight / saliencyWeight. */
  readonly weightRatio?: number | null;
}

/** Mean over the batches of a split, as the released code aggregates. */
export interface SplitLosses {
  readonly loss: number;
  readonly saliencyLoss: number | null;
  readonly classLoss: number | null;
}

export interface EpochRecord {
  /** Counts from 1. */
  readonly epoch: number;
  readonly train: SplitLosses;
  readonly valid: SplitLosses;
  /** Accuracy on the validation split; null without a class head. */
  readonly validAccuracy: number | null;
  /** Values at the end of the epoch, before a possible reset. */
  readonly saliencySigma: number | null;
  readonly classSigma: number | null;
  readonly learningRate: number;
  /** Whether this epoch's network became the best one. */
  readonly best: boolean;
  /** Whether the plateau schedule cut the rate after this epoch and reset the network to the best epoch. */
  readonly reset: boolean;
  readonly seconds: number;
  /** Means over the epoch's steps, and what follows from them; older runs lack the rest. */
  readonly saliencyWeight?: number | null;
  readonly classWeight?: number | null;
  readonly weightRatio?: number | null;
  readonly effectiveSaliencyRate?: number | null;
  readonly effectiveClassRate?: number | null;
  /** Raw validation loss less raw training loss: the weights have no part in it. */
  readonly saliencyGap?: number | null;
  readonly classGap?: number | null;
}

export interface SaliencyMetrics {
  /** KL(gaze || prediction), nats, lower is better. */
  readonly kld: number;
  /** Pearson's correlation coefficient over pixels. */
  readonly pcc: number;
  /** Histogram similarity, sum of min(p, q). */
  readonly hs: number;
}

export interface ClassificationMetrics {
  readonly accuracy: number;
  /** Hand & Till's M; null where a class is absent from the split. */
  readonly aucHandTill: number | null;
  /** Mean of the one-vs-rest AUCs. */
  readonly aucMacro: number | null;
  /** The released code's "AUC": one-hot labels and scores ravelled. */
  readonly aucMicro: number | null;
  /** AUC-Y1, AUC-Y2, AUC-Y3. */
  readonly aucPerClass: readonly (number | null)[];
  /** confusion[truth][predicted] */
  readonly confusion: readonly (readonly number[])[];
}

export interface Baseline {
  /** For example "constant prediction", "centre bias (mean training gaze)", "most frequent class". */
  readonly name: string;
  readonly saliency: SaliencyMetrics | null;
  readonly accuracy: number | null;
}

export interface Example {
  readonly id: string;
  readonly label: number;
  /** Softmax of the class logits; null without a class head. */
  readonly probabilities: readonly number[] | null;
  readonly saliency: SaliencyMetrics | null;
}

export interface EvaluationRecord {
  readonly split: 'train' | 'valid' | 'test';
  readonly images: number;
  /** Epoch of the network that was evaluated. */
  readonly epoch: number;
  readonly saliency: {
    readonly mean: SaliencyMetrics;
    readonly median: SaliencyMetrics;
    readonly std: SaliencyMetrics;
  } | null;
  readonly classification: ClassificationMetrics | null;
  readonly baselines: readonly Baseline[];
  readonly examples: readonly Example[];
  /** H and W of the maps in examples.safetensors. */
  readonly height: number;
  readonly width: number;
  /** Older runs, and evaluations that are only printed, lack it. */
  readonly origin?: Origin;
}

/** What sets a result apart from others. JSON files carry it as `origin`, safetensors files in their metadata, lines by manifest.json. */
export interface Origin {
  /** SHA-256 of config.json. */
  readonly config: string;
  readonly package: string;
  readonly commit: string | null;
  /** Hash of the data set. */
  readonly data: string;
  readonly adapter: string;
  readonly driver: string;
  readonly seed: number;
}

export interface Provenance {
  readonly package: string;
  /** Git commit of the program, with "+changes" when the work tree was not clean; null when unknown. */
  readonly commit: string | null;
  readonly runtime: string;
  readonly adapter: {
    readonly name: string;
    readonly driver: string;
    readonly backend: string;
    readonly software: boolean;
  };
  readonly data: {
    readonly name: string;
    readonly hash: string;
    /** Of the test films alone; older runs lack it. */
    readonly testHash?: string;
    readonly train: number;
    readonly valid: number;
    readonly test: number;
  };
  /** How a picture becomes the network's input; runs of earlier versions lack it. */
  readonly input?: InputDescription;
  readonly seed: number;
  /** SHA-256 of config.json; older runs lack it. */
  readonly config?: string;
  readonly started: string;
  readonly wallSeconds: number;
  readonly platform: string;
}
