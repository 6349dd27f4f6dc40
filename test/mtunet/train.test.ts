/** The training loop: the same bits however often it is interrupted, and a broken loss told with its origin. */
import { describe, expect, it } from 'vitest';
import { syntheticChests } from '../../src/data/synthetic.ts';
import { write } from '../../src/engine/index.ts';
import { type Checkpoint, readCheckpoint, writeCheckpoint } from '../../src/mtunet/checkpoint.ts';
import { resolveConfig, type TrainConfig } from '../../src/mtunet/config.ts';
import { evaluate } from '../../src/mtunet/evaluate.ts';
import type { EpochRecord, StepRecord } from '../../src/mtunet/records.ts';
import { Trainer } from '../../src/mtunet/train.ts';
import { testGpu } from '../support/gpu.ts';

const config = resolveConfig('tiny', {
  height: 32,
  width: 32,
  epochs: 3,
  batchSize: 2,
  network: { base: 1 },
  scheme: { name: 'mtls1' },
  schedule: { name: 'plateau', patience: 0 },
  synthetic: { train: 5, valid: 3, test: 3 },
});
const dataset = syntheticChests({ ...config.synthetic, height: 32, width: 32 });

const withCosine = resolveConfig('tiny', { ...config, schedule: { ...config.schedule, name: 'cosine', period: 2 } });

const wholeRuns = new Map<TrainConfig, ReturnType<typeof trainWhole>>();

/** The same run is trained once for all tests. */
function wholeRun(config: TrainConfig): ReturnType<typeof trainWhole> {
  const run = wholeRuns.get(config) ?? trainWhole(config);
  wholeRuns.set(config, run);
  return run;
}

async function trainWhole(config: TrainConfig) {
  const gpu = await testGpu();
  const steps: StepRecord[] = [];
  const epochs: EpochRecord[] = [];
  using trainer = new Trainer(gpu, config, dataset, {
    step: (record) => steps.push(record),
    epoch: (record) => epochs.push(record),
  });
  const outcome = await trainer.run();
  const { count } = trainer.recorder;
  return { steps, epochs, outcome, count, bytes: writeCheckpoint(await trainer.checkpoint()) };
}

/** Trains, stopping after every `every` steps and going on in a new trainer from the checkpoint's bytes. */
async function brokenRun(config: TrainConfig, every: number) {
  const gpu = await testGpu();
  const steps: StepRecord[] = [];
  const epochs: EpochRecord[] = [];
  let saved: Checkpoint | null = null;
  for (;;) {
    const stop = new AbortController();
    let count = 0;
    using trainer = new Trainer(gpu, config, dataset, {
      step(record) {
        steps.push(record);
        if (++count === every) stop.abort();
      },
      epoch: (record) => epochs.push(record),
      checkpoint(checkpoint) {
        saved = checkpoint;
      },
    });
    if (saved) trainer.resume(readCheckpoint(writeCheckpoint(saved)));
    const outcome = await trainer.run(stop.signal);
    if (outcome.stop !== 'interrupted') {
      return { steps, epochs, outcome, bytes: writeCheckpoint(await trainer.checkpoint()) };
    }
  }
}

/** Wall time is the one thing that differs. */
const untimed = ({ seconds: _, ...rest }: EpochRecord) => rest;

const timeless = (bytes: Uint8Array) => {
  const { current, best, progress } = readCheckpoint(bytes);
  return writeCheckpoint({ current, best, progress: { ...progress, seconds: 0 } });
};

