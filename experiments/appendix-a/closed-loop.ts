/** Real trainings in which sigma follows the loss and the loss follows sigma, judged by raw losses. */
import { syntheticChests } from '../../src/data/synthetic.ts';
import type { Gpu } from '../../src/engine/index.ts';
import { equilibriumLag } from '../../src/mtunet/equilibrium-lag.ts';
import type { EpochRecord } from '../../src/mtunet/records.ts';
import { Trainer } from '../../src/mtunet/train.ts';
import { circle, closedLoop, optimizers, schemes, seeds } from './config.ts';

export interface LoopResult {
  readonly scheme: string;
  readonly optimizer: string;
  readonly seed: number;
  readonly epochs: number;
  /** First epoch's and last five epochs' mean raw class loss on the training films. */
  readonly trainFirst: number;
  readonly trainLast: number;
  readonly validLowest: number;
  readonly validLowestEpoch: number;
  readonly validLast: number;
  readonly saliencyValidLowest: number;
  readonly saliencyValidLast: number;
  readonly classSigma: number;
  /** ln(sigma / rest) of the class task at the end; null where it is not learnt. */
  readonly classLag: number | null;
  /** Effective class rate in the last epoch, over the plain rate. */
  readonly rateRatio: number;
  readonly weightRatio: number;
  readonly circle: boolean;
}

/** Seed by seed, so that a run that is cut short leaves whole comparisons. */
export async function closedLoops(gpu: Gpu, told: (result: LoopResult) => void): Promise<LoopResult[]> {
  const results: LoopResult[] = [];
  for (const seed of seeds) {
    for (const optimizer of Object.keys(optimizers) as (keyof typeof optimizers)[]) {
      const learnSigmas = (name: string) => name !== 'sum';
      for (const scheme of 'rates' in optimizers[optimizer] ? schemes.filter(learnSigmas) : schemes) {
        const config = closedLoop(scheme, optimizer, seed);
        const { height, width } = config;
        const epochs: EpochRecord[] = [];
        const dataset = syntheticChests({ ...config.synthetic, height, width });
        using trainer = new Trainer(gpu, config, dataset, { epoch: (record) => epochs.push(record) });
        await trainer.run();
        const lag = equilibriumLag(config, epochs).filter(({ task }) => task === 'diagnosis');
        const result = judge({ scheme, optimizer, seed }, epochs, lag.at(-1)?.lag ?? null);
        results.push(result);
        told(result);
      }
    }
  }
  return results;
}

function judge(
  what: Pick<LoopResult, 'scheme' | 'optimizer' | 'seed'>,
  epochs: readonly EpochRecord[],
  classLag: number | null,
): LoopResult {
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const lowest = (values: readonly number[]) => values.reduce((a, b) => Math.min(a, b));
  const lastFive = (read: (epoch: EpochRecord) => number) => mean(epochs.slice(-5).map(read));
  const valid = epochs.map((epoch) => epoch.valid.classLoss!);
  const last = epochs[epochs.length - 1];
  const validLowest = lowest(valid);
  const result = {
    ...what,
    epochs: epochs.length,
    trainFirst: epochs[0].train.classLoss!,
    trainLast: lastFive((epoch) => epoch.train.classLoss!),
    validLowest,
    validLowestEpoch: valid.indexOf(validLowest) + 1,
    validLast: lastFive((epoch) => epoch.valid.classLoss!),
    saliencyValidLowest: lowest(epochs.map((epoch) => epoch.valid.saliencyLoss!)),
    saliencyValidLast: lastFive((epoch) => epoch.valid.saliencyLoss!),
    classSigma: last.classSigma!,
    classLag,
    rateRatio: last.effectiveClassRate! / last.learningRate,
    weightRatio: last.weightRatio!,
  };
  return {
    ...result,
    circle:
      result.rateRatio >= circle.rateRises &&
      result.trainLast <= circle.trainingFalls * result.trainFirst &&
      result.validLast >= circle.validationRises * result.validLowest,
  };
}
