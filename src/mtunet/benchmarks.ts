/**
 * A network's saliency maps by the conventions of two public benchmarks, and by where the reader looked, for data sets that keep it.
 *
 * Means over the films; see metrics/benchmarks.ts and metrics/fixations.ts for the definitions. Gaze samples stand for fixations, so that a
 * long look counts for long.
 */
import { centreBiasMap } from '../data/baselines.ts';
import type { ChestDataset, ChestSample } from '../data/dataset.ts';
import {
  aucJudd,
  exponential,
  informationGain,
  logSoftmax,
  mean,
  mitKld,
  mitSimilarity,
  nss,
  pcc,
  pysaliencyCc,
  pysaliencyKld,
  pysaliencySimilarity,
} from './metrics/index.ts';

export interface BenchmarkRecord {
  readonly mit: { readonly kld: number; readonly cc: number; readonly sim: number };
  readonly pysaliency: { readonly kld: number; readonly cc: number; readonly sim: number };
  /** IG in bits over the mean gaze of the training films; null where samples keep no fixations. */
  readonly fixations: { readonly nss: number; readonly aucJudd: number; readonly informationGain: number } | null;
}

/** logits: one map of H W a sample, in order. */
export function benchmarkRecord(
  { train }: Pick<ChestDataset, 'train'>,
  samples: readonly ChestSample[],
  logits: readonly Float32Array[],
): BenchmarkRecord {
  const maps = logits.map((values) => exponential(logSoftmax(values)));
  const over = (metric: (map: Float64Array, gaze: Float32Array) => number) =>
    mean(samples.map(({ gaze }, i) => metric(maps[i], gaze)));
  const kept = samples.every(({ fixations }) => fixations !== undefined);
  const bias = kept ? centreBiasMap(train) : null;
  const at = (metric: (map: Float64Array, fixations: Uint32Array) => number) =>
    mean(samples.map(({ fixations }, i) => metric(maps[i], fixations!)));
  return {
    mit: { kld: over(mitKld), cc: over(pcc), sim: over(mitSimilarity) },
    pysaliency: { kld: over(pysaliencyKld), cc: over(pysaliencyCc), sim: over(pysaliencySimilarity) },
    fixations: bias && {
      nss: at(nss),
      aucJudd: at(aucJudd),
      informationGain: at((map, fixations) => informationGain(map, bias, fixations)),
    },
  };
}