describe('training', () => {
  it.each([
    ['step: plateau', config, 1],
    ['second step: cosine', withCosine, 2],
  ])('ends with the same bits when it is interrupted after every %s', async (_, config, every) => {
    const whole = await wholeRun(config);
    expect(whole.steps.length).toBe(9);
    expect(whole.epochs.map(({ epoch }) => epoch)).toEqual([1, 2, 3]);
    const broken = await brokenRun(config, every);
    expect(broken.epochs.map(untimed)).toEqual(whole.epochs.map(untimed));
    expect(broken.steps).toEqual(whole.steps);
    expect(broken.outcome).toEqual(whole.outcome);
    expect(timeless(broken.bytes)).toEqual(timeless(whole.bytes));
  });

  it('trains no further epoch when it is resumed after its last', async () => {
    const gpu = await testGpu();
    const { bytes, outcome } = await wholeRun(config);
    using trainer = new Trainer(gpu, config, dataset, { step: () => expect.unreachable('a step after the last') });
    trainer.resume(readCheckpoint(bytes));
    expect(await trainer.run()).toEqual(outcome);
  });

  it('records sigma 1 and the plain rate before the first step, and falls in loss', async () => {
    const { steps, epochs } = await wholeRun(config);
    const [first] = steps;
    expect(first).toMatchObject({
      step: 1,
      epoch: 1,
      saliencySigma: 1,
      classSigma: 1,
      learningRate: config.optimizer.learningRate,
    });
    expect(first.loss).toBeCloseTo(first.saliencyLoss! + first.classLoss! + 2 * Math.LN2, 4);
    expect(first.effectiveClassRate).toBe(first.learningRate);
    expect(epochs.at(-1)!.train.saliencyLoss!).toBeLessThan(epochs[0].train.saliencyLoss!);
  });

  it('stops at a loss that is not a number, names the tensor it comes from, and changes nothing', async () => {
    const gpu = await testGpu();
    using trainer = new Trainer(gpu, config, dataset);
    const broken = [...trainer.model.parameters()].find(({ name }) => name === 'Conv2.0.weight')!.tensor;
    write(broken, new Float32Array(broken.size).fill(Number.NaN));
    await expect(trainer.run()).rejects.toThrow(/loss is NaN at step 1: .*Conv2\.0\.weight/);
    const first = [...trainer.model.parameters()][0].tensor;
    expect((await gpu.read(first)).every(Number.isFinite)).toBe(true);
  });

  it.each([
    ['direct', 'sigma_image', -0.2, /sigma of the saliency \(sigma_image\) is -0\.2\d*, outside .*sigmaParameter: log/],
    ['direct', 'sigma_class', 0, /sigma of the diagnosis \(sigma_class\) is 0, outside/],
    ['direct', 'sigma_image', -3, /sigma of the saliency \(sigma_image\) is -3, outside/],
    ['direct', 'sigma_image', Number.NaN, /sigma of the saliency \(sigma_image\) is NaN, outside/],
    ['log', 'lg_sigma_class', 50, /sigma of the diagnosis \(lg_sigma_class\) is 5\.18\d*e\+21, outside/],
    ['log', 'lg_sigma_image', -50, /sigma of the saliency \(lg_sigma_image\) is 1\.9\d*e-22, outside/],
  ] as const)(
    'stops at a sigma that has left its range, learnt as %s: %s = %d',
    async (kind, name, value, sentence) => {
      const gpu = await testGpu();
      const scheme = { ...config.scheme, sigmaParameter: kind };
      using trainer = new Trainer(gpu, { ...config, scheme }, dataset);
      const sigma = [...trainer.scheme.parameters()].find((one) => one.name === name)!.tensor;
      write(sigma, Float32Array.of(value));
      const [first] = [...trainer.model.parameters()];
      const before = await gpu.read(first.tensor);
      await expect(trainer.run()).rejects.toThrow(sentence);
      expect(await gpu.read(first.tensor)).toEqual(before);
      expect(await gpu.read(sigma)).toEqual(Float32Array.of(value));
    },
  );

  it('refuses a label that is none of the classes', async () => {
    const gpu = await testGpu();
    const [sample, ...others] = dataset.train;
    const mislabelled = { ...dataset, train: [...others, { ...sample, label: 3 }] };
    using trainer = new Trainer(gpu, config, mislabelled);
    await expect(trainer.run()).rejects.toThrow(/label 3 of image \d is none of the 3 classes, 0 to 2/);
  });

  it('measures time by a clock that cannot jump', async () => {
    const gpu = await testGpu();
    const { now } = Date;
    let jumps = 0;
    Date.now = () => now() + (jumps++ % 2 === 0 ? -1 : 1) * 86_400_000;
    try {
      const seconds: number[] = [];
      using trainer = new Trainer(gpu, { ...config, epochs: 1 }, dataset, {
        epoch: (record) => seconds.push(record.seconds),
      });
      const began = performance.now();
      await trainer.run();
      expect(seconds[0]).toBeGreaterThan(0);
      expect(seconds[0]).toBeLessThanOrEqual((performance.now() - began) / 1000);
    } finally {
      Date.now = now;
    }
  });

  it('refuses data of another size, and a checkpoint of other data', async () => {
    const gpu = await testGpu();
    expect(() => new Trainer(gpu, { ...config, height: 48 }, dataset)).toThrow(/32 x 32.*48 x 32/);
    using trainer = new Trainer(gpu, config, dataset);
    const checkpoint = await trainer.checkpoint();
    using other = new Trainer(gpu, config, { ...dataset, hash: 'another' });
    expect(() => other.resume(checkpoint)).toThrow(/another/);
  });
});

describe('evaluation', () => {
  it('measures every image once, with baselines and examples', async () => {
    const gpu = await testGpu();
    using trainer = new Trainer(gpu, config, dataset);
    const { record, maps } = await evaluate(gpu, trainer.model, dataset, { batchSize: 2, epoch: 0, examples: 2 });
    expect(record.images).toBe(3);
    expect(record.classification!.confusion.flat().reduce((sum, count) => sum + count, 0)).toBe(3);
    expect(record.saliency!.mean.kld).toBeGreaterThan(0);
    expect(record.baselines.length).toBe(3);
    expect(maps.length).toBe(2);
    expect(Math.max(...maps[0].prediction)).toBe(1);
  });
});

describe('recorded steps', () => {
  const of = (scheme: string, further: object = {}) =>
    resolveConfig('tiny', { ...config, epochs: 2, ...further, scheme: { name: scheme } });

  it.each([
    ['mtls1, Adam, plateau', of('mtls1'), 4],
    [
      'weights drawn on the host, SGD with momentum, cosine',
      of('rlw', {
        optimizer: { name: 'sgd', learningRate: 1e-3, momentum: 0.9 },
        schedule: { ...config.schedule, name: 'cosine', period: 2 },
      }),
      4,
    ],
    ['gradnorm, cross-entropy of the gaze', of('gradnorm', { saliencyLoss: 'cross-entropy' }), 4],
    ['mgda-ub, a part frozen', of('mgda-ub', { network: { ...config.network, frozen: ['Conv1'] } }), 4],
  ])('make no difference to any bit: %s', async (_, config, replayed) => {
    const gpu = await testGpu();
    const recorded = await trainWhole(config);
    gpu.recordsSteps = false;
    const plain = await trainWhole(config);
    gpu.recordsSteps = true;
    const resumed = config.scheme.name === 'rlw' ? await brokenRun(config, 2) : plain;
    expect(recorded.count.replayed).toBe(replayed);
    expect(plain.count).toEqual({ recorded: 0, replayed: 0 });
    for (const other of [plain, resumed]) {
      expect(other.steps).toEqual(recorded.steps);
      expect(timeless(other.bytes)).toEqual(timeless(recorded.bytes));
    }
  });
});
