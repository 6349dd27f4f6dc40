/**
 * Records as runs leave them, made from a seed: losses that fall and overfit, sigmas that follow, blobs for gaze.
 */
import type {
  EpochRecord,
  EvaluationRecord,
  Provenance,
  SaliencyMetrics,
  StepRecord,
} from '../../src/mtunet/records.ts';
import type { RunRecords } from '../../src/report/report.ts';

export interface FakeOptions {
  readonly scheme?: string;
  readonly seed?: number;
  readonly epochs?: number;
  readonly stepsPerEpoch?: number;
  readonly height?: number;
  readonly width?: number;
  readonly examples?: number;
  readonly heads?: 'both' | 'saliency' | 'class';
  /** Films for the examples instead of blobs. */
  readonly films?: readonly {
    readonly id: string;
    readonly label: number;
    readonly image: Float32Array;
    readonly gaze: Float32Array;
  }[];
}

/** Numbers in [0, 1) that depend on the seed alone. */
function generator(seed: number): () => number {
  let state = (seed * 2654435761 + 12345) >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

function blob(height: number, width: number, row: number, column: number, radius: number): Float32Array {
  return Float32Array.from({ length: height * width }, (_, i) => {
    const [down, right] = [Math.floor(i / width) / height - row, (i % width) / width - column];
    return Math.exp(-(down * down + right * right) / (2 * radius * radius));
  });
}

const saliency = (kld: number, pcc: number, hs: number): SaliencyMetrics => ({ kld, pcc, hs });

const BASELINES = [
  { name: 'constant prediction', saliency: saliency(1.386, Number.NaN, 0.31), accuracy: null },
  { name: 'centre bias (mean training gaze)', saliency: saliency(0.842, 0.498, 0.51), accuracy: null },
  { name: 'most frequent class', saliency: null, accuracy: 0.35 },
];

export function fakeRun(options: FakeOptions = {}): RunRecords {
  const { scheme = 'mtls3', seed = 1, epochs: epochCount = 24, stepsPerEpoch = 20, height = 24, width = 16 } = options;
  const { heads = 'both', films } = options;
  const random = generator(seed + 1000 * scheme.charCodeAt(scheme.length - 1));
  const noise = (size: number) => size * (random() - 0.5);
  const has = { saliency: heads !== 'class', class: heads !== 'saliency' };
  const learnt = { saliency: scheme !== 'mtls3', class: scheme !== 'mtls2' };
  const [overfitSaliency, overfitClass] = [
    learnt.saliency ? 0.02 : 0.006,
    learnt.class && learnt.saliency ? 0.09 : 0.05,
  ];

  const steps: StepRecord[] = [];
  const epochs: EpochRecord[] = [];
  let [sigmaS, sigmaC, learningRate, best] = [1, 1, 1e-3, Number.POSITIVE_INFINITY];
  for (let epoch = 1; epoch <= epochCount; epoch++) {
    const falling = (from: number, to: number, pace: number) => to + (from - to) * Math.exp(-epoch / pace);
    const trainS = falling(1.9, 0.62, 5) + noise(0.03);
    const trainC = falling(1.15, 0.25, 9) + noise(0.04);
    for (let k = 0; k < stepsPerEpoch; k++) {
      if (learnt.saliency) sigmaS += 0.01 * (Math.sqrt(2 * trainS) - sigmaS) + noise(0.004);
      if (learnt.class) sigmaC += 0.01 * (Math.sqrt(2.4 * trainC) - sigmaC) + noise(0.004);
      steps.push({
        epoch,
        step: steps.length + 1,
        loss: trainS + trainC,
        saliencyLoss: has.saliency ? trainS + noise(0.2) : null,
        classLoss: has.class ? trainC + noise(0.2) : null,
        saliencySigma: has.saliency ? sigmaS : null,
        classSigma: has.class ? sigmaC : null,
        learningRate,
        effectiveSaliencyRate: has.saliency ? learningRate / sigmaS ** 2 : null,
        effectiveClassRate: has.class ? learningRate / sigmaC ** 2 : null,
      });
    }
    const validS = trainS + 0.1 + overfitSaliency * Math.max(0, epoch - 9) + noise(0.05);
    const validC = trainC + 0.12 + overfitClass * Math.max(0, epoch - 8) * 0.5 + noise(0.08);
    const reset = epoch === 16;
    const valid = validS + validC;
    epochs.push({
      epoch,
      train: {
        loss: trainS + trainC,
        saliencyLoss: has.saliency ? trainS : null,
        classLoss: has.class ? trainC : null,
      },
      valid: { loss: valid, saliencyLoss: has.saliency ? validS : null, classLoss: has.class ? validC : null },
      validAccuracy: has.class ? 0.6 : null,
      saliencySigma: has.saliency ? sigmaS : null,
      classSigma: has.class ? sigmaC : null,
      learningRate,
      best: valid < best,
      reset,
      seconds: 11.5,
    });
    best = Math.min(best, valid);
    if (reset) learningRate /= 10;
  }

  const blobs = Array.from({ length: options.examples ?? 3 }, (_, i) => ({
    id: `film-${i}`,
    label: i % 3,
    image: Float32Array.from({ length: height * width }, (_, k) => (k % width) / width),
    gaze: blob(height, width, 0.35 + 0.1 * i, 0.3 + 0.15 * i, 0.16),
  }));
  const shown = films ?? blobs;
  const examples = shown.map(({ id, label }) => {
    const scores = [0, 1, 2].map((k) => (k === label ? 1.1 : 0) + random());
    const total = scores.reduce((sum, score) => sum + Math.exp(score), 0);
    return {
      id,
      label,
      probabilities: has.class ? scores.map((score) => Math.exp(score) / total) : null,
      saliency: has.saliency ? saliency(0.7 + noise(0.3), 0.57 + noise(0.2), 0.55 + noise(0.1)) : null,
    };
  });
  const lead = { mtls1: -0.02, mtls2: -0.01, mtls3: 0.01 }[scheme] ?? 0;
  const mean = saliency(0.74 - lead + noise(0.01), 0.56 + lead + noise(0.01), 0.54 + lead / 2 + noise(0.004));
  const evaluation: EvaluationRecord = {
    split: 'test',
    images: 60,
    epoch: epochs.findLast((epoch) => epoch.best)?.epoch ?? 0,
    saliency: has.saliency ? { mean, median: mean, std: saliency(0.2, 0.1, 0.05) } : null,
    classification: has.class
      ? {
          accuracy: 0.64 + lead + noise(0.03),
          aucHandTill: 0.82 + lead + noise(0.02),
          aucMacro: 0.825 + lead + noise(0.02),
          aucMicro: 0.84 + lead + noise(0.02),
          aucPerClass: [0.86 + noise(0.02), 0.9 + lead + noise(0.02), 0.71 + noise(0.04)],
          confusion: [
            [14, 3, 3],
            [2, 15, 3],
            [6, 4, 10],
          ],
        }
      : null,
    baselines: BASELINES,
    examples,
    height,
    width,
  };
  const provenance: Provenance = {
    package: 'mtunet 0.1.0',
    commit: '757776f2d1c9a03b5be0d2f4b8f3f0f6a1f0c9aa',
    runtime: 'Node.js 20.20.2',
    adapter: {
      name: 'llvmpipe (LLVM 15.0.6, 256 bits)',
      driver: 'Mesa 22.3.6 (LLVM 15.0.6)',
      backend: 'vulkan',
      software: true,
    },
    data: { name: 'synthetic chests, seed 7', hash: '9f3a61c0d27be845', train: 240, valid: 30, test: 60 },
    seed,
    started: '2024-11-23T22:10:04.000Z',
    wallSeconds: 11.5 * epochCount + 31,
    platform: 'linux x64',
  };
  return {
    name: `${scheme}-seed-${seed}`,
    scheme,
    seed,
    config: {
      scheme,
      seed,
      data: { kind: 'synthetic', seed: 7, height, width },
      optimizer: { name: 'adam', learningRate: 1e-3 },
    },
    provenance,
    steps,
    epochs,
    evaluation,
    examples: shown.map(({ image, gaze }, i) => {
      const guess = blob(height, width, 0.45, 0.5 + 0.03 * i, 0.22);
      return { image, gaze, prediction: has.saliency ? gaze.map((value, k) => 0.8 * value + 0.5 * guess[k]) : null };
    }),
  };
}

export const GENERATED = '2024-11-24T00:40:00.000Z';
